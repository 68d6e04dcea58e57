import type { Opts, Update } from 'grammy/types';
import type { FakeTelegramSettings } from './settings.js';
import { conflict } from './refusal.js';
import type { UpdateQueue, Waiting } from './updates.js';

const MOST = 100;

interface Poll {
  wake(): void;
  end(why: string): void;
}

/** `getUpdates`: one at a time, each confirming what lies below its offset. */
export class Polling {
  private current: Poll | undefined;
  private readonly queue: UpdateQueue;
  private readonly settings: () => FakeTelegramSettings;

  constructor(queue: UpdateQueue, settings: () => FakeTelegramSettings) {
    this.queue = queue;
    this.settings = settings;
  }

  /** There may be something to hand over. */
  wake(): void {
    this.current?.wake();
  }

  /** Ends the poll that waits, if there is one. */
  end(why: string): void {
    this.current?.end(why);
    this.current = undefined;
  }

  /**
   * @param gone when the caller went away, nothing more is handed over to it
   * @throws Refusal if another poll, or a webhook, takes its place
   */
  async poll(
    { offset, limit, timeout = 0, allowed_updates }: Opts<'getUpdates'>,
    gone: AbortSignal,
  ): Promise<Update[]> {
    this.end('terminated by other getUpdates request; make sure that only one bot instance is running');
    if (allowed_updates) this.queue.allowed = allowed_updates;
    this.confirm(offset);
    if (this.queue.waiting.length === 0 && timeout > 0) await this.pause(timeout * this.settings().secondMs, gone);
    if (gone.aborted) return [];
    return this.take(limit);
  }

  private confirm(offset: number | undefined): void {
    const { queue } = this;
    if (offset === undefined) return;
    if (offset >= 0) queue.confirm(offset);
    else for (const entry of queue.waiting.slice(0, offset)) queue.remove(entry);
  }

  private pause(ms: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        if (this.current === poll) this.current = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      const poll: Poll = {
        wake: done,
        end: (why) => {
          clearTimeout(timer);
          reject(conflict(why));
        },
      };
      this.current = poll;
      gone.addEventListener('abort', done, { once: true });
    });
  }

  private take(limit = MOST): Update[] {
    const { queue } = this;
    const taken = queue.waiting.slice(0, Math.min(Math.max(limit, 1), MOST));
    // What came once more has come now: the next offset confirms it like any other.
    for (const entry of taken) entry.again = false;
    return taken.flatMap((entry: Waiting) => (entry.twice ? [entry.update, entry.update] : [entry.update]));
  }
}
