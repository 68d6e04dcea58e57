import { Pool } from 'pg';
import type { Logger } from 'pino';
import { PLATFORM_ROLE, SESSION_LIMITS, sessionOf } from '../store/tenants.js';
import { RateLimiterMemory, RateLimiterPostgres, type RateLimiterAbstract } from 'rate-limiter-flexible';

/** Length of a window, which begins with its first request, in seconds. */
export const WINDOW_SECONDS = 60;
/** Most time that the database gets to count a request, in milliseconds: who asks is waiting for more than this. */
const COUNT_MS = 500;
/** After it did not count, it is left alone for this long, in milliseconds. */
const AWAY_MS = 2_000;
const CONNECTIONS = 4;
/** The server gives up with us: else what it still waits for takes its connection along. */
const LIMITS = { ...SESSION_LIMITS, lock: COUNT_MS, statement: COUNT_MS };
const TABLE = 'rate_limits';

/**
 * The library counts, and the caller's quota is compared here: it differs between DAOs and changes with the profile,
 * and the counts outlast that.
 */
const COUNTING = { keyPrefix: '', points: Number.MAX_SAFE_INTEGER, duration: WINDOW_SECONDS };

/** What came of counting one request. */
export interface Taken {
  allowed: boolean;
  remaining: number;
  /** Until the window ends, in milliseconds. */
  resetMs: number;
  /** Takes the request back out of the count. Never fails. */
  undo(): Promise<void>;
}

interface SharedCounts {
  limiter: RateLimiterAbstract;
  pool: Pool;
}

/**
 * Counts requests by name in windows of a minute: in memory for one process, in PostgreSQL where several share the
 * count. While the database does not count, each process does so for itself, from zero: nobody waits, nobody is
 * refused for it, and a limit holds per process.
 */
export class RequestCounter {
  private readonly local = new RateLimiterMemory(COUNTING);
  private awayUntil = 0;

  private constructor(
    private readonly log: Logger,
    private readonly shared?: SharedCounts,
  ) {}

  static inMemory(log: Logger): RequestCounter {
    return new RequestCounter(log);
  }

  /** Over connections of its own, so that it neither waits behind other statements nor holds them up. */
  static inPostgres(url: string, log: Logger): RequestCounter {
    const pool = new Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: COUNT_MS,
      query_timeout: COUNT_MS,
      keepAlive: true,
      application_name: 'dagi limits',
      // The pool waits for it, whatever its types say.
      onConnect: (client): unknown => client.query(sessionOf(LIMITS, PLATFORM_ROLE)),
    });
    // A connection that breaks is replaced on the next query; without a listener it would end the process.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    const limiter = new RateLimiterPostgres({
      ...COUNTING,
      storeClient: pool,
      storeType: 'pool',
      tableName: TABLE,
      tableCreated: true,
      clearExpiredByTimeout: true,
    });
    return new RequestCounter(log, { limiter, pool });
  }

  /** Counts a request under a name. One beyond the quota is refused; it stays counted, which changes nothing for later ones. */
  async take(name: string, quota: number): Promise<Taken> {
    const { counter, count } = await this.count(name);
    const resetMs = Math.max(count.msBeforeNext, 0);
    const endsAt = Date.now() + resetMs;
    return {
      allowed: count.consumedPoints <= quota,
      remaining: Math.max(quota - count.consumedPoints, 0),
      resetMs,
      undo: async () => {
        // A window that has ended took the count with it.
        if (Date.now() < endsAt) await counter.reward(name).catch(() => undefined);
      },
    };
  }

  /** Takes a request back out of a count, should it turn out to be none. Never fails. */
  async giveBack(name: string): Promise<void> {
    const { shared, local } = this;
    const counter = shared && Date.now() >= this.awayUntil ? shared.limiter : local;
    await counter.reward(name).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.shared?.pool.end();
  }

  private async count(
    name: string,
  ): Promise<{ counter: RateLimiterAbstract; count: Awaited<ReturnType<RateLimiterAbstract['consume']>> }> {
    const { shared, local } = this;
    if (shared && Date.now() >= this.awayUntil) {
      try {
        return { counter: shared.limiter, count: await shared.limiter.consume(name) };
      } catch (error) {
        if (Date.now() >= this.awayUntil) {
          this.log.warn({ err: error }, 'the database does not count requests; each process does so for itself');
        }
        this.awayUntil = Date.now() + AWAY_MS;
      }
    }
    return { counter: local, count: await local.consume(name) };
  }
}
