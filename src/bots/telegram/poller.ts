import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { AppError } from '../../errors/app-error.js';
import type { TelegramIntake } from './intake.js';

/** How soon it is tried again after a failure, in milliseconds. */
const AGAIN_MS = 1_000;
/** How often whoever does not poll looks whether it should, in milliseconds. */
const WATCH_MS = 2_000;

/** Where updates are fetched. */
export interface UpdateSource {
  /** Waits for updates from `offset` on; undefined: from the first that is kept. */
  getUpdates(offset: number | undefined, signal: AbortSignal): Promise<readonly unknown[]>;
}

/** The one place from which a bot is polled, of all processes. */
export interface PollingLease {
  /** Whether this process holds it, or has got it now. */
  held(): Promise<boolean>;
  release(): Promise<void>;
}

const numberOf = (update: unknown): number =>
  typeof update === 'object' && update !== null && 'update_id' in update ? Number(update.update_id) : Number.NaN;

/** What holds a chat, in whatever kind of update; a press holds the message that it is of. */
const ChatSchema = z.union([
  z.object({ message: z.object({ chat: z.object({ id: z.number() }) }) }).transform(({ message }) => message.chat.id),
  z.object({ chat: z.object({ id: z.number() }) }).transform(({ chat }) => chat.id),
]);

/** The chat of an update, as far as updates of one chat must stay in order. */
function chatOf(update: unknown): string {
  const values: unknown[] = typeof update === 'object' && update !== null ? Object.values(update) : [];
  const found = values.map((value) => ChatSchema.safeParse(value)).find(({ success }) => success);
  return String(found?.data ?? '');
}

/**
 * Fetches updates by long polling. Telegram is told that it may forget updates only once all of them were taken in; those
 * of one chat are taken in one after the other.
 */
export class TelegramPoller {
  private readonly stopping = new AbortController();
  private offset: number | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly source: UpdateSource,
    private readonly intake: TelegramIntake,
    private readonly lease: PollingLease,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Resolves when no update is being taken in any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.lease.release().catch(() => undefined);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted;) {
      try {
        if (await this.lease.held()) await this.once(signal);
        else await this.pause(WATCH_MS);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        const why = error instanceof Error ? error.message : String(error);
        this.log[failures === 1 ? 'warn' : 'debug'](
          { err: error },
          `Telegram could not be polled: ${why}; trying again`,
        );
        await this.pause(Math.min(AGAIN_MS * 2 ** (failures - 1), 30_000));
      }
    }
  }

  private async once(signal: AbortSignal): Promise<void> {
    const updates = await this.source.getUpdates(this.offset, signal);
    const chats = Map.groupBy(updates, chatOf);
    const taken = await Promise.all([...chats.values()].map((ofChat) => this.takeInOrder(ofChat)));
    if (!taken.every(Boolean)) return;
    // All below was forgotten by that call where nothing came. After a quiet week numbers begin anew, anywhere.
    this.offset = updates.length === 0 ? undefined : Math.max(...updates.map((update) => numberOf(update) + 1));
  }

  private async takeInOrder(updates: readonly unknown[]): Promise<boolean> {
    for (const update of updates) if (!(await this.take(update))) return false;
    return true;
  }

  /** Takes an update in, however long what it needs is away. False: the process stops before. */
  private async take(update: unknown): Promise<boolean> {
    for (let failures = 0; !this.stopping.signal.aborted; failures += 1) {
      try {
        await this.intake.take(update);
        return true;
      } catch (error) {
        if (error instanceof AppError && error.code === 'BODY_INVALID') return true;
        if (failures === 0) this.log.warn({ err: error }, 'an update could not be taken in; trying again');
        await this.pause(AGAIN_MS);
      }
    }
    return false;
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
