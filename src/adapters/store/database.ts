import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect, sql, type PostgresPool, type PostgresPoolClient } from 'kysely';
import { Pool } from 'pg';
import { HomeLock } from './lock.js';
import type { Schema } from './schema.js';
import { guardStore, isStoreAway } from './errors.js';

export type Db = Kysely<Schema>;

/** Most time that PostgreSQL gets to accept a connection, or a caller waits for one of the pool, in milliseconds. */
const CONNECT_MS = 1_500;
/**
 * Most time that a statement gets, in milliseconds. Ours take a few; a peer that was cut off or frozen sends neither an
 * answer nor an end, and without a limit whoever asks it waits for good.
 */
const STATEMENT_MS = 5_000;
/** After this much silence the kernel asks whether the peer of an idle connection is still there, in milliseconds. */
const KEEP_ALIVE_MS = 10_000;

/** An open database with what its owner must know of it. */
export interface Database {
  db: Db;
  kind: 'embedded' | 'postgres';
  /** Resolves once the database answers; throws `STORE_UNAVAILABLE` after the time limits of this file at the latest. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the embedded database in a folder; without one, in memory, for tests.
 * @throws AppError `HOME_LOCKED`
 */
export async function openEmbedded(home?: string): Promise<Database> {
  const lock = home === undefined ? undefined : lockHome(home);
  try {
    const pglite = await PGlite.create(home === undefined ? 'memory://' : join(home, 'database'));
    return fromDialect('embedded', new PGliteDialect({ pglite }), () => {
      lock?.release();
    });
  } catch (error) {
    lock?.release();
    throw error;
  }
}

function lockHome(home: string): HomeLock {
  // PGlite's files may be read and written by everybody: the folder around them may not, whatever the home is like.
  mkdirSync(join(home, 'database'), { recursive: true, mode: 0o700 });
  return HomeLock.acquire(home);
}

/** Opens a PostgreSQL database. It connects lazily, and again after the server was away. */
export function openPostgres(url: string, poolSize = 10): Database {
  const pool = new Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    application_name: 'dagi',
  });
  // A connection that breaks is replaced on the next query; without a listener it would end the process. The pool
  // listens to idle ones only, and whoever uses one hears of it from the query.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return fromDialect('postgres', new PostgresDialect({ pool: withoutLostConnections(pool) }), () => undefined);
}

/**
 * The pool, but a connection that failed leaves it at once: after a time limit the server still owes it an answer, and
 * the next statement, a rollback too, would wait behind that.
 */
function withoutLostConnections(pool: Pool): PostgresPool {
  const connect = async (): Promise<PostgresPoolClient> => {
    const client = await pool.connect();
    let held = true;
    const release = (destroy?: boolean): void => {
      if (held) client.release(destroy);
      held = false;
    };
    const query = (text: string, values: unknown[]): Promise<unknown> =>
      client.query(text, values).catch((error: unknown) => {
        if (isStoreAway(error)) release(true);
        throw error;
      });
    return { query: query as PostgresPoolClient['query'], release };
  };
  return { connect, end: () => pool.end(), options: pool.options };
}

function fromDialect(
  kind: Database['kind'],
  dialect: PGliteDialect | PostgresDialect,
  afterClose: () => void,
): Database {
  const db = new Kysely<Schema>({ dialect });
  return {
    db,
    kind,
    ping: async () => {
      await guardStore(() => sql`select 1`.execute(db));
    },
    close: async () => {
      await db.destroy();
      afterClose();
    },
  };
}
