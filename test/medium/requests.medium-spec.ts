import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Db } from '../../src/adapters/store/database.js';
import { RequestsRepository, type Idempotency } from '../../src/adapters/store/requests.repository.js';
import { createDao } from '../factories/access.js';
import { aClaim, aRequest, anAnswer, anEnding } from '../factories/requests.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const HOUR = 3_600_000;
const HISTORY_BYTES = 4_000;
const REFUSED = { code: 'TEMPORAL_UNAVAILABLE', message: 'Temporal did not accept the request' };

describe.each(DATABASES)('requests on %s', (_name, open) => {
  let fresh: Fresh;
  let db: Db;
  let requests: RequestsRepository;

  beforeAll(async () => {
    fresh = await open();
    db = fresh.database.all;
    requests = new RequestsRepository(fresh.database);
    await createDao(fresh.database);
    await createDao(fresh.database, { id: 'other-dao', name: 'Other DAO', facts: {} });
  });

  afterAll(() => fresh.drop());

  async function accepted(changes: Parameters<typeof aRequest>[0] = {}): Promise<string> {
    const request = aRequest(changes);
    expect(await requests.accept(request)).toBe(true);
    return request.id;
  }

  /** A turn that was answered, received `ago` milliseconds ago. */
  async function answered(changes: Parameters<typeof aRequest>[0], ago: number, text: string): Promise<void> {
    const id = await accepted({ receivedAt: new Date(Date.now() - ago), ...changes });
    const daoId = changes?.daoId ?? DAO;
    await requests.claim(id, daoId, aClaim());
    expect(await requests.recordAnswer(id, daoId, anAnswer({ text }))).toBe(true);
  }

  describe('life of a request', () => {
    it('should be found as it was accepted', async () => {
      const request = aRequest({ source: 'bot', agent: 'guide', metadata: { plan: { steps: [1, 'два'] } } });
      await requests.accept(request);
      expect(await requests.find(request.id, DAO)).toEqual({
        id: request.id,
        daoId: DAO,
        actor: 'tg:12345',
        mode: 'chat',
        decision: request.decision,
        status: 'accepted',
        provider: null,
        result: null,
        runId: null,
        usage: null,
        attempts: [],
        timings: { gateway: 1, rbac: 2 },
        error: null,
        generation: 0,
        bodyHash: null,
        receivedAt: request.receivedAt,
        deadlineAt: request.deadlineAt,
        answer: null,
        finishReason: null,
        origin: null,
        model: null,
        parts: null,
      });
    });

    it('should not be found under another id', async () => {
      expect(await requests.find('nobody', DAO)).toBeUndefined();
      expect(await requests.find('nobody', null)).toBeUndefined();
    });

    it('should be found by those who ask in all DAOs', async () => {
      const id = await accepted({ daoId: 'other-dao' });
      expect(await requests.find(id, null)).toMatchObject({ id, daoId: 'other-dao' });
    });

    it('should hand everything to whoever claims it', async () => {
      const id = await accepted({ prompt: 'Привіт!' });
      const failed = [{ provider: 'first', status: 'failed' as const, ms: 3, error: 'RateLimited' }];
      const job = await requests.claim(id, DAO, aClaim({ provider: 'second', attempts: failed }));
      expect(job).toMatchObject({
        prompt: 'Привіт!',
        daoName: 'GreenFood DAO',
        daoFacts: { purpose: 'Food from local farms to city kitchens.' },
        history: [],
        summary: null,
        inSession: false,
        record: { id, status: 'running', generation: 1, provider: 'second', attempts: failed },
      });
    });

    it('should tell what it asks without being claimed', async () => {
      const id = await accepted({ prompt: 'Хто я?', sessionId: 'asked' });
      expect(await requests.question(id, DAO)).toMatchObject({
        prompt: 'Хто я?',
        daoName: 'GreenFood DAO',
        daoFacts: { purpose: 'Food from local farms to city kitchens.' },
        inSession: true,
        record: { id, status: 'accepted', generation: 0 },
      });
      expect(await requests.question(id, 'other-dao')).toBeUndefined();
      expect(await requests.refuse(id, DAO, REFUSED)).toBe(true);
    });

    it('should name no provider once it is claimed for an answer without one', async () => {
      const id = await accepted();
      await requests.claim(id, DAO, aClaim());
      await requests.claim(id, DAO, aClaim({ provider: null }));
      expect(await requests.find(id, DAO)).toMatchObject({ status: 'running', provider: null, generation: 2 });
    });

    it('should end with its answer', async () => {
      const id = await accepted();
      await requests.claim(id, DAO, aClaim());
      const answer = anAnswer();
      expect(await requests.recordAnswer(id, DAO, answer)).toBe(true);
      expect(await requests.find(id, DAO)).toMatchObject({
        status: 'completed',
        provider: 'fake',
        usage: answer.usage,
        attempts: answer.attempts,
        timings: answer.timings,
        answer: answer.text,
        finishReason: 'stop',
        origin: { step: 'provider' },
        error: null,
      });
    });

    it('should add up what its answer used, once, and only if it is recorded', async () => {
      const keyId = 'counted';
      const [first, second] = [await accepted({ keyId }), await accepted({ keyId })];
      for (const id of [first, second]) await requests.claim(id, DAO, aClaim());
      const usage = { prompt_tokens: 12, completion_tokens: 8, total_tokens: 20, cost_usd: 0.00000123 };
      expect(await requests.recordAnswer(first, DAO, anAnswer({ usage, generation: 7 }))).toBe(false);
      expect(await requests.recordAnswer(first, DAO, anAnswer({ usage }))).toBe(true);
      expect(await requests.recordAnswer(first, DAO, anAnswer({ usage }))).toBe(false);
      const free = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
      const origin = { step: 'cache', age_ms: 90_000 } as const;
      expect(await requests.recordAnswer(second, DAO, anAnswer({ provider: null, origin, usage: free }))).toBe(true);
      const rows = await db
        .selectFrom('usage_daily')
        .where('key_id', '=', keyId)
        .orderBy('provider')
        .select(['dao_id', 'provider', 'requests', 'prompt_tokens', 'completion_tokens', 'cost_usd'])
        .execute();
      const numbers = rows.map(({ dao_id, provider, ...counts }) => [
        dao_id,
        provider,
        ...Object.values(counts).map(Number),
      ]);
      expect(numbers).toEqual([
        [DAO, 'cache', 1, 0, 0, 0],
        [DAO, 'fake', 1, 12, 8, 0.00000123],
      ]);
      expect(await requests.find(second, DAO)).toMatchObject({ provider: null, origin });
    });

    it('should keep its first ending', async () => {
      const id = await accepted();
      await requests.claim(id, DAO, aClaim());
      expect(await requests.recordEnding(id, DAO, anEnding({ status: 'cancelled' }))).toBe(true);
      expect(await requests.recordAnswer(id, DAO, anAnswer())).toBe(false);
      expect(await requests.recordEnding(id, DAO, anEnding())).toBe(false);
      expect(await requests.claim(id, DAO, aClaim())).toBeUndefined();
      expect(await requests.find(id, DAO)).toMatchObject({ status: 'cancelled', answer: null });
    });

    it('should be written by the latest run alone', async () => {
      const id = await accepted();
      const first = await requests.claim(id, DAO, aClaim());
      const second = await requests.claim(id, DAO, aClaim());
      expect([first?.record.generation, second?.record.generation]).toEqual([1, 2]);
      expect(await requests.recordAnswer(id, DAO, anAnswer({ generation: 1, text: 'late' }))).toBe(false);
      expect(await requests.find(id, DAO)).toMatchObject({ status: 'running', answer: null });
      expect(await requests.recordAnswer(id, DAO, anAnswer({ generation: 2, text: 'latest' }))).toBe(true);
      expect(await requests.recordAnswer(id, DAO, anAnswer({ generation: 2, text: 'twice' }))).toBe(false);
      expect(await requests.find(id, DAO)).toMatchObject({ status: 'completed', answer: 'latest' });
    });

    it('should give each of many claims at once a generation of its own', async () => {
      const id = await accepted();
      const jobs = await Promise.all(Array.from({ length: 10 }, () => requests.claim(id, DAO, aClaim())));
      const generations = jobs.map((job) => job?.record.generation ?? 0).toSorted((a, b) => a - b);
      expect(generations).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });

    it('should be closed as refused only while no call has begun', async () => {
      const [waiting, running] = [await accepted(), await accepted()];
      await requests.claim(running, DAO, aClaim());
      expect(await requests.refuse(waiting, DAO, REFUSED)).toBe(true);
      expect(await requests.refuse(running, DAO, REFUSED)).toBe(false);
      expect(await requests.claim(waiting, DAO, aClaim())).toBeUndefined();
      expect(await requests.refuse(waiting, DAO, REFUSED)).toBe(false);
      expect(await requests.find(waiting, DAO)).toMatchObject({ status: 'failed', error: REFUSED });
      expect(await requests.find(running, DAO)).toMatchObject({ status: 'running', error: null });
    });

    it('should be out of reach for another DAO', async () => {
      const id = await accepted();
      expect(await requests.claim(id, 'other-dao', aClaim())).toBeUndefined();
      await requests.claim(id, DAO, aClaim());
      expect(await requests.recordAnswer(id, 'other-dao', anAnswer())).toBe(false);
      expect(await requests.recordEnding(id, 'other-dao', anEnding())).toBe(false);
      expect(await requests.find(id, 'other-dao')).toBeUndefined();
      expect(await requests.refuse(await accepted(), 'other-dao', REFUSED)).toBe(false);
      expect(await requests.find(id, DAO)).toMatchObject({ status: 'running', generation: 1 });
    });
  });

  describe('idempotency keys', () => {
    const key = (name: string): Idempotency => ({ scope: 'key-1 tg:12345 route', key: name, bodyHash: 'hash' });
    const since = (): Date => new Date(Date.now() - 24 * HOUR);

    it('should be held by one of twenty at once', async () => {
      const idempotency = key('twenty');
      const all = Array.from({ length: 20 }, () => aRequest({ idempotency }));
      const taken = await Promise.all(all.map((request) => requests.accept(request)));
      const winner = all[taken.indexOf(true)];
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await requests.findByIdempotency(DAO, idempotency, since())).toMatchObject({
        id: winner?.id,
        bodyHash: 'hash',
      });
      const found = await Promise.all(all.map(({ id }) => requests.find(id, DAO)));
      expect(found.filter(Boolean)).toHaveLength(1);
    });

    it('should leave neither turn nor dialog of those who lost', async () => {
      const idempotency = key('loser');
      await requests.accept(aRequest({ idempotency }));
      const loser = aRequest({ idempotency, sessionId: 'of the loser' });
      expect(await requests.accept(loser)).toBe(false);
      expect(await db.selectFrom('turns').where('request_id', '=', loser.id).selectAll().execute()).toEqual([]);
      expect(await db.selectFrom('dialogs').where('session_id', '=', 'of the loser').selectAll().execute()).toEqual([]);
    });

    it('should not meet in another scope', async () => {
      const one = key('scoped');
      const other = { ...one, scope: 'key-1 tg:222 route' };
      await requests.accept(aRequest({ idempotency: one }));
      expect(await requests.findByIdempotency(DAO, other, since())).toBeUndefined();
      expect(await requests.accept(aRequest({ idempotency: other }))).toBe(true);
    });

    it('should not meet in another DAO', async () => {
      const idempotency = key('of two DAOs');
      await requests.accept(aRequest({ idempotency }));
      expect(await requests.findByIdempotency('other-dao', idempotency, since())).toBeUndefined();
      const theirs = aRequest({ idempotency, daoId: 'other-dao' });
      expect(await requests.accept(theirs)).toBe(true);
      expect(await requests.findByIdempotency('other-dao', idempotency, since())).toMatchObject({ id: theirs.id });
    });

    it('should be free again after 24 hours, and not a minute before', async () => {
      const [young, old] = [key('young'), key('old')];
      const ago = (ms: number): Date => new Date(Date.now() - ms);
      await requests.accept(aRequest({ idempotency: young, receivedAt: ago(24 * HOUR - 60_000) }));
      const expired = aRequest({ idempotency: old, receivedAt: ago(24 * HOUR + 1_000) });
      await requests.accept(expired);
      // A run of a crew may go on for weeks.
      expect(await requests.findByIdempotency(DAO, old, since())).toMatchObject({ id: expired.id });
      await requests.recordEnding(expired.id, DAO, anEnding());
      expect(await requests.findByIdempotency(DAO, young, since())).toBeDefined();
      expect(await requests.accept(aRequest({ idempotency: young }))).toBe(false);
      expect(await requests.findByIdempotency(DAO, old, since())).toBeUndefined();
      expect(await requests.accept(aRequest({ idempotency: old }))).toBe(true);
      expect(await requests.find(expired.id, DAO)).toBeDefined();
    });

    it('should be free again after a refusal, and stay taken after a failure', async () => {
      const [refused, failed] = [key('refused'), key('failed')];
      const first = await accepted({ idempotency: refused });
      const second = await accepted({ idempotency: failed });
      await requests.refuse(first, DAO, REFUSED);
      await requests.recordEnding(second, DAO, anEnding());
      expect(await requests.findByIdempotency(DAO, refused, since())).toBeUndefined();
      expect(await requests.accept(aRequest({ idempotency: refused }))).toBe(true);
      expect(await requests.findByIdempotency(DAO, failed, since())).toMatchObject({ id: second, status: 'failed' });
    });
  });

  describe('earlier turns of a session', () => {
    /** What a new turn of the session would be told. */
    async function historyOf(changes: Parameters<typeof aRequest>[0]): Promise<string[]> {
      const id = await accepted(changes);
      const job = await requests.claim(id, changes?.daoId ?? DAO, aClaim());
      return (job?.history ?? []).map(({ prompt, answer }) => `${prompt}→${answer}`);
    }

    it('should come newest first, and only those that were answered', async () => {
      const sessionId = 'ordered';
      await answered({ sessionId, prompt: 'one' }, 3_000, '1');
      await accepted({ sessionId, prompt: 'unanswered', receivedAt: new Date(Date.now() - 2_500) });
      await answered({ sessionId, prompt: 'two' }, 2_000, '2');
      await answered({ sessionId, prompt: 'three' }, 1_000, '3');
      expect(await historyOf({ sessionId, prompt: 'four' })).toEqual(['three→3', 'two→2', 'one→1']);
    });

    it('should be those before the turn itself', async () => {
      const sessionId = 'late';
      await answered({ sessionId, prompt: 'after' }, 1_000, '2');
      await answered({ sessionId, prompt: 'before' }, 3_000, '1');
      expect(await historyOf({ sessionId, receivedAt: new Date(Date.now() - 2_000) })).toEqual(['before→1']);
    });

    it('should never be another actor’s or another DAO’s', async () => {
      const sessionId = 'shared name';
      await answered({ sessionId, actor: 'tg:222', prompt: 'theirs' }, 3_000, 'a');
      await answered({ sessionId, daoId: 'other-dao', prompt: 'elsewhere' }, 2_000, 'b');
      await answered({ sessionId, prompt: 'mine' }, 1_000, 'c');
      expect(await historyOf({ sessionId })).toEqual(['mine→c']);
      expect(await historyOf({ sessionId, daoId: 'other-dao' })).toEqual(['elsewhere→b']);
      expect(await historyOf({ sessionId, actor: 'tg:1' })).toEqual([]);
    });

    it('should be none without a session', async () => {
      await answered({ prompt: 'alone' }, 1_000, 'x');
      expect(await historyOf({})).toEqual([]);
    });

    it('should be bounded in number', async () => {
      const sessionId = 'long';
      for (let turn = 0; turn < 45; turn += 1)
        await answered({ sessionId, prompt: `${turn}` }, 60_000 - turn * 1_000, 'x');
      const history = await historyOf({ sessionId });
      expect(history).toHaveLength(40);
      expect(history[0]).toBe('44→x');
    });

    it('should be bounded in bytes, from the first that does not fit on', async () => {
      const sessionId = 'heavy';
      await answered({ sessionId, prompt: 'old' }, 4_000, '1');
      await answered({ sessionId, prompt: 'x'.repeat(HISTORY_BYTES) }, 3_000, '2');
      await answered({ sessionId, prompt: 'ш'.repeat(HISTORY_BYTES / 2 - 2) }, 2_000, '34');
      await answered({ sessionId, prompt: 'я' }, 1_000, '');
      expect((await historyOf({ sessionId })).map((turn) => turn.length)).toEqual([2, HISTORY_BYTES / 2 + 1]);
    });
  });

  describe('open requests', () => {
    const now = Date.now();
    const DAY = 24 * HOUR;
    const at = (days: number): Date => new Date(now - days * DAY);
    const old = { receivedBefore: at(8) };
    const idsOf = async (...asked: Parameters<RequestsRepository['findOpen']>): Promise<string[]> =>
      (await requests.findOpen(...asked)).map(({ id }) => id);

    beforeAll(async () => {
      // Ids of the product are ordered by time.
      await accepted({ id: '0-ended', receivedAt: at(11) });
      await accepted({ id: '2-running', receivedAt: at(9), deadlineAt: at(7) });
      await accepted({ id: '1-accepted', receivedAt: at(10), deadlineAt: at(6) });
      await accepted({ id: '3-overdue', receivedAt: at(9), deadlineAt: at(8) });
      await requests.recordEnding('0-ended', DAO, anEnding());
      for (const id of ['2-running', '3-overdue']) await requests.claim(id, DAO, aClaim());
    });

    it('should come in the order of their ids, and none that ended or are young', async () => {
      const young = await accepted({ receivedAt: at(7) });
      const open = await idsOf(old, '', 10);
      expect(open).toEqual(['1-accepted', '2-running', '3-overdue']);
      expect(await idsOf({ receivedBefore: at(6) }, '', 10)).toContain(young);
    });

    it('should come page by page', async () => {
      expect(await idsOf(old, '', 2)).toEqual(['1-accepted', '2-running']);
      expect(await idsOf(old, '2-running', 2)).toEqual(['3-overdue']);
      expect(await idsOf(old, '3-overdue', 2)).toEqual([]);
    });

    it('should be the doubtful ones alone if that is asked: not begun, or past their deadline', async () => {
      expect(await idsOf({ ...old, overdueSince: at(7.5) }, '', 10)).toEqual(['1-accepted', '3-overdue']);
      expect(await idsOf({ ...old, overdueSince: at(6.5) }, '', 10)).toEqual(['1-accepted', '2-running', '3-overdue']);
      expect(await idsOf({ ...old, overdueSince: at(9) }, '1-accepted', 10)).toEqual([]);
    });
  });

  it('should keep a prompt of 3 MiB and an answer of every script as they are', async () => {
    const prompt = 'Слово 🌱 '.repeat(200_000);
    expect(Buffer.byteLength(prompt)).toBeGreaterThan(3 * 1_048_576);
    const id = await accepted({ prompt });
    const job = await requests.claim(id, DAO, aClaim());
    expect(job?.prompt === prompt).toBe(true);
    const text = 'Відповідь "quoted" \\ $1 ${x} 日本語 🌻\n';
    await requests.recordAnswer(id, DAO, anAnswer({ text }));
    expect((await requests.find(id, DAO))?.answer).toBe(text);
  });

  it('should keep quotes and statements in texts as texts', async () => {
    const prompt = `'); drop table requests; --`;
    const id = await accepted({ prompt, sessionId: prompt, source: prompt, metadata: { [prompt]: prompt } });
    expect((await requests.claim(id, DAO, aClaim()))?.prompt).toBe(prompt);
    const row = await db.selectFrom('requests').where('id', '=', id).select('metadata').executeTakeFirst();
    expect(row?.metadata).toEqual({ [prompt]: prompt });
  });
});
