import type { Logger } from 'pino';
import type { SharedState } from '../contracts/shared-state.js';
import type { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';

/** Under this name processes tell each other which calls are to stop. */
const NAME = 'cancels';
/** For so long a cancel is told, in milliseconds: whoever has not heard of it by then hears it from Temporal. */
const TOLD_MS = 10_000;

type Cancelled = readonly { id: string; at: number }[];

/** Cancels reach the process that makes the call at once, whichever it is. What is missed here, a heartbeat tells. */
export class Cancels {
  private readonly forget: () => void;

  constructor(
    private readonly shared: SharedState,
    private readonly bus: Pick<InProcessTokenBus, 'cancel'>,
    private readonly log: Logger,
  ) {
    this.forget = shared.onChange(NAME, () => void this.hear());
  }

  /** Stops the call of a request, wherever it is made. It fails nobody. */
  tell(requestId: string): void {
    this.bus.cancel(requestId);
    const told = this.shared.change<Cancelled, undefined>(NAME, (before = [], { now }) => ({
      state: [...before.filter(({ at }) => now - at < TOLD_MS), { id: requestId, at: now }],
      result: undefined,
    }));
    told.catch((error: unknown) => {
      this.log.warn({ request_id: requestId, err: error }, 'other processes were not told of a cancel');
    });
  }

  close(): void {
    this.forget();
  }

  private async hear(): Promise<void> {
    const values = await this.shared.read(NAME).catch(() => new Map<string, unknown>());
    for (const { id } of (values.get(NAME) as Cancelled | undefined) ?? []) this.bus.cancel(id);
  }
}
