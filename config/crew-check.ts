import type { Path } from './complaints.js';
import { DataSchemaCheck, type Complain } from './crew-data-check.js';
import type { DataNode } from './crew-data-schema.js';
import { circleOf } from './crew-graph.js';
import { checkRoles, type Known } from './crew-known.js';
import { followReference, type Reach } from './crew-references.js';
import { usualHandoffs, type CrewFile } from './crew-schema.js';
import { TaskCheck } from './crew-task-check.js';
import { hint, quoted } from './nearest.js';

/** Outputs of some tasks, by task. */
const outputsOf = (tasks: CrewFile['tasks']): Map<string, DataNode> =>
  new Map(Object.entries(tasks).map(([id, { output }]) => [id, output]));

/** Looks at what a form cannot say: that all names lead to something, and that nothing is done that may not be. */
export class CrewCheck {
  constructor(
    private readonly crew: CrewFile,
    private readonly known: Known,
    private readonly complain: Complain,
  ) {}

  run(): void {
    new DataSchemaCheck('inputs', this.complain).top(this.crew.inputs, ['inputs']);
    this.textInput('text_input');
    this.textInput('subject');
    if (this.crew.open_to_guests && this.crew.subject === undefined) {
      this.complain(['open_to_guests'], 'needs `subject`: guests start runs about themselves alone');
    }
    this.manager();
    this.handoffs();
    checkRoles(this.crew.limit_roles, ['limit_roles'], this.known, this.complain);
    this.circle();
    for (const [id, task] of Object.entries(this.crew.tasks)) {
      new TaskCheck(this.crew, { id, task, path: ['tasks', id] }, this.known, this.complain).run();
    }
    this.result();
  }

  private textInput(key: 'text_input' | 'subject'): void {
    const name = this.crew[key];
    if (name === undefined) return;
    const { properties = {} } = this.crew.inputs;
    const input = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!input) this.complain([key], `there is no input ${quoted(name)}${hint(name, Object.keys(properties))}`);
    else if (input.type !== 'string') this.complain([key], `the input ${quoted(name)} is not of type string`);
  }

  private manager(): void {
    const { process, manager, agents } = this.crew;
    if (process === 'hierarchical' && manager === undefined) {
      this.complain(['process'], 'needs `manager`, the agent who decides what comes next');
    }
    if (process !== 'hierarchical' && manager !== undefined)
      this.complain(['manager'], `has no effect with process ${process}`);
    if (manager !== undefined && !Object.hasOwn(agents, manager)) {
      this.complain(['manager'], `there is no agent ${quoted(manager)}${hint(manager, Object.keys(agents))}`);
    }
  }

  /** The usual number is taken, too: the API gives every crew back with one. */
  private handoffs(): void {
    const { process, tasks, max_handoffs: most = usualHandoffs(tasks) } = this.crew;
    if (process !== 'hierarchical' && most !== usualHandoffs(tasks))
      this.complain(['max_handoffs'], `has no effect with process ${process}`);
  }

  private circle(): void {
    const circle = circleOf(this.crew.tasks);
    const [first] = circle ?? [];
    if (circle && first !== undefined)
      this.complain(['tasks', first, 'needs'], `the needs go in a circle: ${circle.join(' -> ')}`);
  }

  private result(): void {
    const { inputs, tasks, result } = this.crew;
    const ids = Object.keys(tasks);
    const reach: Reach = {
      inputs,
      gathered: [],
      outputs: outputsOf(tasks),
      item: false,
      tasks: ids,
      missing: () => '',
    };
    for (const [name, reference] of Object.entries(result)) {
      const path: Path = ['result', name];
      if (/^(inputs|gathered|item)\b/.test(reference)) {
        this.complain(path, 'expected the output of a task, or a part of it: <task>.<name>');
        continue;
      }
      const found = followReference(reference, reach);
      if (typeof found === 'string') this.complain(path, found);
    }
  }
}
