import { afterEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { openPostgres } from '../../src/adapters/store/database.js';
import { migrate } from '../../src/adapters/store/migrate.js';
import { freshDatabase } from '../support/postgres.js';
import { EMPTY_DATABASES, type Fresh } from './databases.js';

const ALL = ['0001-foundation', '0002-routing-under-load'];
const TABLES = [
  'answer_cache',
  'api_keys',
  'audit',
  'config_activations',
  'config_confirmations',
  'daos',
  'dialogs',
  'members',
  'platform_grants',
  'rate_limits',
  'refusals',
  'requests',
  'roles',
  'shared_states',
  'turns',
  'usage_daily',
];

describe.each(EMPTY_DATABASES)('migrations on %s', (_name, open) => {
  let fresh: Fresh;

  afterEach(() => fresh.drop());

  async function tables(): Promise<string[]> {
    const query = sql<{ name: string }>`
      select table_name as name from information_schema.tables
      where table_schema = 'public' and table_name not like 'kysely%' order by 1`;
    return (await query.execute(fresh.database.all)).rows.map(({ name }) => name);
  }

  it('should bring an empty database up to date, once', async () => {
    fresh = await open();
    expect(await migrate(fresh.database.all)).toEqual(ALL);
    expect(await tables()).toEqual(TABLES);
    expect(await migrate(fresh.database.all)).toEqual([]);
  });

  it('should stand being called several times at once', async () => {
    fresh = await open();
    const { db } = fresh.database;
    const applied = await Promise.all([migrate(db), migrate(db), migrate(db)]);
    expect(applied.flat()).toEqual(ALL);
    expect(await tables()).toEqual(TABLES);
  });

  it('should say so when the database is not its own to change', async () => {
    fresh = await open();
    await sql`create table daos (id int)`.execute(fresh.database.all);
    await expect(migrate(fresh.database.all)).rejects.toMatchObject({ code: 'SETUP_FAILED' });
    expect(await tables()).toEqual(['daos']);
  });
});

describe('migrations of two processes', () => {
  it('should be applied by one of them', async () => {
    const { url, drop } = await freshDatabase();
    const processes = [openPostgres(url), openPostgres(url)];
    try {
      const applied = await Promise.all(processes.map(({ db }) => migrate(db)));
      expect(applied.flat()).toEqual(ALL);
    } finally {
      await Promise.all(processes.map((database) => database.close()));
      await drop();
    }
  });
});
