import { openEmbedded, openPostgres, type Database } from '../../src/adapters/store/database.js';
import { migrate } from '../../src/adapters/store/migrate.js';
import { freshDatabase } from '../support/postgres.js';

/** An empty database of a test file, and how to get rid of it. */
export interface Fresh {
  database: Database;
  drop(): Promise<void>;
}

async function freshEmbedded(): Promise<Fresh> {
  const database = await openEmbedded();
  return { database, drop: () => database.close() };
}

async function freshPostgres(): Promise<Fresh> {
  const { url, drop } = await freshDatabase();
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
export const EMPTY_DATABASES: [name: string, open: () => Promise<Fresh>][] = [
  ['PGlite', freshEmbedded],
  ['PostgreSQL', freshPostgres],
];

/** The same, with the schema in place. */
export const DATABASES = EMPTY_DATABASES.map(([name, open]): [string, () => Promise<Fresh>] => [
  name,
  async () => {
    const fresh = await open();
    await migrate(fresh.database.all);
    return fresh;
  },
]);
