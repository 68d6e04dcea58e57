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
const { doActs, sayNext } = proxyActivities<Activities>({
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
 * after the other, and acts, what is shown of them, and the memory beside them, and ends when there is nothing. The next
 * message starts it again.
 */
export async function dialog(input: DialogInput): Promise<void> {
  const lanes: Record<LaneName, Lane> = {
    turn: new Lane(() => answerNext(input)),
    act: new Lane(() => doActs(input)),
    say: new Lane(() => sayNext(input)),
  };
  const all = Object.values(lanes);
  const life = new Life(lanes.turn, all);
  setHandler(poke, (lane?: LaneName) => {
    (lane === undefined ? all : [lanes[lane]]).forEach((one) => one.wake());
  });
  lanes.act.onStep = ({ wakes = [] }) => {
    wakes.forEach((lane) => lanes[lane].wake());
  };
  lanes.turn.onStep = ({ remember: dialogPlace }) => {
    // One at a time, for each pays a model. What is not remembered now is when the next turn has ended.
    if (dialogPlace && !life.hasBeside) life.beside(remember(input, dialogPlace).catch(() => undefined));
  };
  // Whoever starts it has poked it; whoever goes on as a new run, or is swept up, looks at all.
  if (workflowInfo().continuedFromExecutionRunId !== undefined) all.forEach((lane) => lane.wake());
  await life.toItsEnd();
  if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof dialog>(input);
}

/** Looks into one lane of a chat, again and again, one look at a time. */
class Lane {
  isWoken = false;
  /** Whether it is being looked into. */
  isAtWork = false;
  waitMs: number | null = null;
  /** Called with what each look came to. */
  onStep = (_step: DialogStep): void => undefined;

  constructor(private readonly look: () => Promise<DialogStep>) {}

  wake(): void {
    this.isWoken = true;
  }

  async once(): Promise<void> {
    this.isWoken = false;
    this.isAtWork = true;
    const step = await this.look();
    this.isAtWork = false;
    this.waitMs = step.waitMs;
    if (step.isMore) this.wake();
    this.onStep(step);
  }
}

/**
 * The lanes of a chat, until none has anything to do, now or later, or the history is full and nothing is being done in
 * them. A full history begins no turn; while one goes on in it, which may take long, the other lanes go on, too.
 */
class Life {
  /** Whether something is being done beside the lanes. */
  hasBeside = false;

  constructor(
    private readonly turns: Lane,
    private readonly lanes: readonly Lane[],
  ) {}

  /** Does not end before this has, unless the history is full: it goes on as another one then, and this is given up. */
  beside(work: Promise<unknown>): void {
    this.hasBeside = true;
    void work.finally(() => {
      this.hasBeside = false;
    });
  }

  async toItsEnd(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => this.run(lane)));
  }

  private async run(lane: Lane): Promise<void> {
    for (;;) {
      if (this.mayBegin(lane)) {
        await lane.once();
        continue;
      }
      if (this.isOver) return;
      const isNews = (): boolean => this.mayBegin(lane) || this.isOver;
      // What is woken has nothing more to wait for than its leave to begin.
      const isTimed = lane.waitMs !== null && !lane.isWoken;
      if (!isTimed) await condition(isNews);
      else if (!(await condition(isNews, lane.waitMs ?? 0))) lane.wake();
    }
  }

  private mayBegin(lane: Lane): boolean {
    return lane.isWoken && (!this.isFull || (lane !== this.turns && this.turns.isAtWork));
  }

  private get isFull(): boolean {
    return workflowInfo().continueAsNewSuggested;
  }

  private get isOver(): boolean {
    if (this.lanes.some(({ isAtWork }) => isAtWork)) return false;
    return this.isFull || (!this.hasBeside && this.lanes.every(({ isWoken, waitMs }) => !isWoken && waitMs === null));
  }
}
