import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite, types } from '@electric-sql/pglite';
import {
  Kysely,
  PGliteDialect,
  PostgresDialect,
  sql,
  type Dialect,
  type PostgresPool,
  type PostgresPoolClient,
} from 'kysely';
import { LRUCache } from 'lru-cache';
import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { guardStore, isStoreAway } from './errors.js';
import { HomeLock } from './lock.js';
import { prepare } from './migrate.js';
import type { Schema } from './schema.js';
import { ScopedSession } from './scoped-session.js';
import {
  DAO_HANDLES,
  PLATFORM_ROLE,
  SESSION_LIMITS,
  sessionOf,
  TENANT_ROLE,
  type VitalTables,
  type Db,
  type Scope,
  type SessionLimits,
  type Tenants,
} from './tenants.js';

export type { Db, Tenants } from './tenants.js';

/** Most time that PostgreSQL gets to accept a connection, or a caller waits for one of the pool, in milliseconds. */
const CONNECT_MS = 1_500;
/**
 * Most time that a statement gets, in milliseconds: more than the server gives it. A peer that was cut off or frozen
 * sends neither an answer nor an end, and without a limit whoever asks it waits for good.
 */
const STATEMENT_MS = 5_000;
/** Of migrations, which may have much to move: a client that gave up would leave its lock with the server. */
const NO_LIMITS: SessionLimits = { lock: 0, statement: 0, idle: 0 };
/** After this much silence the kernel asks whether the peer of an idle connection is still there, in milliseconds. */
const KEEP_ALIVE_MS = 10_000;

/** An open database with what its owner must know of it. */
export interface Database extends Tenants {
  kind: 'embedded' | 'postgres';
  /**
   * Brings the schema up to date, as its owner.
   * @returns names of the migrations that were applied now
   * @throws AppError `STORE_UNAVAILABLE`, `SETUP_FAILED`
   */
  migrate(): Promise<string[]>;
  /** Resolves once the database answers; throws `STORE_UNAVAILABLE` after the time limits of this file at the latest. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Large integers are read as text, as the client of PostgreSQL does. */
const PARSERS = { [types.INT8]: (value: string): string => value };

/**
 * Opens the embedded database in a folder; without one, in memory, for tests.
 * @throws AppError `HOME_LOCKED`
 */
export async function openEmbedded(home?: string): Promise<Database> {
  const lock = home === undefined ? undefined : lockHome(home);
  try {
    const pglite = await PGlite.create(home === undefined ? 'memory://' : join(home, 'database'), { parsers: PARSERS });
    const session = new ScopedSession(new PGliteDialect({ pglite }));
    await session.open();
    return databaseOf(
      'embedded',
      (scope) => session.in(scope),
      { vital: session.in(null, { isVital: true }), scopeless: session.inAny() },
      {
        migrate: () => prepare(new Kysely({ dialect: session.asOwner() })),
        close: async () => {
          await session.close();
          lock?.release();
        },
      },
    );
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

export interface PostgresOptions {
  /** Of the owner of the tables, where that is another login. */
  migrationUrl?: string | undefined;
  poolSize?: number;
}

/** Connections for what spans DAOs: sweeps, reports, the state that processes share. */
const PLATFORM_POOL = 5;
/** Connections for what every call waits for: one row each, found by its key. */
const VITAL_POOL = 4;

/** Opens a PostgreSQL database. It connects lazily, and again after the server was away. */
export function openPostgres(url: string, { migrationUrl = url, poolSize = 10 }: PostgresOptions = {}): Database {
  const tenants = productPool(url, poolSize, TENANT_ROLE);
  const platform = productPool(url, PLATFORM_POOL, PLATFORM_ROLE);
  const vital = productPool(url, VITAL_POOL, PLATFORM_ROLE);
  const scopes = new WeakMap<PoolClient, string>();
  const dialectOf = (scope: Scope): PostgresDialect =>
    new PostgresDialect({
      pool: scope === null ? handedOut(platform) : handedOut(tenants, (client) => enter(client, scope, scopes)),
    });
  const forVital = new PostgresDialect({ pool: handedOut(vital) });
  return databaseOf(
    'postgres',
    dialectOf,
    { vital: forVital, scopeless: forVital },
    {
      migrate: () => prepareAsOwner(url, migrationUrl),
      close: async () => {
        await Promise.all([tenants.end(), platform.end(), vital.end()]);
      },
    },
  );
}

/** Migrates over a connection of the owner's, and lets the product's login take the roles that statements run under. */
async function prepareAsOwner(url: string, migrationUrl: string): Promise<string[]> {
  const pool = poolOf(migrationUrl, { max: 1, first: sessionOf(NO_LIMITS) });
  const owner = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: handedOut(pool) }) });
  try {
    return await prepare(owner, () => loginOf(url));
  } finally {
    await owner.destroy();
  }
}

/** The name under which an address logs in, as the server says. */
async function loginOf(url: string): Promise<string> {
  const pool = poolOf(url, { max: 1, first: sessionOf(SESSION_LIMITS), query_timeout: STATEMENT_MS });
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: handedOut(pool) }) });
  try {
    const { rows } = await guardStore(() => sql<{ login: string }>`select session_user as login`.execute(db));
    return rows[0]?.login ?? '';
  } finally {
    await db.destroy();
  }
}

/** Whether a server answers and lets us in, ready for us or not. @throws AppError `STORE_UNAVAILABLE` and others */
export async function probePostgres(url: string): Promise<void> {
  await loginOf(url);
}

const productPool = (url: string, max: number, role: string): Pool =>
  poolOf(url, { max, first: sessionOf(SESSION_LIMITS, role), query_timeout: STATEMENT_MS });

/** @param first statement of each connection */
function poolOf(url: string, { first, ...options }: PoolConfig & { first: string }): Pool {
  const pool = new Pool({
    ...options,
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    application_name: 'dagi',
    // The pool waits for it. A connection that cannot take its role is of no use: whoever wanted it hears why.
    onConnect: (client): unknown => client.query(first),
  });
  // A connection that breaks is replaced on the next query; without a listener it would end the process. The pool
  // listens to idle ones only, and whoever uses one hears of it from the query.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/**
 * Sets whose data a connection reaches, unless it does already. Never within a transaction, where a rollback would take
 * it back: Kysely begins one after it got the connection.
 */
async function enter(client: PoolClient, scope: string, scopes: WeakMap<PoolClient, string>): Promise<void> {
  if (scopes.get(client) === scope) return;
  scopes.delete(client);
  await client.query(`select set_config('dagi.dao', $1, false)`, [scope]);
  scopes.set(client, scope);
}

/**
 * The pool, but a connection that failed leaves it at once: after a time limit the server still owes it an answer, and
 * the next statement, a rollback too, would wait behind that.
 */
function handedOut(pool: Pool, ready?: (client: PoolClient) => Promise<void>): PostgresPool {
  const connect = async (): Promise<PostgresPoolClient> => {
    const client = await pool.connect();
    let held = true;
    const release = (destroy?: boolean): void => {
      if (held) client.release(destroy);
      held = false;
    };
    try {
      await ready?.(client);
    } catch (error) {
      release(true);
      throw error;
    }
    const query = (text: string, values: unknown[]): Promise<unknown> =>
      client.query(text, values).catch((error: unknown) => {
        if (isStoreAway(error)) release(true);
        throw error;
      });
    return { query: query as PostgresPoolClient['query'], release };
  };
  return { connect, end: () => pool.end(), options: pool.options };
}

function databaseOf(
  kind: Database['kind'],
  dialectOf: (scope: Scope) => Dialect,
  others: Record<'vital' | 'scopeless', Dialect>,
  owner: Pick<Database, 'migrate' | 'close'>,
): Database {
  const all = new Kysely<Schema>({ dialect: dialectOf(null) });
  const vital = new Kysely<VitalTables>({ dialect: others.vital });
  const scopeless = new Kysely<unknown>({ dialect: others.scopeless });
  const handles = new LRUCache<string, Db>({ max: DAO_HANDLES });
  return {
    kind,
    all,
    vital,
    scopeless,
    of: (daoId) => {
      const known = handles.get(daoId);
      if (known) return known;
      const db = new Kysely<Schema>({ dialect: dialectOf(daoId) });
      handles.set(daoId, db);
      return db;
    },
    ping: async () => {
      await guardStore(() => sql`select 1`.execute(vital));
    },
    ...owner,
  };
}
