import type { CallerKey } from '../contracts/access.js';
import type { RunState } from '../contracts/crew.js';
import type { RunSummary, SeenGate, SeenRun, SeenStep } from '../contracts/crew-view.js';
import {
  closeGate,
  decideGate,
  gateNow,
  type CrewGatesRepository,
  type GateNow,
} from '../adapters/store/crew-gates.repository.js';
import type { CrewViewsRepository, RecordedRun } from '../adapters/store/crew-views.repository.js';
import type { SchemaValidators } from '../adapters/schema-validators.js';
import { NO_USAGE } from '../contracts/request.js';
import { administers } from '../domain/access.js';
import { totalSpending, usageOfRun } from '../domain/crew/budget.js';
import { compareRuns, type ComparedTask, type TaskDifference } from '../domain/crew/compare.js';
import { approvalShown } from '../domain/crew/action.js';
import { deciderRefusal, gateRefusal, stateAfter, type Gate, type GateRefusal } from '../domain/crew/gates.js';
import type { EarlierRun } from '../domain/crew/reuse.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting, Named } from './access.service.js';
import { requireOwnKey, type Change, type ChangesService } from './changes.service.js';
import { doAction } from './crew-effects.js';
import {
  deciderOf,
  gateFor,
  refuse,
  requireFitting,
  requireOpenKey,
  requireReturnable,
  requireSeen,
  ruleOf,
  type Deciding,
} from './crew-gate-rules.js';
import { partOf, type Page } from './pages.js';

/** Where runs are told that somebody has decided something. */
export interface CrewClock {
  /** @returns false if no workflow is there to hear it */
  pokeCrew(crew: string, runId: string): Promise<boolean>;
}

export interface CrewRunsParts {
  views: CrewViewsRepository;
  gates: CrewGatesRepository;
  access: AccessService;
  changes: ChangesService;
  validators: SchemaValidators;
  clock: CrewClock;
}

/** A run, and what of it nobody is shown. */
interface Known {
  run: SeenRun;
  behind: Behind;
}

/** Members who have to do with a run: who answers for the key that started it, and whom it is about. */
type Behind = Pick<RecordedRun, 'answers' | 'subject_member'>;

/** A decision that was written down, with what it was decided by. */
interface Followed {
  rules: Gate;
  made: Deciding & { member: string };
  /** The output as it was changed with it. */
  changed: Record<string, unknown> | undefined;
}

/** Runs of crews after they began: seen, decided, compared. */
export class CrewRunsService {
  constructor(private readonly parts: CrewRunsParts) {}

  /**
   * A run, for whoever started it, its subject, admins, and those whom it asks something.
   * @throws AppError `RUN_NOT_FOUND` to everybody else
   */
  async get(key: CallerKey, runId: string, named: { userId?: string | undefined }): Promise<SeenRun> {
    const { acting, known } = await this.seen(key, runId, named);
    return seenBy(acting, known);
  }

  private async seen(
    key: CallerKey,
    runId: string,
    named: { userId?: string | undefined },
  ): Promise<{ acting: Acting; known: Known }> {
    await this.parts.access.actorOf(key, named.userId);
    const found = await this.parts.views.place(runId, key.daoId);
    if (!found) throw new AppError('RUN_NOT_FOUND');
    const acting = await this.parts.access.resolve(key, { daoId: found.daoId, userId: named.userId });
    const known = await this.known(runId, found.daoId);
    if (!known || !maySee(acting, known)) throw new AppError('RUN_NOT_FOUND');
    return { acting, known };
  }

  /** Runs of a DAO, the newest first: all for admins, else one's own. */
  async list(
    key: CallerKey,
    named: Named,
    filter: { after?: string | undefined; limit: number; state?: RunState | undefined; crew?: string | undefined },
  ): Promise<Page<RunSummary>> {
    const acting = await this.parts.access.require(key, named, 'chat.read');
    const own = administers(acting.rights) ? undefined : acting.actor;
    const rows = await this.parts.views.page(acting.daoId, { ...filter, actor: own, limit: filter.limit + 1 });
    return partOf(rows, filter.limit, ({ run_id: runId }) => runId);
  }

  /** What is asked of whoever asks: open gates of all runs of the DAO that they may decide. */
  async asked(key: CallerKey, named: Named): Promise<SeenGate[]> {
    const acting = await this.parts.access.require(key, named, 'chat.read');
    const { actor, facts, rights } = acting;
    const open = await this.parts.gates.open(acting.daoId, { actor, member: facts.member, roles: rights.roles });
    return open
      .filter(({ run, ...gate }) => mayDecide(acting, { run, behind: run }, gate))
      .map(({ run, ...gate }) => ({ ...gate, run_id: run.run_id, crew: run.crew, may_decide: true }));
  }

  /** Two runs, task by task. @throws AppError `RUN_NOT_FOUND` */
  async compare(
    key: CallerKey,
    runId: string,
    other: string,
    named: { userId?: string | undefined },
  ): Promise<TaskDifference[]> {
    const [one, two] = [await this.get(key, runId, named), await this.get(key, other, named)];
    return compareRuns(comparable(one), comparable(two));
  }

  /**
   * Decides something of a run, once a person; the run goes on by itself.
   * @throws AppError `GATE_NOT_FOUND`, `GATE_CLOSED`, `GATE_CHANGED`, `DECISION_MADE`, `DECISION_INVALID`, and those of access
   */
  async decide(
    key: CallerKey,
    runId: string,
    made: Deciding,
    named: { userId?: string | undefined },
  ): Promise<SeenRun> {
    const { acting, known } = await this.seen(key, runId, named);
    const { run } = known;
    const gate = gateFor(run, made);
    // Whoever may not decide does not hold up those who may: the DAO is locked for the others alone.
    refuse(refusalOf(acting, known, gate), gate);
    await this.parts.changes.within(acting, (change) => this.decideNow(change, run, gate.id, made));
    await this.tell(run);
    // Whoever decided is told what came of it, also where it leaves them nothing more to see.
    const after = await this.known(runId, acting.daoId);
    if (!after) throw new AppError('RUN_NOT_FOUND');
    return seenBy(acting, after);
  }

  /** A run that somebody may use for something else: their own, or as an admin any. @throws AppError `RUN_NOT_FOUND` */
  async own(acting: Acting, runId: string): Promise<SeenRun> {
    const known = await this.known(runId, acting.daoId);
    if (!known || !(isStarter(acting, known.run) || administers(acting.rights))) throw new AppError('RUN_NOT_FOUND');
    return known.run;
  }

  /** The run from which another one goes on. @throws AppError `RUN_NOT_FOUND`, `REQUEST_ENDED` is not asked: it may go on */
  async base(acting: Acting, runId: string): Promise<EarlierRun> {
    const run = await this.own(acting, runId);
    const tasks = Object.fromEntries(run.tasks.map(({ task, state, output }) => [task, { state, output }]));
    return { runId, crew: run.crew, hash: run.version, inputs: run.inputs, tasks };
  }

  /** Tells runs about decisions that they may not have heard of. */
  async sweep(): Promise<void> {
    for (const { crew, runId } of await this.parts.gates.unseen()) await this.parts.clock.pokeCrew(crew, runId);
  }

  /** A run with everything about it. */
  private async known(runId: string, daoId: string): Promise<Known | undefined> {
    const found = await this.parts.views.run(runId, daoId);
    if (!found) return undefined;
    const { lost, answers, subject_member, ...run } = found;
    return { run: { ...run, spent: spentBy(run.steps, lost) }, behind: { answers, subject_member } };
  }

  private async decideNow(change: Change, run: SeenRun, gateId: string, made: Deciding): Promise<void> {
    const { db, daoId, by, record } = change;
    if (by.facts.member !== undefined) requireOwnKey(change);
    const gate = await gateNow(db, { runId: run.run_id, daoId, gate: gateId });
    if (!gate) throw new AppError('GATE_NOT_FOUND');
    requireOpenKey(change, run, gate);
    requireSeen(gate, made);
    const rules = await ruleOf(change, run, gate);
    refuse(gateRefusal(rules, deciderOf(change), made, gate.now), gate);
    const changed = made.decision === 'approve' ? made.output : undefined;
    if (changed) requireFitting(this.parts.validators, change, run, gate, changed);
    if (made.decision === 'return') requireReturnable(run, gate);
    const revision = changed ? gate.revision + 1 : gate.revision;
    const { member } = deciderOf(change);
    const place = { runId: run.run_id, daoId, gate: gateId };
    const edit = changed && { output: changed, shown: approvalShown(run, gate.task ?? '', changed) };
    await decideGate(db, place, { revision, member, made, changed: edit });
    await this.follow(change, run, gate, { rules, made: { ...made, member }, changed });
    const detail = {
      run: run.run_id,
      gate: gateId,
      decision: made.decision,
      revision,
      ...(changed && { changed: true }),
    };
    await record({ actor: by.actor, action: 'crew.decide', subject: run.crew, detail });
  }

  /** What follows from a decision: once it was the last that was needed, the gate closes, and what was approved is done. */
  private async follow(change: Change, run: SeenRun, gate: GateNow, { rules, made, changed }: Followed): Promise<void> {
    // Whoever approved before approved something else.
    const state = stateAfter(changed ? { ...rules, decisions: [] } : rules, made);
    const output = changed ?? gate.output;
    if (state === 'approved') await doAction(change, run, { ...gate, output }, this.parts.changes);
    if (state === 'open') return;
    const place = { runId: run.run_id, daoId: change.daoId, gate: gate.id };
    await closeGate(change.db, place, { state, comment: made.comment ?? null, output });
  }

  private async tell({ crew, run_id: runId }: SeenRun): Promise<void> {
    // Whoever dies before, or finds Temporal away, leaves it to the sweep.
    await this.parts.clock.pokeCrew(crew, runId).catch(() => false);
  }
}

/** Whom a person is in a run: as a member, or as whoever started it. */
const isStarter = ({ actor, facts }: Acting, run: Pick<SeenRun, 'started_by' | 'starter'>): boolean =>
  actor === run.started_by || (facts.member !== undefined && facts.member === run.starter);

function maySee(acting: Acting, known: Known): boolean {
  const { run } = known;
  if (isStarter(acting, run) || acting.actor === run.subject || administers(acting.rights)) return true;
  return run.gates.some((gate) => mayDecide(acting, known, gate));
}

const seenBy = (acting: Acting, known: Known): SeenRun => ({
  ...known.run,
  gates: known.run.gates.map((gate) => ({ ...gate, may_decide: mayDecide(acting, known, gate) })),
});

/** A run as far as it tells who may decide. */
interface Askable {
  run: Pick<SeenRun, 'started_by' | 'starter' | 'subject'>;
  behind: Behind;
}

const mayDecide = (acting: Acting, run: Askable, gate: Pick<SeenGate, 'kind' | 'rules' | 'state'>): boolean =>
  refusalOf(acting, run, gate) === undefined;

/** Why somebody may decide nothing at a gate as it stands; undefined: they may. */
function refusalOf(
  acting: Acting,
  { run, behind: { answers, subject_member } }: Askable,
  { kind, rules, state }: Pick<SeenGate, 'kind' | 'rules' | 'state'>,
): GateRefusal | undefined {
  const member = acting.facts.member ?? acting.actor;
  const decider = { member, roles: acting.facts.member === undefined ? [] : acting.rights.roles };
  const subject = acting.actor === run.subject ? member : subject_member;
  const people = {
    ...{ kind, ...rules, starter: run.starter ?? run.started_by },
    ...(answers !== null && { answers }),
    ...(subject !== null && { subject }),
  };
  const closed = state === 'expired' ? 'expired' : 'closed';
  return deciderRefusal(people, decider) ?? (state === 'open' ? undefined : closed);
}

const comparable = ({ tasks, steps }: SeenRun): ComparedTask[] =>
  tasks.map(({ task: id, output, state }) => {
    const own = steps.filter((step) => step.task === id);
    const spending = totalSpending(
      own.map(({ usage, ms, kind }) => ({
        ...{ usage: usage ?? NO_USAGE, ms },
        ...{ modelCalls: kind === 'model' ? 1 : 0, toolCalls: kind === 'tool' ? 1 : 0 },
      })),
    );
    return { id, state, ...(output && { output }), spending };
  });

function spentBy(steps: readonly SeenStep[], lost: { tokens: number; usd: number }): SeenRun['spent'] {
  const { total_tokens: tokens, cost_usd = null } = usageOfRun(
    steps.map(({ usage }) => usage),
    lost,
  );
  return { tokens, cost_usd, ms: steps.reduce((sum, { ms }) => sum + ms, 0) };
}
