import {
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { DialogInput, DialogStep, Lane } from '../../src/contracts/dialog.js';
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

const poke = defineSignal<DialogPoke>(POKE_DIALOG_SIGNAL);

/**
 * What goes on in one chat. What came in, and what has become of it, is in the database: this has it done, turns one
 * after the other and acts beside them, and ends when there is nothing. The next message starts it again.
 */
export async function dialog(input: DialogInput): Promise<void> {
  const turns = new Look(() => answerNext(input));
  const acts = new Look(() => doActs(input));
  setHandler(poke, (lane?: Lane) => {
    if (lane !== 'act') turns.wake();
    if (lane !== 'turn') acts.wake();
  });
  acts.onWake = () => {
    turns.wake();
  };
  // Whoever starts it has poked it; whoever goes on as a new run, or is swept up, looks at both.
  if (workflowInfo().continuedFromExecutionRunId !== undefined) [turns, acts].forEach((look) => look.wake());
  const isFull = (): boolean => workflowInfo().continueAsNewSuggested;
  await Promise.all([turns.untilIdle(acts, isFull), acts.untilIdle(turns, isFull)]);
  if (isFull()) await continueAsNew<typeof dialog>(input);
}

/** Looks into one lane of a chat, again and again, one look at a time. */
class Look {
  private news = false;
  private atWork = false;
  private waitMs: number | null = null;
  /** Called where a look says that turns are to be looked at. */
  onWake = (): void => undefined;

  constructor(private readonly look: () => Promise<DialogStep>) {}

  wake(): void {
    this.news = true;
  }

  /** Whether there is nothing to do, now or later. */
  get isIdle(): boolean {
    return !this.news && !this.atWork && this.waitMs === null;
  }

  /** Works until neither lane has anything to do, or the history is full and nothing is being done. */
  async untilIdle(other: Look, isFull: () => boolean): Promise<void> {
    for (;;) {
      const isOver = (): boolean => (this.isIdle && other.isIdle) || isFull();
      if (this.news && !isFull()) {
        await this.once();
        continue;
      }
      if (isOver()) return;
      const isNews = (): boolean => this.news || isOver();
      const woken = this.waitMs === null ? condition(isNews).then(() => true) : condition(isNews, this.waitMs);
      if (!(await woken)) this.news = true;
    }
  }

  private async once(): Promise<void> {
    this.news = false;
    this.atWork = true;
    try {
      const { isMore, waitMs, wakesTurns = false } = await this.look();
      this.waitMs = waitMs;
      this.news ||= isMore;
      if (wakesTurns) this.onWake();
    } finally {
      this.atWork = false;
    }
  }
}
