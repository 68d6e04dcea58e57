import type { Path } from './complaints.js';
import { DataSchemaCheck, type Complain } from './crew-data-check.js';
import { GatherCheck } from './crew-gather-check.js';
import { allNeedsOf } from './crew-graph.js';
import type { Known, PlacedTask } from './crew-known.js';
import { OutputCheck } from './crew-output-check.js';
import { followReference, type Reach } from './crew-references.js';
import { RightsCheck } from './crew-rights-check.js';
import type { CrewFile } from './crew-schema.js';
import { hint, quoted } from './nearest.js';

/** Looks at one task of a crew. */
export class TaskCheck {
  private readonly reach: Reach;

  constructor(
    private readonly crew: CrewFile,
    private readonly placed: PlacedTask,
    private readonly known: Known,
    private readonly complain: Complain,
  ) {
    this.reach = this.reachOf(allNeedsOf(crew.tasks, placed.id));
  }

  run(): void {
    const { id, task, path } = this.placed;
    this.agent();
    this.needs();
    new GatherCheck(task.gather, this.reach, this.complain).run([...path, 'gather']);
    const reach = { ...this.reach, gathered: task.gather.map(({ as }) => as) };
    task.uses.forEach((reference, index) => this.follow(reference, reach, [...path, 'uses', index]));
    new DataSchemaCheck('output', this.complain).top(task.output, [...path, 'output']);
    new OutputCheck(task, reach, this.complain).run([...path, 'checks']);
    const own = { ...this.reach, outputs: new Map(this.reach.outputs).set(id, task.output) };
    new RightsCheck(this.crew, this.placed, this.known, this.complain).run(own);
  }

  private reachOf(needed: ReadonlySet<string>): Reach {
    const { inputs, tasks } = this.crew;
    const { id } = this.placed;
    const outputs = Object.entries(tasks).filter(([other]) => needed.has(other) && other !== id);
    return {
      inputs,
      gathered: [],
      outputs: new Map(outputs.map(([other, { output }]) => [other, output])),
      item: false,
      tasks: Object.keys(tasks),
      missing: (other) =>
        other === id
          ? 'a task has no output of its own yet'
          : `this task does not need ${quoted(other)}: add it to \`needs\``,
    };
  }

  private follow(reference: string, reach: Reach, path: Path): void {
    const found = followReference(reference, reach);
    if (typeof found === 'string') this.complain(path, found);
  }

  private agent(): void {
    const { task, path } = this.placed;
    const agents = Object.keys(this.crew.agents);
    if (!agents.includes(task.agent)) {
      this.complain([...path, 'agent'], `there is no agent ${quoted(task.agent)}${hint(task.agent, agents)}`);
      return;
    }
    const tools = this.crew.agents[task.agent]?.tools ?? [];
    task.tools.forEach((tool, index) => {
      if (!tools.includes(tool))
        this.complain([...path, 'tools', index], `the agent ${quoted(task.agent)} does not have it`);
    });
  }

  private needs(): void {
    const { task, path } = this.placed;
    const tasks = Object.keys(this.crew.tasks);
    task.needs.forEach((need, index) => {
      if (!tasks.includes(need))
        this.complain([...path, 'needs', index], `there is no task ${quoted(need)}${hint(need, tasks)}`);
    });
  }
}
