import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { openPostgres, type Database, type Db } from '../../src/adapters/store/database.js';
import type { Schema } from '../../src/adapters/store/schema.js';
import { openCopy } from '../support/embedded-database.js';
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
  const database = await openCopy('empty', before && ((home) => asOwner(join(home, 'database'), before)));
  return { database, drop: () => database.close() };
}

async function asOwner(folder: string, before: Before): Promise<void> {
  const owner = new Kysely<Schema>({ dialect: new PGliteDialect({ pglite: await PGlite.create(folder) }) });
  await before(owner);
  await owner.destroy();
}

async function migratedEmbedded(): Promise<Fresh> {
  const database = await openCopy('migrated');
  return { database, drop: () => database.close() };
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

async function migratedPostgres(): Promise<Fresh> {
  const fresh = await freshPostgres();
  await fresh.database.migrate();
  return fresh;
}

/** Both databases of the product, for `describe.each`: name, and how to open an empty one. */
export const EMPTY_DATABASES: [name: string, open: Open][] = [
  ['PGlite', freshEmbedded],
  ['PostgreSQL', freshPostgres],
];

/** The same, with the schema in place. */
export const DATABASES: [name: string, open: () => Promise<Fresh>][] = [
  ['PGlite', migratedEmbedded],
  ['PostgreSQL', migratedPostgres],
];
