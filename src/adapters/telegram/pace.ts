import { Mutex, withTimeout, type MutexInterface } from 'async-mutex';
import { LRUCache } from 'lru-cache';
import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Place } from '../../contracts/messenger.js';
import { DeliveryError } from '../../errors/delivery-error.js';

/** Calls of the bot in any second: a little less than the platform allows. */
const PER_SECOND = 28;
/** So many calls of the bot go at once, so that no second, wherever it begins, has more than the platform allows. */
const AT_ONCE = 2;
/** Longest time that a call waits for its turn, in milliseconds. */
const PATIENCE_MS = 3_000;
/** Most chats whose pause is remembered. */
const MOST_CLOSED = 10_000;

type Buckets = Readonly<Record<Place['kind'], { everyMs: number; more: number }>>;

/**
 * Of calls that write in a chat: one each `everyMs`, and beside it `more` in each minute, so that a reply can begin at once
 * and go on soon. A private chat takes one a second, a group twenty a minute; both have some room left, for calls do not
 * take equally long.
 */
const BUCKETS: Buckets = {
  private: { everyMs: 1_050, more: 1 },
  group: { everyMs: 4_000, more: 2 },
};
const MINUTE_SECONDS = 60;

/** What a call counts as. */
export interface Turn {
  /** Where it is; absent: it is about the bot alone. */
  place?: Pick<Place, 'chat' | 'kind'>;
  /** It writes nothing in its chat, and counts for the bot only: typing, for example. */
  light?: boolean;
  /** Longest time that it waits, in milliseconds, if not the usual one. */
  patienceMs?: number;
}

/** Settings of a pace, each with a default. */
export interface PaceSettings {
  perSecond?: number;
  patienceMs?: number;
  buckets?: Buckets;
}

interface Limiter {
  consume(key: string): Promise<unknown>;
}

const bucket = ({ everyMs, more }: Buckets['group']): Limiter =>
  new BurstyRateLimiter(
    new RateLimiterMemory({ points: 1, duration: everyMs / 1_000 }),
    new RateLimiterMemory({ points: more, duration: MINUTE_SECONDS }),
  );

const limited = (what: string, retryAfterMs: number): DeliveryError =>
  new DeliveryError('limited', `too much is being written to ${what}`, { retryAfterMs: Math.ceil(retryAfterMs) });

/** Milliseconds until there is room; 0: there was, and it is taken. */
async function taken(limiter: Limiter, key: string): Promise<number> {
  try {
    await limiter.consume(key);
    return 0;
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    return Math.max(error.msBeforeNext, 1);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Keeps calls within the platform's limits. Those that write in a chat go one after the other, in the order in which they
 * came; who cannot go soon is told when to come back. A chat that the platform closed for a while is left alone, and so is
 * everything where it did so for the bot. Counts are this process's own, and forgotten within a minute.
 */
export class Pace {
  private readonly patienceMs: number;
  private readonly bot: Limiter;
  private readonly buckets: Buckets;
  private readonly chats: Readonly<Record<Place['kind'], Limiter>>;
  private readonly botLine = new Mutex();
  /** Only of chats in which somebody calls or waits. */
  private readonly lines = new Map<string, { mutex: Mutex; inside: number }>();
  /** Until when chats are left alone, in milliseconds since 1970. */
  private readonly closed = new LRUCache<string, number>({ max: MOST_CLOSED });
  private botClosedUntil = 0;

  constructor({ perSecond = PER_SECOND, patienceMs = PATIENCE_MS, buckets = BUCKETS }: PaceSettings = {}) {
    this.buckets = buckets;
    this.chats = { private: bucket(buckets.private), group: bucket(buckets.group) };
    this.patienceMs = patienceMs;
    this.bot = new RateLimiterMemory({ points: AT_ONCE, duration: AT_ONCE / perSecond });
  }

  /**
   * Makes a call when it may be made.
   * @param call throws `DeliveryError` `limited` where the platform said so
   * @throws DeliveryError `limited` too, if that would not be soon
   */
  async run<T>(turn: Turn, call: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + (turn.patienceMs ?? this.patienceMs);
    const { place, light = false } = turn;
    if (!place || light) {
      await this.pass(turn, deadline);
      return this.heeding(turn, call);
    }
    // Through the call, too: what it is told about its chat, the next one must know.
    return this.inLine(place, deadline, async () => {
      await this.pass(turn, deadline);
      return this.heeding(turn, call);
    });
  }

  private async inLine<T>(
    { chat, kind }: Pick<Place, 'chat' | 'kind'>,
    deadline: number,
    work: () => Promise<T>,
  ): Promise<T> {
    const line = this.lines.get(chat) ?? { mutex: new Mutex(), inside: 0 };
    this.lines.set(chat, line);
    line.inside += 1;
    try {
      return await waitingUntil(line.mutex, deadline, limited('this chat', this.buckets[kind].everyMs)).runExclusive(
        work,
      );
    } finally {
      line.inside -= 1;
      if (line.inside === 0) this.lines.delete(chat);
    }
  }

  /** Waits for the chat, then for the bot. */
  private async pass({ place, light = false }: Turn, deadline: number): Promise<void> {
    const isOpen = async (): Promise<number> => this.closedFor(place?.chat);
    await this.until(deadline, 'this chat', isOpen);
    if (place && !light) await this.until(deadline, 'this chat', () => taken(this.chats[place.kind], place.chat));
    const line = waitingUntil(this.botLine, deadline, limited('all chats', this.patienceMs));
    await line.runExclusive(() => this.until(deadline, 'all chats', () => taken(this.bot, 'bot')));
    // It may have been closed meanwhile.
    await this.until(deadline, 'this chat', isOpen);
  }

  /** @param wait how long it is until something can be done, in milliseconds; 0: it is done */
  private async until(deadline: number, what: string, wait: () => Promise<number>): Promise<void> {
    for (let ms = await wait(); ms > 0; ms = await wait()) {
      if (Date.now() + ms > deadline) throw limited(what, ms);
      await pause(ms);
    }
  }

  private closedFor(chat: string | undefined): number {
    const until = Math.max(this.botClosedUntil, chat === undefined ? 0 : (this.closed.get(chat) ?? 0));
    return Math.max(until - Date.now(), 0);
  }

  private async heeding<T>({ place }: Turn, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof DeliveryError && error.problem === 'limited') {
        this.close(place?.chat, Date.now() + (error.detail.retryAfterMs ?? 0));
      }
      throw error;
    }
  }

  /** What is told to a call without a chat goes for the bot. */
  private close(chat: string | undefined, until: number): void {
    if (chat === undefined) this.botClosedUntil = Math.max(this.botClosedUntil, until);
    else this.closed.set(chat, Math.max(this.closed.get(chat) ?? 0, until));
  }
}

/** A line that is left when the time is over. */
function waitingUntil(line: Mutex, deadline: number, error: DeliveryError): MutexInterface {
  return withTimeout(line, Math.max(deadline - Date.now(), 0), error);
}
