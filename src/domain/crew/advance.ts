import type { GateView, TaskProgress } from '../../contracts/crew-run.js';
import type { CrewPlan, TaskState } from '../../contracts/crew.js';
import { approvalShown } from './action.js';
import { Attempt, outputsOf, type AttemptEnd } from './attempt.js';
import type { AdvanceKit } from './kit.js';
import { Manager } from './managing.js';
import { Orders } from './orders.js';
import { isFinished, outcomeOf, planOf, readyTasks, type TaskStates } from './plan.js';
import { crewOutcome } from './result.js';
import type { Advance, CrewRun, RunFinal } from './run-state.js';

/** States of tasks at which somebody works, or is asked about the work. */
export const AT_WORK: readonly TaskState[] = ['running', 'asking', 'returned'];

/** A task that nobody has begun. */
export const FRESH: TaskProgress = {
  state: 'waiting',
  round: 1,
  attempt: 1,
  output: null,
  problem: null,
  notes: [],
  returned: null,
};

/**
 * What is next of a run: which tasks stand otherwise, which steps are to be done, who is to be asked, whether it has
 * ended. Pure: told the same it says the same, and told it again after it was done it says nothing new.
 */
export function advance(run: CrewRun, kit: AdvanceKit): Advance {
  return new Advancing(run, kit).result();
}

/** One look at a run, until nothing follows any more from what is known. */
class Advancing {
  private readonly tasks: Record<string, TaskProgress>;
  private readonly plan: CrewPlan;
  private readonly changed = new Set<string>();
  /** Whether a task stands otherwise than when this round began. */
  private moved = false;
  private readonly orders: Orders;
  private handoffs: number;
  /** Whether it is the manager's turn. */
  private deciding = false;
  /** Tasks whose output people rejected now. */
  private readonly rejected = new Set<string>();

  constructor(
    private readonly run: CrewRun,
    private readonly kit: AdvanceKit,
  ) {
    this.plan = planOf(run.definition);
    this.tasks = Object.fromEntries(this.plan.tasks.map(({ id }) => [id, run.tasks[id] ?? FRESH]));
    this.orders = new Orders(run, kit);
    this.handoffs = run.handoffs;
  }

  result(): Advance {
    while (this.round());
    const final = this.final();
    const { steps, gates, lookAt } = this.orders;
    return {
      tasks: Object.fromEntries([...this.changed].map((id) => [id, this.task(id)])),
      ...(final ? { steps: [], gates: [], lookAt: null } : { steps, gates, lookAt }),
      handoffs: this.handoffs,
      final,
    };
  }

  /** @returns whether something followed, so that more may follow from it */
  private round(): boolean {
    if (this.orders.stopped || this.failedFor()) return false;
    this.moved = false;
    for (const { id } of this.plan.tasks) {
      const { state } = this.task(id);
      if (AT_WORK.includes(state)) this.work(id);
      else if (state === 'waiting_approval') this.approved(id);
    }
    this.begin();
    return this.moved;
  }

  private task(id: string): TaskProgress {
    return this.tasks[id] ?? FRESH;
  }

  private set(id: string, change: Partial<TaskProgress>): void {
    this.tasks[id] = { ...this.task(id), ...change };
    this.changed.add(id);
    this.moved = true;
  }

  private work(id: string): void {
    const progress = this.task(id);
    const run = { ...this.run, tasks: this.tasks };
    const end = new Attempt(run, id, progress, this.kit, this.orders).evaluate();
    const state = end.kind === 'asking' ? 'asking' : 'running';
    if (end.kind === 'output') this.haveOutput(id, end.output);
    else if (end.kind === 'failed') this.attemptFailed(id, end);
    else if (end.kind !== 'stopped' && progress.state !== state) this.set(id, { state });
  }

  private haveOutput(id: string, output: Record<string, unknown>): void {
    const approval = this.run.definition.tasks[id]?.approval;
    this.set(id, { state: approval ? 'waiting_approval' : 'completed', output, problem: null });
    if (approval) this.approved(id);
  }

  private attemptFailed(id: string, { problem, final }: Extract<AttemptEnd, { kind: 'failed' }>): void {
    const { attempt } = this.task(id);
    const retries = this.run.definition.tasks[id]?.retries ?? 0;
    if (!final && attempt <= retries) this.set(id, { state: 'running', attempt: attempt + 1, problem });
    else this.set(id, { state: 'failed', problem });
  }

  /** Asks people about the output of a task, or does what they decided. */
  private approved(id: string): void {
    const rules = this.run.definition.tasks[id]?.approval;
    const { round, output, notes } = this.task(id);
    if (!rules) return;
    const gate = this.orders.gate({
      ...{ id: approvalGateId(id, round), kind: 'approval', task: id, ask: rules.ask },
      shown: approvalShown(this.run, id, output),
      ...{ roles: rules.roles, count: rules.count, self: rules.self },
      ...{ remindAfterS: rules.remind_after_s, expiresAfterS: rules.expires_after_s },
    });
    if (!gate || gate.state === 'open') return;
    const { max_returns: most = 0 } = this.run.definition.tasks[id] ?? {};
    if (gate.state === 'approved') this.set(id, { state: 'completed', output: gate.output ?? output });
    else if (gate.state === 'returned' && round <= most) {
      const again = { round: round + 1, attempt: 1, output: null, returned: output };
      this.set(id, { ...again, state: 'returned', notes: [...notes, gate.comment ?? ''] });
    } else this.reject(id, gate);
  }

  private reject(id: string, { state, comment }: GateView): void {
    this.rejected.add(id);
    const problem =
      state === 'expired'
        ? 'nobody approved it in time'
        : state === 'returned'
          ? `it was sent back too often: ${comment ?? ''}`
          : (comment ?? 'people rejected it');
    // What people rejected is nobody's to go on with, also where the run goes on without the task.
    this.set(id, { state: 'failed', problem, output: null });
  }

  private begin(): void {
    if (this.failedFor()) return;
    const states = this.states();
    const ready = readyTasks(this.plan, states);
    if (this.plan.process !== 'hierarchical') {
      for (const id of ready) this.set(id, { state: 'running' });
      return;
    }
    if (this.plan.tasks.some(({ id }) => AT_WORK.includes(this.task(id).state))) return;
    // Once all is done the manager looks at it, too, before the run ends.
    if (ready.length === 0 && !isFinished(this.plan, states)) return;
    const manager = new Manager({ ...this.run, tasks: this.tasks, handoffs: this.handoffs }, this.kit, this.orders);
    const decided = manager.decide(this.plan, states, outputsOf({ tasks: this.tasks }));
    this.deciding = decided === 'working';
    if (typeof decided === 'string') return;
    this.handoffs += 1;
    for (const [id, change] of Object.entries(decided)) this.set(id, change);
  }

  private states(): TaskStates {
    return new Map(Object.entries(this.tasks).map(([id, { state }]) => [id, state]));
  }

  /** The task that ends the run by its failure, if one does. */
  private failedFor(): string | undefined {
    return this.plan.tasks.find(({ id, onFailure }) => this.task(id).state === 'failed' && onFailure === 'fail')?.id;
  }

  private final(): RunFinal | null {
    const { stopped } = this.orders;
    if (stopped) {
      const reason = `stopped at the limit ${stopped.limit}${stopped.reason ? `: ${stopped.reason}` : ''}`;
      return { status: 'failed', code: 'CREW_STOPPED', task: null, reason };
    }
    const task = this.failedFor();
    if (task !== undefined) {
      const code = this.rejected.has(task) ? 'CREW_REJECTED' : 'CREW_FAILED';
      return { status: 'failed', code, task, reason: this.task(task).problem ?? '' };
    }
    const outcome = this.deciding ? undefined : outcomeOf(this.plan, this.states());
    if (outcome === undefined) return null;
    if (outcome !== 'completed')
      return { status: 'failed', code: 'CREW_FAILED', task: null, reason: 'no task has an output' };
    return { status: 'completed', ...crewOutcome(this.run.definition, outputsOf({ tasks: this.tasks })) };
  }
}

/** Id of the gate at which the output of a task is approved. */
export const approvalGateId = (task: string, round: number): string => `output.${task}-${round}`;
