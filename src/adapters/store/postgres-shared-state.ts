import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { SharedMoment, SharedState } from '../../contracts/shared-state.js';
import { AppError } from '../../errors/app-error.js';
import type { VitalTables } from './tenants.js';
import { guardStore } from './errors.js';
import { PROCESS_LOCKS, ProcessSession } from './process-session.js';
import { Listeners } from './shared-state.js';

const CHANNEL = 'dagi_shared_states';
/** Most time that a change gets while others are quicker again and again, in milliseconds. */
const GIVE_UP_MS = 3_000;
/** Longest pause before the next try, in milliseconds; the pause is random. */
const MAX_PAUSE_MS = 40;
/** How often versions are compared, should a message have been lost, in milliseconds. */
const POLL_MS = 1_000;

type Change = (state: unknown, moment: SharedMoment) => { state: unknown; result: unknown; quiet?: boolean };

interface Asked {
  change: Change;
  resolve: (result: unknown) => void;
  reject: (reason: unknown) => void;
}

/** A value as it was read: no version if there is none yet. */
interface Seen {
  state: unknown;
  version: string | null;
  moment: SharedMoment;
}

/**
 * Shared values as versioned rows of PostgreSQL, changed by compare-and-swap: read in one statement, with the
 * database's clock and who lives, and written in one, which also wakes the others. Nothing is locked in between, so a
 * process that freezes holds nobody up. Changes that this process asks for at the same time are read and written
 * together. A change that hands back the very value it was given writes nothing; a quiet one sends no message, and those
 * who listen find it when versions are compared.
 *
 * A process whose session is lost for too long can change nothing until it is back: it does not count as living, so
 * whatever it took would be taken from it again while it uses it.
 */
export class PostgresSharedState implements SharedState {
  private readonly asked = new Map<string, Asked[]>();
  private readonly versions = new Map<string, string>();
  private readonly listeners: Listeners;
  private readonly unseen: (() => void)[];
  private readonly poll: NodeJS.Timeout;

  private constructor(
    private readonly db: Kysely<VitalTables>,
    private readonly session: ProcessSession,
    listeners: Listeners,
    unseen: (() => void)[],
  ) {
    this.listeners = listeners;
    this.unseen = unseen;
    this.poll = setInterval(() => void this.compareVersions(), POLL_MS).unref();
  }

  /**
   * @param db the pool that changes go through
   * @param url of the same database, for the session of this process
   * @throws AppError `STORE_UNAVAILABLE`
   */
  static async open(db: Kysely<VitalTables>, url: string, log: Logger): Promise<PostgresSharedState> {
    const listeners = new Listeners();
    const unseen: (() => void)[] = [];
    const session = await ProcessSession.open({
      ...{ url, channel: CHANNEL, log },
      onNotify: (name) => listeners.tell(name),
      onBack: () => {
        for (const name of listeners.names()) listeners.tell(name);
      },
      onUnseen: () => {
        for (const listener of unseen) listener();
      },
    });
    return new PostgresSharedState(db, session, listeners, unseen);
  }

  get processId(): string {
    return this.session.processId;
  }

  change<S, R>(
    name: string,
    change: (state: S | undefined, moment: SharedMoment) => { state: S; result: R; quiet?: boolean },
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      const entry: Asked = { change: change as Change, resolve: resolve as Asked['resolve'], reject };
      const others = this.asked.get(name);
      if (others) {
        others.push(entry);
        return;
      }
      this.asked.set(name, [entry]);
      void this.work(name);
    });
  }

  async read(prefix: string): Promise<Map<string, unknown>> {
    const rows = await guardStore(() =>
      this.db
        .selectFrom('shared_states')
        .select(['name', 'state'])
        .where(sql<boolean>`starts_with(name, ${prefix})`)
        .execute(),
    );
    return new Map(rows.map(({ name, state }) => [name, state]));
  }

  onChange(name: string, listener: () => void): () => void {
    return this.listeners.add(name, listener);
  }

  onUnseen(listener: () => void): void {
    this.unseen.push(listener);
  }

  async close(): Promise<void> {
    clearInterval(this.poll);
    this.listeners.clear();
    await this.session.close();
  }

  /** Does what was asked for a value, all that has come in meanwhile at once, until nobody asks any more. */
  private async work(name: string): Promise<void> {
    for (;;) {
      const batch = this.asked.get(name)?.splice(0) ?? [];
      if (batch.length === 0) {
        this.asked.delete(name);
        return;
      }
      try {
        await this.apply(name, batch);
      } catch (error) {
        // Whoever has come meanwhile would find the database as these did, after as long a wait.
        for (const { reject } of [...batch, ...(this.asked.get(name)?.splice(0) ?? [])]) reject(error);
      }
    }
  }

  private async apply(name: string, batch: readonly Asked[]): Promise<void> {
    const giveUpAt = performance.now() + GIVE_UP_MS;
    for (let pause = 2; ; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      this.assertLiving();
      const seen = await guardStore(() => this.see(name));
      const { state, quiet, tellAll } = compute(seen, batch);
      if (state === seen.state || (await guardStore(() => this.swap(name, seen, state, quiet)))) {
        // What was granted meanwhile must not be used either.
        this.assertLiving();
        tellAll();
        return;
      }
      if (performance.now() > giveUpAt) {
        throw new AppError('STORE_UNAVAILABLE', 'Too many processes change the same value; try again shortly.');
      }
      await sleep(Math.random() * pause);
    }
  }

  /** @throws AppError `STORE_UNAVAILABLE` */
  private assertLiving(): void {
    if (!this.session.unseen) return;
    throw new AppError(
      'STORE_UNAVAILABLE',
      'This process has lost its session with the database and cannot share anything until it is back; try again shortly.',
    );
  }

  private async see(name: string): Promise<Seen> {
    const { rows } = await sql<{ state: unknown; version: string | null; now: number; alive: string[] }>`
      select one.state, one.version, extract(epoch from clock_timestamp())::float8 * 1000 as now, array(
        select objid::text from pg_locks
        where locktype = 'advisory' and classid = ${PROCESS_LOCKS}::oid and objsubid = 2 and granted
          and database = (select oid from pg_database where datname = current_database())
      ) as alive
      from (select 1) as always left join shared_states as one on one.name = ${name}
    `.execute(this.db);
    const row = rows[0];
    if (!row) throw new Error('A statement that always gives a row gave none');
    const moment = { now: Math.round(row.now), alive: new Set([...row.alive, this.processId]) };
    return { state: row.version === null ? undefined : row.state, version: row.version, moment };
  }

  /** Writes a value if nobody was quicker, and wakes those who listen unless it is quiet. */
  private async swap(name: string, { version }: Seen, state: unknown, quiet: boolean): Promise<boolean> {
    const json = JSON.stringify(state);
    const write =
      version === null
        ? sql`insert into shared_states (name, state) values (${name}, ${json}::jsonb)
              on conflict (name) do nothing returning name`
        : sql`update shared_states set state = ${json}::jsonb, version = version + 1, changed_at = clock_timestamp()
              where name = ${name} and version = ${version} returning name`;
    const wake = quiet ? sql`name` : sql`pg_notify(${CHANNEL}, name)`;
    const { rows } = await sql`with written as (${write}) select ${wake} from written`.execute(this.db);
    return rows.length > 0;
  }

  /** Tells whoever listens to a value whose version is another one than a second ago. */
  private async compareVersions(): Promise<void> {
    const names = this.listeners.names();
    if (names.length === 0) return;
    const query = this.db.selectFrom('shared_states').select(['name', 'version']).where('name', 'in', names);
    const rows = await query.execute().catch(() => []);
    for (const { name, version } of rows) {
      const before = this.versions.get(name);
      this.versions.set(name, version);
      if (before !== version) this.listeners.tell(name);
    }
  }
}

/** One change after the other; one that throws spoils no other. What came of each is told only once it is written. */
function compute(
  { state: before, moment }: Seen,
  batch: readonly Asked[],
): { state: unknown; quiet: boolean; tellAll: () => void } {
  let state = before;
  let quiet = true;
  const tells = batch.map(({ change, resolve, reject }) => {
    try {
      const step = change(state, moment);
      if (step.state !== state && step.quiet !== true) quiet = false;
      state = step.state;
      return () => resolve(step.result);
    } catch (error) {
      return () => reject(error);
    }
  });
  return { state, quiet, tellAll: () => tells.forEach((tell) => tell()) };
}
