import type { Path } from './complaints.js';
import type { Complain } from './crew-data-check.js';
import { followPath, followReference, isScalar, isText, type Found, type Reach } from './crew-references.js';
import type { CrewTask } from './crew-schema.js';

type Check = CrewTask['checks'][number];
type Graph = Extract<Check, { check: 'acyclic' }>;

const isListOfText = ({ node }: Found): boolean =>
  node?.type === 'string' || (node?.type === 'array' && node.items?.type === 'string');

/** Looks at the checks of a task: that each of them has something to check. */
export class OutputCheck {
  constructor(
    private readonly task: CrewTask,
    private readonly reach: Reach,
    private readonly complain: Complain,
  ) {}

  run(path: Path): void {
    this.task.checks.forEach((check, index) => this.one(check, [...path, index]));
  }

  private one(check: Check, path: Path): void {
    if (check.check === 'acyclic') {
      this.graph(check, path);
      return;
    }
    const found = this.inside(check.at, [...path, 'at']);
    if (!found) return;
    if (!isScalar(found))
      this.complain([...path, 'at'], 'leads to lists or objects: lead to single values, with `[]` into a list');
    else if (check.check === 'unique' && !found.many)
      this.complain([...path, 'at'], 'leads to one value alone: lead into a list with `[]`');
    else if (check.check === 'role' && !isText({ ...found, many: false }))
      this.complain([...path, 'at'], 'leads to no text');
    if (check.check === 'among' || check.check === 'covers') this.values(check.values, [...path, 'values']);
  }

  private inside(at: string, path: Path): Found | undefined {
    const found = followPath(this.task.output, at);
    if (typeof found !== 'string') return found;
    this.complain(path, found);
    return undefined;
  }

  private values(values: string | readonly string[], path: Path): void {
    const all =
      typeof values === 'string'
        ? [[values, path] as const]
        : values.map((one, index) => [one, [...path, index]] as const);
    for (const [reference, at] of all) {
      const found = followReference(reference, this.reach);
      if (typeof found === 'string') this.complain(at, found);
      else if (!isScalar(found))
        this.complain(at, 'leads to lists or objects: lead to single values, with `[]` into a list');
    }
  }

  /** Edges stand in the same entries as nodes: `subtasks[].id` and `subtasks[].depends_on`. */
  private graph({ nodes, edges }: Graph, path: Path): void {
    const node = this.inside(nodes, [...path, 'nodes']);
    const edge = this.inside(edges, [...path, 'edges']);
    if (!node || !edge) return;
    if (!node.many || node.node?.type !== 'string')
      this.complain([...path, 'nodes'], 'expected texts of a list, such as subtasks[].id');
    else if (!isListOfText(edge)) this.complain([...path, 'edges'], 'leads to no text, and to no list of texts');
    else if (!edges.startsWith(nodes.slice(0, nodes.lastIndexOf('[]') + 2))) {
      this.complain([...path, 'edges'], 'leads into another list than `nodes`');
    }
  }
}
