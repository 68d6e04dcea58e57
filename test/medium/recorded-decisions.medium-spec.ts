import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Db } from '../../src/adapters/store/database.js';
import { KEPT_REFUSALS, RefusalsRepository, type NewRefusal } from '../../src/adapters/store/refusals.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import type { DecisionInputs } from '../../src/contracts/request.js';
import type { RecordedDecision } from '../../src/contracts/whatif.js';
import { promptInputs } from '../../src/domain/decide.js';
import { createDao } from '../factories/access.js';
import { aDecision, aRequest, someAccess } from '../factories/requests.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const MINUTE = 60_000;
const now = Date.now();
const minutesAgo = (minutes: number): Date => new Date(now - minutes * MINUTE);
const EVER = new Date(0);

type Page = (after: RecordedDecision | undefined, limit: number) => Promise<RecordedDecision[]>;

/** Everything, page by page. */
async function all(page: Page, limit: number): Promise<RecordedDecision[]> {
  const found: RecordedDecision[] = [];
  for (let last: RecordedDecision | undefined; ;) {
    const some = await page(last, limit);
    found.push(...some);
    if (some.length < limit) return found;
    last = some.at(-1);
  }
}

describe.each(DATABASES)('recorded decisions on %s', (_name, open) => {
  let fresh: Fresh;
  let db: Db;
  let requests: RequestsRepository;
  let refusals: RefusalsRepository;

  beforeAll(async () => {
    fresh = await open();
    db = fresh.database.all;
    requests = new RequestsRepository(fresh.database);
    refusals = new RefusalsRepository(fresh.database);
    for (const id of [DAO, 'other-dao', 'many', 'flood', 'quiet']) await createDao(fresh.database, { id });
  });
  afterAll(() => fresh.drop());

  describe('of accepted requests', () => {
    it('should come with exactly what they were decided on', async () => {
      const prompt = `🌱${'я'.repeat(16_381)}🌻🌻 and more`;
      const access = someAccess({ roles: [{ name: 'guest', entitlements: ['chat.read'] }], platformAdmin: true });
      const metadata = { plan: { steps: [1.5, 'два', null, true] }, task_type: 'review' };
      const request = aRequest({ prompt, access, metadata, agent: 'guide', source: 'bot', receivedAt: minutesAgo(1) });
      await requests.accept(request);
      expect(await requests.decided(minutesAgo(2), undefined, 1)).toEqual([
        {
          id: request.id,
          daoId: DAO,
          at: request.receivedAt,
          inputs: { mode: 'chat', agent: 'guide', source: 'bot', metadata, ...promptInputs(prompt), access },
          was: { allowed: true, decision: request.decision },
        },
      ]);
      // A pair of surrogates is cut there: the case for which the head is made well-formed.
      expect(promptInputs(prompt).promptHead?.endsWith('\uFFFD')).toBe(true);
    });

    it('should leave out what was recorded before inputs were', async () => {
      const request = aRequest({ receivedAt: minutesAgo(0.5) });
      await requests.accept(request);
      await db.updateTable('requests').set({ access: null }).where('id', '=', request.id).execute();
      const found = await requests.decided(minutesAgo(0.6), undefined, 10);
      expect(found.map(({ id }) => id)).not.toContain(request.id);
    });

    it('should tell an erased prompt as such', async () => {
      const request = aRequest({ receivedAt: minutesAgo(0.1) });
      await requests.accept(request);
      await db.deleteFrom('turns').where('request_id', '=', request.id).execute();
      const [found] = await requests.decided(minutesAgo(0.2), undefined, 1);
      expect(found?.inputs).toMatchObject({ promptHead: undefined, promptLength: 0 });
    });

    it('should come newest first, each once, however they are paged, those of one moment too', async () => {
      const decision = aDecision({ rule: 'paged' });
      const made = Array.from({ length: 23 }, (_, at) =>
        aRequest({ decision, daoId: 'many', receivedAt: minutesAgo(100 + Math.floor(at / 5)) }),
      );
      for (const request of made) await requests.accept(request);
      const expected = made
        .toSorted((a, b) => b.receivedAt.getTime() - a.receivedAt.getTime() || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id);
      for (const limit of [1, 4, 5, 23, 100]) {
        const found = await all((after, most) => requests.decided(minutesAgo(200), after, most), limit);
        expect(found.filter(({ daoId }) => daoId === 'many').map(({ id }) => id)).toEqual(expected);
      }
      const recent = await all((after, most) => requests.decided(minutesAgo(102), after, most), 7);
      expect(recent.filter(({ daoId }) => daoId === 'many')).toHaveLength(15);
    });

    it('should be read by the ten thousand in about two seconds', async () => {
      const template = aRequest({ receivedAt: minutesAgo(1_000), prompt: 'Скільки триває голосування? '.repeat(10) });
      await requests.accept(template);
      await sql`
        insert into requests (id, dao_id, actor, key_id, mode, metadata, access, decision, status, received_at, deadline_at)
        select 'copy-' || n, dao_id, actor, key_id, mode, metadata, access, decision, status,
          received_at + n * interval '1 millisecond', deadline_at
        from requests, generate_series(1, 10000) n where id = ${template.id}
      `.execute(db);
      await sql`
        insert into turns (request_id, dao_id, prompt, created_at)
        select 'copy-' || n, dao_id, prompt, created_at from turns, generate_series(1, 10000) n
        where request_id = ${template.id}
      `.execute(db);
      await sql`analyze`.execute(db);
      const began = performance.now();
      const found = await all((after, most) => requests.decided(minutesAgo(1_001), after, most), 1_000);
      const took = performance.now() - began;
      expect(found.length).toBeGreaterThan(10_000);
      expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
      // Generous: the machine of the tests is shared. What is meant is far from a second per thousand.
      expect(took).toBeLessThan(10_000);
    });
  });

  describe('of refused requests', () => {
    const inputs = (changes: Partial<DecisionInputs> = {}): DecisionInputs => ({
      mode: 'chat',
      agent: undefined,
      source: undefined,
      metadata: {},
      promptHead: 'Who am I?',
      promptLength: 9,
      model: undefined,
      access: someAccess(),
      ...changes,
    });
    const aRefusal = (id: string, changes: Partial<NewRefusal> = {}): NewRefusal => ({
      id,
      daoId: DAO,
      actor: 'tg:9',
      at: minutesAgo(1),
      code: 'NO_ROUTE',
      configHash: 'h',
      inputs: inputs(),
      ...changes,
    });

    it('should come back as they were written', async () => {
      const seen = inputs({
        agent: 'guide',
        metadata: { a: 1, b: null, c: 'two' },
        promptHead: "'); drop table turns; --",
      });
      const refusal = aRefusal('as-written', { inputs: seen, code: 'RBAC_PERMISSION_DENIED' });
      await refusals.add(refusal);
      await refusals.add({ ...refusal, code: 'ANOTHER' });
      const [found] = await refusals.page(EVER, undefined, 1);
      const was = { allowed: false, code: 'RBAC_PERMISSION_DENIED' };
      expect(found).toStrictEqual({ id: 'as-written', daoId: DAO, at: refusal.at, inputs: seen, was });
      const erased = aRefusal('erased', { at: minutesAgo(0), inputs: inputs({ promptHead: undefined }) });
      await refusals.add(erased);
      expect((await refusals.page(minutesAgo(0.5), undefined, 1))[0]?.inputs).toStrictEqual(erased.inputs);
    });

    it('should come newest first, each once, however they are paged', async () => {
      const made = Array.from({ length: 12 }, (_, at) =>
        aRefusal(`paged-${at}`, { daoId: 'quiet', at: minutesAgo(50 + Math.floor(at / 3)) }),
      );
      for (const refusal of made) await refusals.add(refusal);
      const expected = made.toSorted((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1));
      for (const limit of [1, 3, 5, 50]) {
        const found = await all((after, most) => refusals.page(minutesAgo(60), after, most), limit);
        expect(found.filter(({ daoId }) => daoId === 'quiet').map(({ id }) => id)).toEqual(
          expected.map(({ id }) => id),
        );
      }
    });

    it('should be bounded for each DAO and code, so that no flood pushes out others', async () => {
      const kept = aRefusal('of-another-code', {
        daoId: 'flood',
        code: 'RBAC_PERMISSION_DENIED',
        at: minutesAgo(9_999),
      });
      await refusals.add(kept);
      const flood = Array.from({ length: KEPT_REFUSALS + 15 }, (_, at) =>
        aRefusal(`flood-${String(at).padStart(3, '0')}`, { daoId: 'flood', at: minutesAgo(5_000 - at) }),
      );
      for (const refusal of flood.slice(0, -10)) await refusals.add(refusal);
      await Promise.all(flood.slice(-10).map((refusal) => refusals.add(refusal)));
      // Those at once may each leave a few to the next one.
      await refusals.add(aRefusal('last', { daoId: 'flood', at: minutesAgo(1) }));
      const found = await all((after, most) => refusals.page(EVER, after, most), 100);
      const own = found.filter(({ daoId }) => daoId === 'flood').map(({ id }) => id);
      expect(own).toHaveLength(KEPT_REFUSALS + 1);
      expect([own[0], own.at(-1)]).toEqual(['last', 'of-another-code']);
      expect(own).not.toContain('flood-015');
      expect(own).toContain('flood-016');
      expect(found.some(({ daoId }) => daoId === 'quiet')).toBe(true);
    });
  });
});
