import type { Logger } from 'pino';
import type { AdvanceCrewInput, AdvancedCrew, CrewProgress, StepInput } from '../contracts/crew-steps.js';
import type { NewStep } from '../adapters/store/crew-steps.js';
import {
  applyChanges,
  endRun,
  openStepsOf,
  passTime,
  type CrewRunsRepository,
  type LoadedRun,
  type OpenStep,
  type RunEnd,
  type RunHead,
} from '../adapters/store/crew-runs.repository.js';
import type { Db } from '../adapters/store/tenants.js';
import type { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';
import { advance, AT_WORK } from '../domain/crew/advance.js';
import { stepRequestId } from '../contracts/ids.js';
import type { RouteRequestInput, Usage } from '../contracts/request.js';
import { usageOfRun } from '../domain/crew/budget.js';
import { gateDue } from '../domain/crew/gates.js';
import type { Advance, RunFinal } from '../domain/crew/run-state.js';
import { ERRORS } from '../errors/catalogue.js';
import { stepOf } from './crew-step-orders.js';
import type { BegunRow, HeadStarts } from './head-starts.js';
import { CrewWorlds, type CrewWorldParts, type World } from './crew-world.js';

export interface CrewAdvanceParts extends CrewWorldParts {
  runs: CrewRunsRepository;
  headStarts: Pick<HeadStarts, 'mayBegin' | 'stepFor' | 'beginStep'>;
  bus: Pick<InProcessTokenBus, 'position' | 'publish'>;
  log: Logger;
}

/** How a run is looked at. */
interface Look {
  /** Beside the start of its workflow, which may fail yet: it stays accepted, and does not end. */
  ahead?: boolean;
}

/** Moves runs of crews on: what is next of each is a pure function of what is recorded, done here in one transaction. */
export class CrewAdvanceService {
  private readonly worlds: CrewWorlds;

  constructor(private readonly parts: CrewAdvanceParts) {
    this.worlds = new CrewWorlds(parts);
  }

  /**
   * Looks at a run, writes down what follows from what has happened, and tells what is to be done, and its readers who
   * works on what. Safe to repeat.
   * @throws AppError `STORE_UNAVAILABLE`
   */
  advance(input: AdvanceCrewInput): Promise<AdvancedCrew> {
    return this.look(input, {});
  }

  /**
   * Looks at a run whose workflow is being started meanwhile, so that its first models begin at once. It fails nobody: what
   * is not done here the workflow does.
   */
  async lookAhead(input: AdvanceCrewInput): Promise<void> {
    if (!this.parts.headStarts.mayBegin) return;
    try {
      await this.look(input, { ahead: true });
    } catch (error) {
      const ids = { request_id: input.runId, dao_id: input.daoId };
      this.parts.log.warn({ ...ids, err: error }, 'a run was not looked at beside its start');
    }
  }

  private async look({ runId, daoId }: AdvanceCrewInput, { ahead = false }: Look): Promise<AdvancedCrew> {
    const head = await this.parts.runs.head(runId, daoId);
    if (!head) return { ...NOTHING, ended: await this.parts.runs.endOf(runId, daoId) };
    // All that is asked of others comes first: the run is locked for as short as can be.
    const world = await this.worlds.of(head);
    const { written, progress, ...advanced } = await this.parts.runs.locked(head, async (db, run, now) => {
      if (!run) return { ...GONE, ended: await this.parts.runs.endOf(runId, daoId, db) };
      if ('lost' in world && ahead) return GONE;
      if ('lost' in world) return this.fail(db, run, { code: 'CREW_STOPPED', reason: world.lost, task: null }, now);
      const timed = { ...run, gates: await passTime(db, run, now) };
      this.logReminders(run, timed);
      const next = advance(timed, { ...world.kit, now });
      if (next.final) return ahead ? GONE : this.end(db, timed, next, now);
      return this.goOn(db, timed, { ...next, ahead }, world, now);
    });
    await this.beginCalls(head, written);
    if ('acting' in world) for (const denial of world.denials) await this.parts.access.denied(world.acting, denial);
    this.tellProgress(runId, progress);
    return advanced;
  }

  /** Ends a run that is cancelled. Safe to repeat. */
  async cancel({ runId, daoId }: AdvanceCrewInput): Promise<void> {
    const head = await this.parts.runs.head(runId, daoId);
    if (!head) return;
    await this.parts.runs.locked(head, async (db, run, now) => {
      if (!run) return;
      const error = { code: 'REQUEST_CANCELLED', message: ERRORS.REQUEST_CANCELLED.message };
      await endRun(db, run, { status: 'cancelled', error, ...spentOf(run, now) });
    });
  }

  /** Who is asked sees it with what is asked of them; operators see it here. */
  private logReminders(before: LoadedRun, after: LoadedRun): void {
    const ids = { request_id: before.runId, dao_id: before.daoId, crew: before.crew };
    for (const { id, reminded, expiresAt } of after.gates.values()) {
      if (reminded && !before.gates.get(id)?.reminded)
        this.parts.log.info({ ...ids, gate: id, expires_at: expiresAt }, 'people are reminded of what a run asks');
    }
  }

  /** Tells readers who works on what. */
  private tellProgress(runId: string, progress: readonly CrewProgress[]): void {
    const { bus } = this.parts;
    for (const data of progress) {
      const { offset } = bus.position(runId);
      bus.publish(runId, { type: 'crew', data, position: { generation: 0, offset: offset + 1 } });
    }
  }

  private async goOn(db: Db, run: LoadedRun, next: Advance & Look, world: World, now: Date): Promise<Moved> {
    const steps: NewStep[] = [];
    for (const order of next.steps) steps.push(this.headStart(run, await stepOf(db, run, order, world, now)));
    await applyChanges(db, run, { ...next, steps });
    const open = await openStepsOf(db, run, steps);
    const gates = [...run.gates.values()].filter(({ state }) => state === 'open');
    const [asked = null] = [...gates, ...next.gates].map(({ kind }) => kind);
    const waitsFor = open.length > 0 ? null : asked;
    return {
      steps: open.map(toStepInput),
      waitMs: steps.some(({ refused }) => refused) ? 0 : waitMs(next, gates, now),
      ended: null,
      waitsFor,
      tokens: totalOf(run).total_tokens,
      progress: progressOf(run, next, waitsFor),
      written: steps,
    };
  }

  /** The step, with the provider whose call may begin as soon as it is written down. */
  private headStart(run: RunHead, step: NewStep): NewStep {
    if (!('call' in step.work)) return step;
    return { ...step, begunAt: this.parts.headStarts.stepFor(inputOf(run, step))?.provider };
  }

  /** Models begin while Temporal hears what is next. */
  private async beginCalls(run: RunHead, written: readonly NewStep[]): Promise<void> {
    const begun = written.filter(({ begunAt }) => begunAt !== undefined);
    await Promise.all(begun.map((step) => this.parts.headStarts.beginStep(inputOf(run, step), rowOf(run, step))));
  }

  private async end(db: Db, run: LoadedRun, { final, ...next }: Advance, now: Date): Promise<Moved> {
    await applyChanges(db, run, { ...next, steps: [], gates: [] });
    if (final?.status !== 'completed') {
      const { code = 'CREW_FAILED', reason = '', task = null } = final ?? {};
      return this.fail(db, run, { code, reason, task }, now);
    }
    await endRun(db, run, { status: 'completed', data: final.data, ...spentOf(run, now) });
    const { total_tokens: tokens } = totalOf(run);
    return { ...GONE, ended: 'completed', tokens, progress: progressOf(run, next) };
  }

  private async fail(
    db: Db,
    run: LoadedRun,
    { code, reason, task }: Pick<FailedRun, 'code' | 'reason' | 'task'>,
    now: Date,
  ): Promise<Moved> {
    const error = { code, message: ERRORS[code].message, reason, ...(task !== null && { task }) };
    const end: RunEnd = { status: 'failed', error, ...spentOf(run, now) };
    await endRun(db, run, end);
    this.parts.log.info(
      { request_id: run.runId, dao_id: run.daoId, crew: run.crew, code, reason },
      'run of a crew failed',
    );
    return { ...GONE, ended: 'failed', tokens: totalOf(run).total_tokens };
  }
}

type FailedRun = Extract<RunFinal, { status: 'failed' }>;

/** What a run came to in one advance, with what those are told who follow it, and the steps that were written down. */
type Moved = AdvancedCrew & { progress: readonly CrewProgress[]; written: readonly NewStep[] };

const inputOf = ({ runId, daoId, actor }: RunHead, { key, deadlineAt, decision }: NewStep): RouteRequestInput => ({
  ...{ version: 1, requestId: stepRequestId(runId, key), daoId, actor },
  ...{ deadlineAt: deadlineAt.getTime(), decision },
});

/** The row of a step, as its call needs it. */
const rowOf = (
  { runId, daoId, actor, keyId }: RunHead,
  { key, decision, deadlineAt, work, begunAt }: NewStep,
): BegunRow => ({
  ...{ id: stepRequestId(runId, key), daoId, actor, keyId, mode: decision.mode, decision, deadlineAt, begunAt, runId },
  ...{ sessionId: undefined, prompt: '', timings: {}, receivedAt: new Date(), idempotency: undefined },
  ...('call' in work && { call: work.call }),
});

const NOTHING: AdvancedCrew = { steps: [], waitMs: null, ended: 'cancelled', waitsFor: null, tokens: 0 };
const GONE: Moved = { ...NOTHING, progress: [], written: [] };

const toStepInput = ({ requestId, decision, deadlineAt, label }: OpenStep): StepInput => ({
  requestId,
  kind: decision.mode === 'chat' ? 'model' : decision.tool ? 'tool' : 'dao',
  label,
  deadlineAt: deadlineAt.getTime(),
  decision,
});

function waitMs(
  next: Advance,
  gates: readonly { remindAt: Date; expiresAt: Date; reminded: boolean }[],
  now: Date,
): number | null {
  const moments = [
    ...(next.lookAt ? [next.lookAt] : []),
    ...gates.map(gateDue),
    ...next.gates.map(
      ({ remindAfterS, expiresAfterS }) => new Date(now.getTime() + Math.min(remindAfterS, expiresAfterS) * 1_000),
    ),
  ];
  if (moments.length === 0) return null;
  return Math.max(0, Math.min(...moments.map((moment) => moment.getTime())) - now.getTime());
}

/** Tasks that stand otherwise, or, where none does and something more is done or asked, those at work. */
function progressOf(
  run: LoadedRun,
  next: Pick<Advance, 'tasks' | 'steps' | 'gates'>,
  waitsFor: AdvancedCrew['waitsFor'] = null,
): CrewProgress[] {
  const { total_tokens: tokens } = totalOf(run);
  const changed = Object.entries(next.tasks);
  const isMore = next.steps.length + next.gates.length > 0;
  const atWork = Object.entries(run.tasks).filter(([, { state }]) => AT_WORK.includes(state));
  return (changed.length > 0 || !isMore ? changed : atWork).map(([task, { state }]) => ({
    ...{ task, state, tokens, waits_for: waitsFor },
    agent: run.definition.tasks[task]?.agent ?? '',
  }));
}

const totalOf = ({ steps, lost }: LoadedRun): Usage =>
  usageOfRun(
    [...steps.values()].map(({ usage }) => usage),
    lost,
  );

const spentOf = (run: LoadedRun, now: Date) => {
  const ms = now.getTime() - run.receivedAt.getTime();
  return { usage: totalOf(run), timings: { crew: ms, total: ms } };
};
