import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { openEmbedded, openPostgres, type Database, type Db } from '../../src/adapters/store/database.js';
import type { Schema } from '../../src/adapters/store/schema.js';
import { freshDatabase } from '../support/postgres.js';

/** A database of a test file, and how to get rid of it. */
export interface Fresh {
  database: Database;
  drop(): Promise<void>;
}

/** What is done to an empty database, as its owner, before the product opens it. */
export type Before = (owner: Db) => Promise<void>;
type Open = (before?: Before) => Promise<Fresh>;

/** A handle of the server's administrator, who no policy binds. Whoever takes it ends it with `destroy`. */
export function administratorOf(url: string): Db {
  const pool = new Pool({ connectionString: url, max: 2 });
  // Tests kill servers and sessions; who uses a connection hears of it from the statement.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

async function freshEmbedded(before?: Before): Promise<Fresh> {
  const home = before && (await mkdtemp(join(tmpdir(), 'dagi-test-home-')));
  if (home !== undefined) {
    const pglite = await PGlite.create(join(home, 'database'));
    const owner = new Kysely<Schema>({ dialect: new PGliteDialect({ pglite }) });
    await before?.(owner);
    await owner.destroy();
  }
  const database = await openEmbedded(home);
  return {
    database,
    drop: async () => {
      await database.close();
      if (home !== undefined) await rm(home, { recursive: true });
    },
  };
}

async function freshPostgres(before?: Before): Promise<Fresh> {
  const { url, drop } = await freshDatabase();
  if (before) {
    const owner = administratorOf(url);
    await before(owner);
    await owner.destroy();
  }
  const database = openPostgres(url);
  return {
    database,
    drop: async () => {
      await database.close();
      await drop();
    },
  };
}

/** Both databases of the product, for `describe.each`: name, and how to open an empty one. */
export const EMPTY_DATABASES: [name: string, open: Open][] = [
  ['PGlite', freshEmbedded],
  ['PostgreSQL', freshPostgres],
];

/** The same, with the schema in place. */
export const DATABASES = EMPTY_DATABASES.map(([name, open]): [string, () => Promise<Fresh>] => [
  name,
  async () => {
    const fresh = await open();
    await fresh.database.migrate();
    return fresh;
  },
]);
