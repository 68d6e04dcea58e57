import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyLocalActivities,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { AdvanceCrewInput, AdvancedCrew, CrewRunInput, StepInput } from '../../src/contracts/crew-steps.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import { POKE_CREW_SIGNAL } from './messages.js';
import { OneAtATime } from './one-at-a-time.js';
import { performStep } from './steps.js';

/** What is next of a run is in the database, and is asked there however long it is away. */
const { advanceCrew, cancelCrew } = proxyLocalActivities<Activities>({
  scheduleToCloseTimeout: '30 days',
  startToCloseTimeout: '30s',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '10s' },
});

const poke = defineSignal(POKE_CREW_SIGNAL);

/** After so many steps a run goes on as a new one, so that its history stays short. */
const STEPS_OF_A_RUN = 200;
/**
 * Pause before it goes on as a new one, so that this is no part of the workflow task in which it was asked what is next:
 * where a cancel comes just then, that task is done again, and the worker does not find its local activity again.
 */
const PAUSE_BEFORE_ANEW = '1s';
/** A step that is open still when it was done is done again after a pause: something is wrong that may pass. */
const PAUSE_BEFORE_AGAIN = '30s';

const NOTHING_TO_TELL = JSON.stringify([null, null]);

/**
 * The hands of a crew's run. How it stands, what is next and how it ends is in the database: this does the steps that it
 * is told, asks again when one has ended or somebody has decided something, and sleeps where people are waited for. Before
 * it sleeps it begins anew, so that a run that waits for weeks replays nothing.
 */
export async function crewRun(input: CrewRunInput): Promise<AdvancedCrew['ended']> {
  const run = new Run(input);
  setHandler(poke, () => {
    run.hear();
  });
  try {
    return await run.toItsEnd();
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => run.cancelled());
    throw error;
  }
}

class Run {
  /** Something has happened since it was last asked what is next. */
  private news = false;
  /** What is next, as a turn told that has ended since, and nothing else has happened. */
  private heard: AdvancedCrew | undefined;
  /** How often what is next was asked, or heard. */
  private looks = 0;
  /** Steps that are being done, by their ids. */
  private readonly working = new Map<string, Promise<void>>();
  private readonly done = new Set<string>();
  private readonly steps = new CancellationScope();
  private readonly local = new OneAtATime();
  /** Whoever goes on as a new run has been told of before. */
  private told = workflowInfo().continuedFromExecutionRunId === undefined ? NOTHING_TO_TELL : '';

  constructor(private readonly input: CrewRunInput) {}

  async toItsEnd(): Promise<AdvancedCrew['ended']> {
    for (;;) {
      const next = await this.next();
      this.tell(next);
      if (next.ended) return await this.ended(next.ended);
      // What is not begun here is told again to the run that this goes on as.
      const isFull = this.done.size >= STEPS_OF_A_RUN;
      if (!isFull) for (const step of next.steps) this.begin(step);
      const isIdle = this.working.size === 0;
      if (isIdle && (isFull || (this.done.size > 0 && next.waitsFor !== null))) {
        if (await condition(() => this.news, PAUSE_BEFORE_ANEW)) continue;
        return await continueAsNew<typeof crewRun>(this.input);
      }
      await this.untilNews(next.waitMs);
    }
  }

  /** Something has happened. @param next what follows from it, if that was found out with it */
  hear(next?: AdvancedCrew): void {
    // What is found out with one thing knows nothing of another.
    this.heard = this.news ? undefined : next;
    this.news = true;
  }

  private next(): Promise<AdvancedCrew> {
    const { heard } = this;
    this.heard = undefined;
    this.looks += 1;
    if (!heard) {
      return this.local.do(() => {
        this.news = false;
        return advanceCrew(this.place());
      });
    }
    this.news = false;
    return Promise.resolve(heard);
  }

  /** Ends a run that is cancelled: first on the record, then where its steps are done. */
  async cancelled(): Promise<void> {
    await this.local.do(() => cancelCrew(this.place()));
    await Promise.all(this.working.values());
  }

  private place(): AdvanceCrewInput {
    return { runId: this.input.runId, daoId: this.input.daoId };
  }

  /** Does a step beside everything else, once. */
  private begin(step: StepInput): void {
    const { requestId } = step;
    if (this.working.has(requestId)) return;
    const { looks } = this;
    const finish = (next?: AdvancedCrew): void => {
      this.working.delete(requestId);
      this.done.add(requestId);
      // Where somebody has looked meanwhile, it is not certain who looked last.
      this.hear(looks === this.looks ? next : undefined);
    };
    const isAgain = this.done.has(requestId);
    const perform = async (): Promise<AdvancedCrew | undefined> => {
      if (isAgain) await sleep(PAUSE_BEFORE_AGAIN);
      return performStep(this.input, step, this.local);
    };
    // Whatever comes of a step is on the record; where nothing is, the step is open still and is told again.
    this.working.set(
      requestId,
      this.steps.run(perform).then(finish, () => {
        finish();
      }),
    );
  }

  private async untilNews(waitMs: number | null): Promise<void> {
    if (waitMs === null) await condition(() => this.news);
    else await condition(() => this.news, Math.max(1, waitMs));
  }

  /** Nothing is done any more for a run that has ended. */
  private async ended(how: NonNullable<AdvancedCrew['ended']>): Promise<AdvancedCrew['ended']> {
    this.steps.cancel();
    await Promise.all(this.working.values());
    if (how !== 'failed') return how;
    throw ApplicationFailure.create({
      type: 'CrewFailed',
      message: 'the run failed; its body says why',
      nonRetryable: true,
    });
  }

  /** What an operator searches for, in the Temporal Web UI: not with each step, since each costs the server a write. */
  private tell({ ended, waitsFor, tokens }: AdvancedCrew): void {
    const news = JSON.stringify([ended, waitsFor]);
    if (news === this.told) return;
    this.told = news;
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.ApprovalState, value: waitsFor ?? 'none' },
      { key: SEARCH_ATTRIBUTES.TokensTotal, value: tokens },
      ...(ended ? [{ key: SEARCH_ATTRIBUTES.Outcome, value: ended }] : []),
    ]);
  }
}
