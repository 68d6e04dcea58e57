import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyLocalActivities,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { AdvancedCrew, CrewRunInput } from '../../src/contracts/crew-steps.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import { POKE_CREW_SIGNAL } from './messages.js';
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
 * The hands of a crew's run. How it stands, what is next and how it ends is in the database: this does the steps that it
 * is told, asks again when one has ended or somebody has decided something, and sleeps where people are waited for. Before
 * it sleeps it begins anew, so that a run that waits for weeks replays nothing.
 */
export async function crewRun(input: CrewRunInput): Promise<AdvancedCrew['ended']> {
  const run = new Run(input);
  setHandler(poke, () => {
    run.news = true;
  });
  try {
    return await run.toItsEnd();
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => cancelCrew(input));
    throw error;
  }
}

class Run {
  /** Something has happened since it was last asked what is next. */
  news = false;
  private readonly working = new Set<string>();
  private done = 0;

  constructor(private readonly input: CrewRunInput) {}

  async toItsEnd(): Promise<AdvancedCrew['ended']> {
    for (;;) {
      this.news = false;
      const next = await advanceCrew({ runId: this.input.runId, daoId: this.input.daoId });
      this.tell(next);
      if (next.ended) return this.ended(next.ended);
      for (const step of next.steps) this.begin(step);
      const idle = this.working.size === 0;
      if (idle && this.done > 0 && !this.news && (next.waitsFor !== null || this.done >= STEPS_OF_A_RUN)) {
        return continueAsNew<typeof crewRun>(this.input);
      }
      await this.untilNews(next.waitMs);
    }
  }

  /** Does a step beside everything else, once. */
  private begin(step: AdvancedCrew['steps'][number]): void {
    if (this.working.has(step.requestId)) return;
    this.working.add(step.requestId);
    const finish = (): void => {
      this.working.delete(step.requestId);
      this.done += 1;
      this.news = true;
    };
    // A cancel ends the run at its next question; nothing else comes out of a step.
    void performStep(this.input, step).then(finish, finish);
  }

  private async untilNews(waitMs: number | null): Promise<void> {
    if (waitMs === null) await condition(() => this.news);
    else await condition(() => this.news, Math.max(1, waitMs));
  }

  private ended(how: NonNullable<AdvancedCrew['ended']>): AdvancedCrew['ended'] {
    if (how !== 'failed') return how;
    throw ApplicationFailure.create({
      type: 'CrewFailed',
      message: 'the run failed; its body says why',
      nonRetryable: true,
    });
  }

  /** What an operator searches for, in the Temporal Web UI. */
  private tell({ ended, waitsFor, tokens }: AdvancedCrew): void {
    upsertSearchAttributes([
      { key: SEARCH_ATTRIBUTES.ApprovalState, value: waitsFor ?? 'none' },
      { key: SEARCH_ATTRIBUTES.TokensTotal, value: tokens },
      ...(ended ? [{ key: SEARCH_ATTRIBUTES.Outcome, value: ended }] : []),
    ]);
  }
}
