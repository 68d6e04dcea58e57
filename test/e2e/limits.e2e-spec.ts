import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { costOf, sumUsd } from '../../src/domain/cost.js';
import type { UsageReport } from '../../src/services/usage.service.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { ADMIN_KEY, chatProfile, DAO, fakeProvider, Product, until, type Reply } from './harness.js';
import { allEvents, eventsOf } from './sse.js';

const PER_KEY = 3;
const PRICE = { prompt: 0.27, completion: 1.1 };

/** Members that every DAO of these tests has. */
const MEMBERS = { 'tg:1': ['admin'], 'tg:12345': ['member'] };

describe('limits and usage', () => {
  let fake: WireFake;
  let product: Product;

  const profile = (): object => ({
    ...chatProfile([fakeProvider('fake', fake, { price: PRICE })], ['fake'], { requests_per_minute: { key: PER_KEY } }),
    daos: {
      small: { requests_per_minute: 2 },
      frugal: { tokens_per_month: 1 },
    },
  });

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({ profile: profile() });
    for (const id of ['small', 'frugal', 'counted', 'other']) await product.createDao(id, MEMBERS);
  });

  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  beforeEach(() => {
    fake.reset();
  });

  const memberKey = async (dao_id: string): Promise<string> =>
    (await product.key({ dao_id, principal: 'tg:12345' })).key;
  const chat = (key: string, headers: Record<string, string> = {}): Promise<Reply> =>
    product.call('POST', '/route', { key, headers }, { prompt: 'Hello' });
  const outcome = ({ status, body }: Reply): string => `${status} ${body.ok ? body.status : body.error.code}`;
  const requestsOf = (dao: string): Promise<unknown[]> =>
    product.database.all.selectFrom('requests').where('dao_id', '=', dao).select('id').execute();

  describe('rates', () => {
    it('should be told with every answer, and refuse what goes beyond them', async () => {
      const key = await memberKey(DAO);
      for (let left = PER_KEY - 1; left >= 0; left -= 1) {
        const reply = await chat(key);
        expect(outcome(reply)).toBe('200 completed');
        expect(reply.headers.get('ratelimit-policy')).toBe(`"key";q=${PER_KEY};w=60`);
        expect(reply.headers.get('ratelimit')).toMatch(new RegExp(`^"key";r=${left};t=\\d+$`));
        expect(reply.headers.get('retry-after')).toBeNull();
      }
      const refused = await chat(key);
      expect(refused).toMatchObject({
        status: 429,
        body: { ok: false, error: { code: 'RATE_LIMITED', limit: 'key', requests_per_minute: PER_KEY } },
      });
      const wait = Number(refused.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(60);
      expect(refused.headers.get('ratelimit')).toBe(`"key";r=0;t=${wait}`);
      expect(refused.headers.get('ratelimit-policy')).toBe(`"key";q=${PER_KEY};w=60`);
      expect(fake.stats.calls).toBe(PER_KEY);
    });

    it('should be told with a stream too, and refuse one with an error instead', async () => {
      const key = await memberKey(DAO);
      const stream = (): Promise<Response> =>
        product.fetch('POST', '/route', { key, headers: { accept: 'text/event-stream' } }, '{"prompt":"Hello"}');
      for (let left = PER_KEY - 1; left >= 0; left -= 1) {
        const response = await stream();
        expect(response.headers.get('ratelimit')).toContain(`"key";r=${left};`);
        expect((await allEvents(response)).at(-1)?.type).toBe('done');
      }
      const refused = await stream();
      expect(refused.status).toBe(429);
      expect(await refused.json()).toMatchObject({ error: { code: 'RATE_LIMITED' } });
    });

    it('should hold for a DAO with all its keys, and take nothing from a key that is refused for it', async () => {
      const keys = [await memberKey('small'), await memberKey('small'), await memberKey('small')];
      expect(outcome(await chat(keys[0]!))).toBe('200 completed');
      expect(outcome(await chat(keys[1]!))).toBe('200 completed');
      for (let attempt = 0; attempt < 4; attempt += 1) {
        const refused = await chat(keys[2]!);
        expect(refused.body.error).toMatchObject({ code: 'RATE_LIMITED', limit: 'dao' });
        expect(refused.headers.get('ratelimit')).toMatch(/^"key";r=3;t=\d+, "dao";r=0;t=\d+$/);
      }
      expect(await requestsOf('small')).toHaveLength(2);
      expect(fake.stats.calls).toBe(2);
    });

    it('should not count a repeat that is known by its Idempotency-Key', async () => {
      const key = await memberKey(DAO);
      const named = { 'idempotency-key': 'repeated' };
      const first = await chat(key, named);
      for (let left = PER_KEY - 1; left > 0; left -= 1) await chat(key);
      expect(outcome(await chat(key))).toBe('429 RATE_LIMITED');
      const again = await chat(key, named);
      expect(again.body).toEqual(first.body);
      expect(outcome(await chat(key, { 'idempotency-key': 'new' }))).toBe('429 RATE_LIMITED');
    });

    it('should outlast a process, with a database that several share', async () => {
      const key = await memberKey(DAO);
      for (let left = PER_KEY; left > 0; left -= 1) expect(outcome(await chat(key))).toBe('200 completed');
      await product.restart();
      expect(outcome(await chat(key))).toBe('429 RATE_LIMITED');
    });
  });

  describe('budgets', () => {
    it('should refuse whoever has used up the month’s tokens, and tell when the next month begins', async () => {
      const [first, later] = [await memberKey('frugal'), await memberKey('frugal')];
      const before = await chat(first);
      expect(outcome(before)).toBe('200 completed');
      expect(before.headers.get('ratelimit-policy')).toMatch(/, "dao-tokens";q=1;qu="tokens";w=\d{7}$/);
      // What was used is read again after some seconds.
      let refused = await chat(later);
      await until(async () => {
        if (refused.status === 429) return true;
        refused = await chat((await product.key({ dao_id: 'frugal', principal: 'tg:12345' })).key);
        return refused.status === 429;
      }, 'a refusal');
      expect(refused.body.error).toMatchObject({ code: 'BUDGET_EXHAUSTED', limit: 'dao', tokens_per_month: 1 });
      const now = new Date();
      const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1);
      const wait = Number(refused.headers.get('retry-after'));
      expect(Math.abs(wait - (end - now.getTime()) / 1_000)).toBeLessThan(10);
      expect(refused.headers.get('ratelimit')).toBe(`"dao-tokens";r=0;t=${wait}`);
      expect(outcome(await chat(await memberKey('other')))).toBe('200 completed');
    });
  });

  describe('usage', () => {
    const report = async (query: string, key: string = ADMIN_KEY): Promise<UsageReport> => {
      const { status, body } = await product.call('GET', `/usage${query}`, { key });
      if (status !== 200) throw new Error(`no usage: ${status} ${JSON.stringify(body)}`);
      return body as unknown as UsageReport;
    };

    it('should be the sum of what each request used, with its cost', async () => {
      const [one, other] = [
        await product.key({ dao_id: 'counted', principal: 'tg:12345' }),
        await product.key({ dao_id: 'counted', principal: 'tg:12345' }),
      ];
      const replies = [await chat(one.key), await chat(one.key), await chat(other.key)];
      const used = replies.map(({ body }) => body.usage as Reply['body']['usage'] & { cost_usd: number });
      for (const usage of used) expect(usage.cost_usd).toBe(costOf(usage, PRICE));
      expect(used[0]?.cost_usd).toBeGreaterThan(0);

      const admin = (await product.key({ dao_id: 'counted', principal: 'tg:1' })).key;
      const totals = {
        requests: 3,
        prompt_tokens: used.reduce((sum, { prompt_tokens }) => sum + prompt_tokens, 0),
        completion_tokens: used.reduce((sum, { completion_tokens }) => sum + completion_tokens, 0),
        total_tokens: used.reduce((sum, { total_tokens }) => sum + total_tokens, 0),
        cost_usd: sumUsd(used.map(({ cost_usd }) => cost_usd)),
      };
      const byDay = await report('', admin);
      expect(byDay).toMatchObject({ dao_id: 'counted', by: 'day', totals });
      expect(byDay.rows).toEqual([{ day: byDay.to, ...totals }]);
      expect((await report('?by=provider', admin)).rows).toEqual([{ provider: 'fake', ...totals }]);
      const byKey = await report('?by=key', admin);
      expect(byKey.rows.map(({ key, requests }) => [key, requests])).toEqual([
        [one.id, 2],
        [other.id, 1],
      ]);
      expect((await report('?from=2020-01-01&to=2020-12-31', admin)).rows).toEqual([]);
    });

    it('should have what was read of an answer that was cancelled before its end', async () => {
      await product.createDao('broken-off', MEMBERS);
      const { id: name, key } = await product.key({ dao_id: 'broken-off', principal: 'tg:12345' });
      const { settings } = fake;
      fake.settings = { ...settings, tokens: 2_000, tokenMs: 20, firstTokenMs: 0 };
      const prefer = { prefer: 'wait=0' };
      const { body: accepted } = await product.call('POST', '/route', { key, headers: prefer }, { prompt: 'A story' });
      const path = `/requests/${accepted.request_id}`;
      for await (const { type } of eventsOf(await product.fetch('GET', `${path}/events`, { key }))) {
        if (type === 'token') break;
      }
      expect((await product.call('DELETE', path, { key })).body).toMatchObject({ status: 'cancelled' });
      fake.settings = settings;
      const rows = async () => (await report('?dao_id=broken-off&by=key')).rows.filter((row) => row.key === name);
      await until(async () => (await rows()).length > 0, 'what was used');
      const [row] = await rows();
      expect(row).toMatchObject({ requests: 0, cost_usd: costOf(row!, PRICE) });
      expect([row!.prompt_tokens > 0, row!.completion_tokens > 0]).toEqual([true, true]);
    });

    it('should be seen by admins of its DAO alone, and all of it by the platform’s', async () => {
      await chat(await memberKey('counted'));
      const keys = {
        member: await memberKey('counted'),
        elsewhere: (await product.key({ dao_id: 'other', principal: 'tg:1' })).key,
        gateway: (await product.key({})).key,
      };
      const asked = async (query: string, key: string): Promise<string> => {
        const { status, body } = await product.call('GET', `/usage${query}`, { key });
        return body.ok ? String(status) : `${status} ${body.error.code}`;
      };
      expect(await asked('', keys.member)).toBe('403 RBAC_PERMISSION_DENIED');
      expect(await asked('?dao_id=counted', keys.elsewhere)).toBe('403 DAO_FORBIDDEN');
      expect(await asked('?dao_id=counted&user_id=tg:12345', keys.gateway)).toBe('403 RBAC_PERMISSION_DENIED');
      expect(await asked('?user_id=tg:1', keys.gateway)).toBe('403 RBAC_PERMISSION_DENIED');
      expect(await asked('?dao_id=counted&user_id=tg:1', keys.gateway)).toBe('200');
      const own = await report('?by=dao', keys.elsewhere);
      expect(own.rows.every(({ dao }) => dao === 'other')).toBe(true);
      const all = await report('');
      expect(all).toMatchObject({ dao_id: null, by: 'dao' });
      expect(all.rows.map(({ dao }) => dao)).toContain('counted');
    });

    it.each(['?from=yesterday', '?from=2026-11-02&to=2026-11-01', '?by=member', '?since=30d', '?to=0000-01-01'])(
      'should refuse %s',
      async (query) => {
        const { status, body } = await product.call('GET', `/usage${query}`);
        expect([status, body.error.code]).toEqual([400, 'QUERY_INVALID']);
      },
    );
  });
});
