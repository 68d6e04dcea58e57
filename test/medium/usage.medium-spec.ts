import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Db } from '../../src/adapters/store/database.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import {
  UsageRepository,
  usageUpsert,
  type Spent,
  type UsageGroup,
} from '../../src/adapters/store/usage.repository.js';
import { createDao } from '../factories/access.js';
import { aRequest } from '../factories/requests.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const OTHER = 'other-dao';

const spent = (prompt: number, completion: number, cost?: number, provider = 'fake'): Spent => ({
  provider,
  usage: {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(cost === undefined ? {} : { cost_usd: cost }),
  },
});

describe.each(DATABASES)('usage on %s', (_name, open) => {
  let fresh: Fresh;
  let db: Db;
  let requests: RequestsRepository;
  let usage: UsageRepository;
  let today: string;

  beforeAll(async () => {
    fresh = await open();
    db = fresh.database.all;
    requests = new RequestsRepository(fresh.database);
    usage = new UsageRepository(fresh.database);
    for (const id of [DAO, OTHER]) await createDao(fresh.database, { id });
    const { rows } = await sql<{ day: string }>`
      select to_char(now() at time zone 'utc', 'YYYY-MM-DD') as day
    `.execute(db);
    today = rows[0]?.day ?? '';
  });
  afterAll(() => fresh.drop());

  /** The statement of an answer as the docstring of `usageUpsert` tells it. Gives how many requests it completed. */
  async function complete(id: string, what: Spent): Promise<number> {
    const { rows } = await sql`
      with request as (
        update requests set status = 'completed', ended_at = now() where id = ${id} and ended_at is null
        returning id, dao_id, key_id, run_id
      ), spent as (${usageUpsert(what)})
      update turns set answer = 'x' from request where turns.request_id = request.id returning turns.request_id
    `.execute(db);
    return rows.length;
  }

  async function answered(keyId: string, what: Spent, daoId = DAO): Promise<void> {
    const request = aRequest({ keyId, daoId });
    await requests.accept(request);
    expect(await complete(request.id, what)).toBe(1);
  }

  /** Usage of a day that is over. */
  async function past(day: string, row: { dao_id?: string; key_id: string; tokens: number }): Promise<void> {
    const { dao_id = DAO, key_id, tokens } = row;
    await db
      .insertInto('usage_daily')
      .values({ dao_id, day, provider: 'fake', key_id, requests: '1', prompt_tokens: String(tokens) })
      .execute();
  }

  const report = (by: UsageGroup, daoId: string | undefined = DAO, from = today, to = today) =>
    usage.report({ daoId, from, to, by });

  it('should be added up with each answer, and once', async () => {
    await answered('adds', spent(10, 5, 0.00000125));
    await answered('adds', spent(1, 2, 0.1));
    const third = aRequest({ keyId: 'adds' });
    await requests.accept(third);
    expect(await complete(third.id, spent(0, 0, 0.2))).toBe(1);
    expect(await complete(third.id, spent(999, 999, 999))).toBe(0);
    const row = (await report('key')).find(({ name }) => name === 'adds');
    expect(row).toEqual({ name: 'adds', requests: 3, promptTokens: 11, completionTokens: 7, costUsd: 0.30000125 });
  });

  it('should add up what gave no answer, without a request, unless that very run was recorded', async () => {
    const request = aRequest({ keyId: 'broke-off' });
    await requests.accept(request);
    const run = { provider: 'fake', attempts: [], historyBytes: 0 };
    for (let claim = 0; claim < 2; claim += 1) await requests.claim(request.id, DAO, run);
    const total = async () => (await report('key')).find(({ name }) => name === 'broke-off');
    await requests.recordSpent(request.id, DAO, 1, spent(10, 5, 0.1));
    const first = { name: 'broke-off', requests: 0, promptTokens: 10, completionTokens: 5, costUsd: 0.1 };
    expect(await total()).toEqual(first);
    await complete(request.id, spent(1, 1));
    await requests.recordSpent(request.id, DAO, 2, spent(900, 900));
    await requests.recordSpent(request.id, OTHER, 1, spent(900, 900));
    expect(await total()).toEqual({ ...first, requests: 1, promptTokens: 11, completionTokens: 6 });
    // Another run than the one that was recorded used what it used.
    await requests.recordSpent(request.id, DAO, 1, spent(2, 2));
    expect(await total()).toMatchObject({ requests: 1, promptTokens: 13, completionTokens: 8 });
    expect((await usage.monthTokens('broke-off', 'no-dao')).key).toBe(21);
  });

  it('should lose nothing of answers at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => answered('at-once', spent(3, 4, 0.00000001))));
    const row = (await report('key')).find(({ name }) => name === 'at-once');
    expect(row).toMatchObject({ requests: 20, promptTokens: 60, completionTokens: 80, costUsd: 0.0000002 });
  });

  it('should count what is free and what no model gave', async () => {
    await answered('free', spent(2, 3));
    await answered('free', spent(0, 0, undefined, 'cache'));
    const rows = await report('provider');
    expect(rows.map(({ name }) => name)).toEqual(['fake', 'cache']);
    expect(rows.at(-1)).toEqual({ name: 'cache', requests: 1, promptTokens: 0, completionTokens: 0, costUsd: 0 });
  });

  it('should keep DAOs apart', async () => {
    await answered('shared-key', spent(100, 0), OTHER);
    await answered('shared-key', spent(7, 0));
    const own = (await report('key')).find(({ name }) => name === 'shared-key');
    const theirs = await report('key', OTHER);
    expect(own?.promptTokens).toBe(7);
    expect(theirs.map(({ name, promptTokens }) => [name, promptTokens])).toEqual([['shared-key', 100]]);
    const all = await usage.report({ daoId: undefined, from: today, to: today, by: 'dao' });
    expect(all.map(({ name }) => name).toSorted()).toEqual([DAO, OTHER]);
  });

  it('should take days of the range alone, both ends included, in their order', async () => {
    for (const day of ['2020-02-28', '2020-02-29', '2020-03-01', '2020-03-02'])
      await past(day, { key_id: 'past', tokens: 1 });
    const rows = await report('day', DAO, '2020-02-29', '2020-03-01');
    expect(rows.map(({ name }) => name)).toEqual(['2020-02-29', '2020-03-01']);
    expect(await report('day', DAO, '2019-01-01', '2019-12-31')).toEqual([]);
  });

  it('should count tokens of the month for a key in all DAOs and a DAO with all keys', async () => {
    const before = await usage.monthTokens('monthly', OTHER);
    await answered('monthly', spent(10, 1));
    await answered('monthly', spent(20, 2), OTHER);
    await answered('of-others', spent(40, 4), OTHER);
    await past('2020-01-31', { key_id: 'monthly', dao_id: OTHER, tokens: 1_000_000 });
    expect(before.key).toBe(0);
    expect(await usage.monthTokens('monthly', OTHER)).toEqual({ key: 33, dao: before.dao + 66 });
    expect(await usage.monthTokens('nobody', 'no-dao')).toEqual({ key: 0, dao: 0 });
  });

  it('should begin the month on its first day', async () => {
    const first = `${today.slice(0, 8)}01`;
    const { rows } = await sql<{ day: string }>`
      select to_char(${first}::date - 1, 'YYYY-MM-DD') as day
    `.execute(db);
    await past(rows[0]?.day ?? '', { key_id: 'border', tokens: 500 });
    await past(first, { key_id: 'border', tokens: 7 });
    expect((await usage.monthTokens('border', 'no-dao')).key).toBe(7);
  });
});
