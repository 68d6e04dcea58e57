import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { openPostgres, type Database, type Db } from '../../src/adapters/store/database.js';
import { KeysRepository } from '../../src/adapters/store/keys.repository.js';
import { aKey, createDao } from '../factories/access.js';
import { freshDatabase } from '../support/postgres.js';
import { until } from '../support/until.js';
import { administratorOf } from './databases.js';

const AWAY = { name: 'AppError', code: 'STORE_UNAVAILABLE', retryAfterSeconds: 2 };

describe('a PostgreSQL that is kept busy', () => {
  let database: Database;
  let administrator: Db;
  let audit: AuditRepository;
  let drop: () => Promise<void>;

  beforeAll(async () => {
    const fresh = await freshDatabase();
    ({ drop } = fresh);
    database = openPostgres(fresh.url);
    administrator = administratorOf(fresh.url);
    await database.migrate();
    audit = new AuditRepository(database);
    for (const id of ['held', 'free']) await createDao(database, { id });
  });

  afterAll(async () => {
    await database.close();
    await administrator.destroy();
    await drop();
  });

  const append = (daoId: string): Promise<string> =>
    audit.append(daoId, { actor: 'tg:1', action: 'role.edit', subject: 'role' });

  /** Sessions of the product that wait for a lock, or sleep. */
  async function sessions(which: 'Lock' | 'Timeout'): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and application_name = 'dagi' and wait_event_type = ${which}
    `.execute(administrator);
    return rows[0]?.count ?? 0;
  }

  it('should give up what waits for a chain that somebody holds, here and in the server, and serve the other DAOs', async () => {
    await append('held');
    const waiting = await administrator.transaction().execute(async (holder) => {
      await sql`select from audit_chains where chain = 'held' for update`.execute(holder);
      const settled = Promise.allSettled(Array.from({ length: 12 }, () => append('held')));
      let goesOn = true;
      void settled.then(() => (goesOn = false));
      await until(async () => (await sessions('Lock')) > 0);
      const waiters: number[] = [];
      while (goesOn) {
        await append('free');
        waiters.push(await sessions('Lock'));
      }
      // Many went through in another DAO, while two at a time waited for this one.
      expect(waiters.length).toBeGreaterThan(10);
      expect(Math.max(...waiters)).toBeLessThanOrEqual(2);
      return settled;
    });
    for (const outcome of waiting) expect(outcome).toMatchObject({ status: 'rejected', reason: AWAY });
    // The last ones gave up here, before they took a connection.
    expect(waiting.at(-1)).toMatchObject({
      reason: { message: expect.stringMatching(/^Too many changes/) as unknown },
    });
    expect(await sessions('Lock')).toBe(0);
    await append('held');
  });

  it('should know who callers are while all connections of reports are taken', async () => {
    const keys = new KeysRepository(database);
    const access = new AccessRepository(database);
    const key = aKey({ dao_id: 'free' });
    await keys.put(key);
    await access.grantPlatform('api:admin');
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let taken = 0;
    const reports = Array.from({ length: 5 }, () =>
      database.all.transaction().execute(async (db) => {
        await sql`select 1`.execute(db);
        taken += 1;
        await held;
      }),
    );
    await until(() => taken === reports.length);
    const calls = Array.from({ length: 40 }, async () => {
      expect(await keys.findActive(key.hash)).toMatchObject({ id: key.id });
      expect(await access.hasPlatformGrant('api:admin')).toBe(true);
      await keys.touch(key.id);
      await database.ping();
    });
    await Promise.all(calls);
    // Nobody else gets through meanwhile.
    await expect(sql`select 1`.execute(database.all)).rejects.toThrow(/timeout exceeded when trying to connect/);
    release();
    await Promise.all(reports);
  });

  it('should end a statement that takes too long itself, and a transaction in which nobody asks', async () => {
    const settings = sql<{ name: string; setting: string }>`
      select name, setting from pg_settings
      where name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout') order by name`;
    for (const db of [database.of('free'), database.all, database.vital]) {
      const { rows } = await settings.execute(db);
      expect(rows.map(({ setting }) => Number(setting))).toEqual([10_000, 2_000, 4_500]);
    }
    const error = await sql`select pg_sleep(60)`.execute(database.of('free')).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: '57014' });
    expect(await sessions('Timeout')).toBe(0);
  });
});
