import { WRITING_TOOLS } from '../src/contracts/devtools.js';
import type { Path } from './complaints.js';
import { DataSchemaCheck, type Complain } from './crew-data-check.js';
import { GatherCheck } from './crew-gather-check.js';
import { allNeedsOf } from './crew-graph.js';
import { OutputCheck } from './crew-output-check.js';
import { followReference, isText, type Reach } from './crew-references.js';
import type { CrewFile, CrewTask } from './crew-schema.js';
import { hint, quoted } from './nearest.js';

/** What is known beside the crew itself. */
export interface Known {
  /** Roles of the DAO; left out: not known, as of a file. */
  roles?: readonly string[];
}

/** A task with where it stands. */
export interface PlacedTask {
  id: string;
  task: CrewTask;
  path: Path;
}

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
    const { task, path } = this.placed;
    this.agent();
    this.needs();
    new GatherCheck(task.gather, this.reach, this.complain).run([...path, 'gather']);
    const reach = { ...this.reach, gathered: task.gather.map(({ as }) => as) };
    task.uses.forEach((reference, index) => this.follow(reference, reach, [...path, 'uses', index]));
    new DataSchemaCheck('output', this.complain).top(task.output, [...path, 'output']);
    new OutputCheck(task, reach, this.complain).run([...path, 'checks']);
    this.writes();
    this.approval();
    this.action();
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

  private writes(): void {
    const { task, path } = this.placed;
    const at = task.tools.findIndex((tool) => (WRITING_TOOLS as readonly string[]).includes(tool));
    const unapproved = task.writes_without_approval ?? task.unapproved_writes ?? false;
    if (at !== -1 && !unapproved && !task.approval) {
      const reason = 'it writes: the task needs an `approval`, or says `writes_without_approval: true`';
      this.complain([...path, 'tools', at], reason);
    }
    if (at === -1 && unapproved) {
      const key = task.writes_without_approval === undefined ? 'unapproved_writes' : 'writes_without_approval';
      this.complain([...path, key], 'has no effect: no tool of this task writes');
    }
  }

  private approval(): void {
    const { task, path } = this.placed;
    const { roles } = this.known;
    if (!task.approval || !roles) return;
    task.approval.roles.forEach((role, index) => {
      if (roles.includes(role)) return;
      this.complain(
        [...path, 'approval', 'roles', index],
        `there is no role ${quoted(role)} in this DAO${hint(role, roles)}`,
      );
    });
  }

  private action(): void {
    const { id, task, path } = this.placed;
    if (!task.action) return;
    const at = [...path, 'action'];
    if (!task.approval) this.complain(at, 'needs `approval`: it is done by the right of whoever approves');
    const reach = { ...this.reach, outputs: new Map(this.reach.outputs).set(id, task.output) };
    for (const key of ['user', 'role'] as const) {
      const found = followReference(task.action[key], reach);
      if (typeof found === 'string') this.complain([...at, key], found);
      else if (!isText(found)) this.complain([...at, key], 'does not lead to one text');
    }
  }
}
