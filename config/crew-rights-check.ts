import { WRITING_TOOLS } from '../src/contracts/devtools.js';
import type { Complain } from './crew-data-check.js';
import { checkRoles, type Known, type PlacedTask } from './crew-known.js';
import { followReference, isText, type Reach } from './crew-references.js';
import type { CrewFile } from './crew-schema.js';

/** Looks at what a task does beyond its output: that people are asked before, and that they can be. */
export class RightsCheck {
  constructor(
    private readonly crew: CrewFile,
    private readonly placed: PlacedTask,
    private readonly known: Known,
    private readonly complain: Complain,
  ) {}

  /** @param reach what references of the action can lead to, the task's own output among it */
  run(reach: Reach): void {
    this.writes();
    this.roles();
    this.action(reach);
  }

  private writes(): void {
    const { task, path } = this.placed;
    const at = task.tools.findIndex((tool) => (WRITING_TOOLS as readonly string[]).includes(tool));
    const leave = task.writes_without_approval === undefined ? 'unapproved_writes' : 'writes_without_approval';
    const isFree = task[leave] ?? false;
    if (at === -1) {
      const reason = 'has no effect: no tool of this task writes';
      if (isFree) this.complain([...path, leave], reason);
      if (task.tool_approval) this.complain([...path, 'tool_approval'], reason);
    } else if (isFree && task.tool_approval) {
      this.complain([...path, 'tool_approval'], `has no effect beside \`${leave}: true\``);
    } else if (!isFree && !task.tool_approval) {
      const reason = 'it writes: the task needs a `tool_approval`, or says `writes_without_approval: true`';
      this.complain([...path, 'tools', at], reason);
    }
  }

  private roles(): void {
    const { task, path } = this.placed;
    for (const key of ['tool_approval', 'approval'] as const) {
      checkRoles(task[key]?.roles ?? [], [...path, key, 'roles'], this.known, this.complain);
    }
    checkRoles(task.action?.assignable ?? [], [...path, 'action', 'assignable'], this.known, this.complain);
    task.checks.forEach((check, index) => {
      if (check.check !== 'role') return;
      checkRoles(check.among, [...path, 'checks', index, 'among'], this.known, this.complain);
    });
  }

  private action(reach: Reach): void {
    const { task, path } = this.placed;
    if (!task.action) return;
    const at = [...path, 'action'];
    if (!task.approval) this.complain(at, 'needs `approval`: it is done by the right of whoever approves');
    if (this.crew.subject === undefined)
      this.complain(at, 'needs `subject` of the crew: the role is given to whom the run is about');
    const found = followReference(task.action.role, reach);
    if (typeof found === 'string') this.complain([...at, 'role'], found);
    else if (!isText(found)) this.complain([...at, 'role'], 'does not lead to one text');
  }
}
