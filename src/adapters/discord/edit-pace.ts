import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

const MOST_MESSAGES = 5_000;

/** Keeps edits of one message apart. */
export class EditPace {
  /** When each message may be edited again, by the monotonic clock. */
  private readonly free = new LRUCache<string, number>({ max: MOST_MESSAGES });

  /** @param everyMs least time between two edits of a message */
  constructor(private readonly everyMs: number) {}

  /** How long it is until a message may be edited, in milliseconds; 0: it may, and the turn is taken. */
  now(id: string): number {
    const wait = (this.free.get(id) ?? 0) - performance.now();
    if (wait <= 0) this.took(id);
    return Math.max(0, wait);
  }

  /** Waits until a message may be edited, and takes its turn. */
  async turn(id: string): Promise<void> {
    const now = performance.now();
    const at = Math.max(now, this.free.get(id) ?? 0);
    this.free.set(id, at + this.everyMs);
    if (at > now) await sleep(at - now);
  }

  /** Counts what was done to a message without waiting for a turn. */
  took(id: string): void {
    this.free.set(id, performance.now() + this.everyMs);
  }
}
