import {
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { DialogInput, DialogStep, Lane as LaneName } from '../../src/contracts/dialog.js';
import { POKE_DIALOG_SIGNAL, type DialogPoke } from './messages.js';

/** A worker that is silent for this long is taken for dead. */
const HEARTBEAT = '6s';
/** Longest time that one answer may take, waits for the platform aside. */
const LONGEST_TURN = '30m';
/** What is to be shown is shown, however long the platform or the database is away. */
const RETRY = { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '30s' } as const;

const { answerNext } = proxyActivities<Activities>({
  startToCloseTimeout: LONGEST_TURN,
  heartbeatTimeout: HEARTBEAT,
  retry: RETRY,
});
const { doActs } = proxyActivities<Activities>({
  startToCloseTimeout: '1m',
  heartbeatTimeout: HEARTBEAT,
  retry: RETRY,
});
const { remember } = proxyActivities<Activities>({
  startToCloseTimeout: '5m',
  heartbeatTimeout: HEARTBEAT,
  retry: { ...RETRY, maximumAttempts: 5 },
});

const poke = defineSignal<DialogPoke>(POKE_DIALOG_SIGNAL);

/**
 * What goes on in one chat. What came in, and what has become of it, is in the database: this has it done, turns one
 * after the other, and acts and the memory beside them, and ends when there is nothing. The next message starts it again.
 */
export async function dialog(input: DialogInput): Promise<void> {
  const acts = new Lane(() => doActs(input));
  const turns = new Lane(() => answerNext(input));
  const life = new Life([turns, acts]);
  setHandler(poke, (lane?: LaneName) => {
    if (lane !== 'act') turns.wake();
    if (lane !== 'turn') acts.wake();
  });
  acts.onStep = ({ wakesTurns = false }) => {
    if (wakesTurns) turns.wake();
  };
  turns.onStep = ({ remember: dialogPlace }) => {
    // What is not remembered now is when the next turn has ended.
    if (dialogPlace) life.beside(remember(input, dialogPlace).catch(() => undefined));
  };
  // Whoever starts it has poked it; whoever goes on as a new run, or is swept up, looks at both.
  if (workflowInfo().continuedFromExecutionRunId !== undefined) [turns, acts].forEach((lane) => lane.wake());
  await life.toItsEnd();
  if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof dialog>(input);
}

/** Looks into one lane of a chat, again and again, one look at a time. */
class Lane {
  isWoken = false;
  waitMs: number | null = null;
  /** Called with what each look came to. */
  onStep = (_step: DialogStep): void => undefined;

  constructor(private readonly look: () => Promise<DialogStep>) {}

  wake(): void {
    this.isWoken = true;
  }

  async once(): Promise<void> {
    this.isWoken = false;
    const step = await this.look();
    this.waitMs = step.waitMs;
    if (step.isMore) this.wake();
    this.onStep(step);
  }
}

/** The lanes of a chat, until neither has anything to do, now or later, or the history is full and nothing is being done. */
class Life {
  private working = 0;

  constructor(private readonly lanes: readonly Lane[]) {}

  /** Does not end before this has. */
  beside(work: Promise<unknown>): void {
    this.working += 1;
    void work.finally(() => {
      this.working -= 1;
    });
  }

  async toItsEnd(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => this.run(lane)));
    await condition(() => this.working === 0);
  }

  private async run(lane: Lane): Promise<void> {
    for (;;) {
      if (lane.isWoken && !this.isFull) {
        this.working += 1;
        await lane.once();
        this.working -= 1;
        continue;
      }
      if (this.isOver) return;
      const isNews = (): boolean => (lane.isWoken && !this.isFull) || this.isOver;
      const news = lane.waitMs === null ? condition(isNews).then(() => true) : condition(isNews, lane.waitMs);
      if (!(await news)) lane.wake();
    }
  }

  private get isFull(): boolean {
    return workflowInfo().continueAsNewSuggested;
  }

  private get isOver(): boolean {
    if (this.isFull) return this.working === 0;
    return this.working === 0 && this.lanes.every(({ isWoken, waitMs }) => !isWoken && waitMs === null);
  }
}
