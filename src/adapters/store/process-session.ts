import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Notification } from 'pg';
import type { Logger } from 'pino';
import { SEEN_FOR_MS } from '../../contracts/shared-state.js';
import { guardStore } from './errors.js';

/** First key of the locks by which processes are known to live: DAGI in ASCII. The second key is the process's number. */
export const PROCESS_LOCKS = 0x44414749;
/** Highest number of a process; both keys of a lock are signed 32-bit integers. */
const MAX_NUMBER = 2 ** 31 - 1;

const CONNECT_MS = 1_500;
/**
 * How often the server is asked whether it is still there, and how long it may take to answer, in milliseconds. Two
 * answers and a pause fit into `SEEN_FOR_MS`.
 */
const BEAT_MS = 1_000;
const ANSWER_MS = 2_000;
/** Pause before the next try to connect, or to take the lock, in milliseconds. */
const AGAIN_MS = 250;
/** The server finds out within some ten seconds that the machine of a client is gone without a word. */
const KEEP_ALIVES = `set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3`;

export interface SessionOptions {
  url: string;
  channel: string;
  log: Logger;
  onNotify: (payload: string) => void;
  /** Messages may have been missed. */
  onBack: () => void;
  /** The server has not confirmed for `SEEN_FOR_MS` that the others see this process. */
  onUnseen: () => void;
}

/**
 * This process's own connection to PostgreSQL. It holds a session lock under the process's number for as long as the
 * process lives, by which the others see that it does, and listens. It is never used for anything else. When it breaks it
 * connects again with the same number; in between the process counts as missing.
 *
 * It knows before the others take it for dead: what counts is when the last question was sent that the server answered,
 * since the lock was there then, by the monotonic clock. A machine that was stopped and goes on asks first.
 *
 * It must reach PostgreSQL itself: through a pooler in transaction or statement mode locks and `LISTEN` belong to
 * nobody. When a machine loses its power or its network its lock stays until the server's keep-alives have found out,
 * some ten seconds. A process that is merely stopped keeps its connection, and so its lock.
 */
export class ProcessSession {
  readonly processId: string;
  private client: Client | undefined;
  private held = false;
  private isUnseen = false;
  private expiry: NodeJS.Timeout | undefined;
  /** Ends a pause early. */
  private wake: (() => void) | undefined;
  private readonly closing = new AbortController();

  private constructor(
    private readonly options: SessionOptions,
    private readonly number: number,
  ) {
    this.processId = String(number);
  }

  /** Connects and takes a number that nobody has. @throws AppError `STORE_UNAVAILABLE` */
  static async open(options: SessionOptions): Promise<ProcessSession> {
    for (;;) {
      const session = new ProcessSession(options, randomInt(1, MAX_NUMBER));
      await guardStore(() => session.connect());
      if (await guardStore(() => session.takeLock())) {
        void session.keep();
        return session;
      }
      await session.close();
    }
  }

  /** Whether the others may have taken this process for dead. */
  get unseen(): boolean {
    return this.isUnseen;
  }

  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.expiry);
    this.wake?.();
    this.held = false;
    // A server that has fallen silent does not end a connection either.
    await Promise.race([this.client?.end().catch(() => undefined), sleep(CONNECT_MS, undefined, { ref: false })]);
  }

  private async connect(): Promise<void> {
    const client = new Client({
      connectionString: this.options.url,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
      application_name: 'dagi-session',
    });
    this.client = client;
    const lost = (): void => {
      this.lose(client);
    };
    client.on('error', lost).on('end', lost);
    client.on('notification', ({ payload }: Notification) => this.options.onNotify(payload ?? ''));
    try {
      await client.connect();
      await client.query(`${KEEP_ALIVES}; listen ${client.escapeIdentifier(this.options.channel)}`);
    } catch (error) {
      this.drop(client);
      throw error;
    }
  }

  private async takeLock(): Promise<boolean> {
    const text = 'select pg_try_advisory_lock($1, $2) as held';
    const askedAt = performance.now();
    const answer = await this.client?.query<{ held: boolean }>(text, [PROCESS_LOCKS, this.number]);
    this.held = answer?.rows[0]?.held ?? false;
    // One that cannot be had is held by this process's former connection: the others see it as well.
    if (answer) this.seenAt(askedAt);
    return this.held;
  }

  /** The others saw this process at a moment of the monotonic clock: they will for some time, whatever happens. */
  private seenAt(moment: number): void {
    clearTimeout(this.expiry);
    if (this.closing.signal.aborted) return;
    this.expiry = setTimeout(() => void this.expire(), moment + SEEN_FOR_MS - performance.now()).unref();
  }

  private async expire(): Promise<void> {
    // A process that was stopped finds its timer due, though nothing may have been lost.
    if (this.held) await this.beat();
    if (this.held || this.isUnseen || this.closing.signal.aborted) return;
    this.isUnseen = true;
    this.options.log.warn(
      { session: this.processId },
      'session with the database did not come back in time: calls that hold a slot are stopped, since others may get it',
    );
    this.options.onUnseen();
  }

  /** Watches over the session until it is closed. */
  private async keep(): Promise<void> {
    const { signal } = this.closing;
    for (;;) {
      await this.pause(this.held ? BEAT_MS : AGAIN_MS);
      if (signal.aborted) return;
      if (this.held) await this.beat();
      // One that was lost just now is looked after at once.
      else await this.comeBack();
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** A peer that was cut off sends no end: it is asked. */
  private async beat(): Promise<void> {
    const { client } = this;
    const askedAt = performance.now();
    try {
      await client?.query('select 1');
      if (this.client === client) this.seenAt(askedAt);
    } catch {
      if (client) this.drop(client);
    }
  }

  /** Connects if need be, and takes the lock once the server has seen that its former holder is gone. */
  private async comeBack(): Promise<void> {
    try {
      if (!this.client) await this.connect();
      if (!(await this.takeLock())) return;
      this.isUnseen = false;
      this.options.log.info({ session: this.processId }, 'session with the database is back, its lock is held again');
      this.options.onBack();
    } catch {
      if (this.client) this.drop(this.client);
    }
  }

  private drop(client: Client): void {
    this.lose(client);
    void client.end().catch(() => undefined);
  }

  private lose(client: Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    if (!this.held) return;
    this.held = false;
    this.wake?.();
    if (this.closing.signal.aborted) return;
    this.options.log.warn(
      { session: this.processId },
      'session with the database is lost: the other processes give away what this one holds unless it is back within seconds',
    );
  }
}
