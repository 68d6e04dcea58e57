import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect, sql } from 'kysely';
import { Pool } from 'pg';
import { HomeLock } from './lock.js';
import type { Schema } from './schema.js';
import { guardStore } from './errors.js';

export type Db = Kysely<Schema>;

/** An open database with what its owner must know of it. */
export interface Database {
  db: Db;
  kind: 'embedded' | 'postgres';
  /** Answers within a second, or throws `STORE_UNAVAILABLE`. */
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
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return HomeLock.acquire(home);
}

/** Opens a PostgreSQL database. It connects lazily, and again after the server was away. */
export function openPostgres(url: string, poolSize = 10): Database {
  const pool = new Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: 1_500,
    application_name: 'dagi',
  });
  // A connection that breaks is replaced on the next query; without a listener it would end the process. The pool
  // listens to idle ones only, and whoever uses one hears of it from the query.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return fromDialect('postgres', new PostgresDialect({ pool }), () => undefined);
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
