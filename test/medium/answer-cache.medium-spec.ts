import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import {
  AnswerCacheRepository,
  type CacheSlot,
  type KeptAnswer,
} from '../../src/adapters/store/answer-cache.repository.js';
import type { Db } from '../../src/adapters/store/database.js';
import { createDao } from '../factories/access.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';

const slot = (key: string, changes: Partial<CacheSlot> = {}): CacheSlot => ({
  daoId: DAO,
  rule: 'facts',
  key,
  ...changes,
});
const kept = (text: string): KeptAnswer => ({ provider: 'fake', text, finishReason: 'stop' });

describe.each(DATABASES)('kept answers on %s', (_name, open) => {
  let fresh: Fresh;
  let db: Db;
  let cache: AnswerCacheRepository;

  beforeAll(async () => {
    fresh = await open();
    db = fresh.database.all;
    cache = new AnswerCacheRepository(fresh.database);
    for (const id of [DAO, 'other-dao']) await createDao(fresh.database, { id });
  });
  afterAll(() => fresh.drop());

  const age = (key: string, seconds: number) =>
    sql`update answer_cache set created_at = created_at - make_interval(secs => ${seconds}) where key = ${key}`.execute(
      db,
    );
  const keysOf = async ({ daoId, rule }: Omit<CacheSlot, 'key'>): Promise<string[]> => {
    const rows = await db
      .selectFrom('answer_cache')
      .where('dao_id', '=', daoId)
      .where('rule', '=', rule)
      .orderBy('key')
      .select('key')
      .execute();
    return rows.map(({ key }) => key);
  };

  it('should come back as they were kept, with their age', async () => {
    await cache.put(slot('k1'), kept('Сім днів. 🌻'), 10);
    expect(await cache.get(slot('k1'), 60_000)).toEqual({ ...kept('Сім днів. 🌻'), ageMs: expect.any(Number) });
    await age('k1', 45);
    const found = await cache.get(slot('k1'), 60_000);
    expect(found?.ageMs).toBeGreaterThanOrEqual(45_000);
    expect(found?.ageMs).toBeLessThan(60_000);
  });

  it('should be too old for those who want fresh ones, and be there for those who take any', async () => {
    await cache.put(slot('old'), kept('x'), 10);
    await age('old', 3_600);
    expect(await cache.get(slot('old'), 3_599_000)).toBeUndefined();
    expect((await cache.get(slot('old'), undefined))?.ageMs).toBeGreaterThanOrEqual(3_600_000);
  });

  it('should be young again when they are kept again', async () => {
    await cache.put(slot('again'), kept('first'), 10);
    await age('again', 100);
    await cache.put(slot('again'), kept('second'), 10);
    const found = await cache.get(slot('again'), 50_000);
    expect(found?.text).toBe('second');
  });

  it('should never be found under another DAO, rule or key', async () => {
    await cache.put(slot('own'), kept('secret of greenfood'), 10);
    expect(await cache.get(slot('own', { daoId: 'other-dao' }), undefined)).toBeUndefined();
    expect(await cache.get(slot('own', { rule: 'chat' }), undefined)).toBeUndefined();
    expect(await cache.get(slot('OWN'), undefined)).toBeUndefined();
  });

  it('should be bounded for each DAO and rule, the oldest going first', async () => {
    const bounded = { daoId: DAO, rule: 'bounded' };
    await cache.put(slot('a0', { daoId: 'other-dao', rule: 'bounded' }), kept('theirs'), 3);
    for (const key of ['a1', 'a2', 'a3', 'a4', 'a5']) {
      await cache.put(slot(key, bounded), kept(key), 3);
      // Each a second older than the next.
      await sql`update answer_cache set created_at = created_at - interval '1 second' where rule = 'bounded'`.execute(
        db,
      );
    }
    expect(await keysOf(bounded)).toEqual(['a3', 'a4', 'a5']);
    await cache.put(slot('a3', bounded), kept('again'), 3);
    await cache.put(slot('a6', bounded), kept('a6'), 3);
    expect(await keysOf(bounded)).toEqual(['a3', 'a5', 'a6']);
    expect(await keysOf({ daoId: 'other-dao', rule: 'bounded' })).toEqual(['a0']);
    await cache.put(slot('a7', bounded), kept('a7'), 1);
    expect(await keysOf(bounded)).toEqual(['a7']);
  });

  it('should bear many at once without waiting for each other', async () => {
    const crowd = { daoId: DAO, rule: 'crowd' };
    const keys = Array.from({ length: 40 }, (_, at) => `c${at % 8}`);
    await Promise.all(keys.map((key) => cache.put(slot(key, crowd), kept(key), 3)));
    await cache.put(slot('last', crowd), kept('last'), 3);
    const left = await keysOf(crowd);
    expect(left).toHaveLength(3);
    expect(left).toContain('last');
  });
});
