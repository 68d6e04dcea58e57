import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { ADMIN_KEY, chatProfile, DAO, fakeProvider, Product, type Reply } from './harness.js';

const MIB = 1_048_576;

describe('refusals', () => {
  let fake: WireFake;
  let product: Product;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    const profile = chatProfile([fakeProvider('fake', fake)], ['fake']);
    const conditions = { mode: 'chat', role: ['member', 'admin'] };
    const routing_rules = [{ name: 'members-only', conditions, use_provider: 'fake' }];
    product = await Product.open({ profile: { ...profile, routing_rules } });
  });

  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  beforeEach(() => {
    fake.reset();
  });

  const post = async (
    body: string,
    headers: Record<string, string> = {},
    key: string | null = ADMIN_KEY,
  ): Promise<Reply> => {
    const response = await product.fetch('POST', '/route', { key, headers }, body);
    return { status: response.status, headers: response.headers, body: (await response.json()) as Reply['body'] };
  };

  /** Every error has this shape, and its id is the call's. */
  function expectRefused(reply: Reply, status: number, code: string): void {
    expect({ status: reply.status, code: reply.body.error.code }).toEqual({ status, code });
    expect(reply.body).toMatchObject({ ok: false, error: { message: expect.stringMatching(/\S/) as unknown } });
    expect(reply.body.request_id).toBe(reply.headers.get('x-request-id'));
    expect(fake.stats.calls).toBe(0);
  }

  describe('of a body', () => {
    it.each(['', '{', '{"prompt":', 'prompt=x', '{"prompt":"a"}}', '\uFEFF{]'])('%j is no JSON', async (body) => {
      expectRefused(await post(body), 400, 'BAD_JSON');
    });

    it.each([
      [{}, /prompt/],
      [{ prompt: '' }, /prompt/],
      [{ prompt: ' \n\t ' }, /prompt/],
      [{ prompt: 7 }, /prompt/],
      [{ prompt: 'x', mode: 'sing' }, /mode/],
      [{ prompt: 'x', metadata: [] }, /metadata/],
      [{ prompt: 'x', metadata: { user_id: 5 } }, /user_id/],
      [[], /./],
      ['text', /./],
      [null, /./],
    ])('%j does not fit the schema', async (body, names) => {
      const reply = await post(JSON.stringify(body));
      expectRefused(reply, 400, 'BODY_INVALID');
      expect(reply.body.error.message).toMatch(names);
    });

    it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense'])(
      '%s is not understood',
      async (type) => {
        expectRefused(await post('{"prompt":"x"}', { 'content-type': type }), 415, 'MEDIA_TYPE_UNSUPPORTED');
      },
    );

    it('a charset is', async () => {
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      expect((await post('{"prompt":"x","user_id":"tg:1"}', headers)).status).toBe(200);
    });

    it('more than 4 MiB is too much, and a little less is not', async () => {
      const body = (bytes: number): string => JSON.stringify({ prompt: 'x'.repeat(bytes), mode: 'sing' });
      expectRefused(await post(body(4 * MIB)), 413, 'BODY_TOO_LARGE');
      expectRefused(await post(body(4 * MIB - 100)), 400, 'BODY_INVALID');
    });

    it('no key comes before everything about the body', async () => {
      for (const body of ['{', JSON.stringify({ prompt: 'x'.repeat(5 * MIB) })]) {
        expectRefused(await post(body, {}, null), 401, 'UNAUTHENTICATED');
        expectRefused(await post(body, {}, 'a wrong key'), 401, 'UNAUTHENTICATED');
      }
    });
  });

  describe('of a key', () => {
    const body = JSON.stringify({ prompt: 'Hello', metadata: { user_id: 'tg:12345' } });

    it.each([
      [{}],
      [{ authorization: 'Bearer' }],
      [{ authorization: 'Bearer wrong' }],
      [{ authorization: ADMIN_KEY }],
      [{ authorization: `Token ${ADMIN_KEY}` }],
      [{ 'x-api-key': '' }],
      [{ 'x-api-key': 'wrong' }],
      [{ authorization: 'Bearer wrong', 'x-api-key': ADMIN_KEY }],
    ])('%j opens nothing', async (headers: Record<string, string>) => {
      const reply = await post(body, headers, null);
      expectRefused(reply, 401, 'UNAUTHENTICATED');
      expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    });

    it('that came as Basic is explained', async () => {
      const reply = await post(body, { authorization: `Basic ${ADMIN_KEY}` }, null);
      expectRefused(reply, 401, 'UNAUTHENTICATED');
      expect(reply.body.error.message).toContain('"Basic"');
    });

    it('does not come of what X-API-Key carries', async () => {
      expect((await post(body, { 'x-api-key': ADMIN_KEY }, null)).status).toBe(200);
    });

    it('that was revoked is immediate', async () => {
      const { key, id } = await product.key({ dao_id: DAO });
      expect((await post(body, {}, key)).status).toBe(200);
      fake.reset();
      expect((await product.call('DELETE', `/keys/${id}`)).status).toBe(200);
      expectRefused(await post(body, {}, key), 401, 'UNAUTHENTICATED');
    });
  });

  describe('by role', () => {
    it('a guest is told what is needed and what they are, and it is on the record', async () => {
      const reply = await product.route('Hello', { user_id: 'tg:999', source: 'telegram' });
      expectRefused(reply, 403, 'RBAC_PERMISSION_DENIED');
      expect(reply.body.error).toMatchObject({ required_entitlement: 'chat.write', roles: ['guest'] });
      const db = product.database.of(DAO);
      const rows = await db
        .selectFrom('audit')
        .where('action', '=', 'access.denied')
        .orderBy('seq')
        .selectAll()
        .execute();
      const detail = { required_entitlement: 'chat.write', roles: ['guest'], mode: 'chat' };
      const denied = rows.at(-1);
      expect(denied).toMatchObject({ chain: DAO, actor: expect.stringMatching(/^x_/) as unknown });
      expect(denied?.subject).toBe(denied?.actor);
      expect(JSON.parse(denied?.entry ?? '')).toMatchObject({ detail });
      expect(JSON.stringify(rows)).not.toMatch(/tg:999|telegram/);
      const requests = await db.selectFrom('requests').where('actor', '=', 'tg:999').selectAll().execute();
      expect(requests).toEqual([]);
    });

    it.each([
      ['crew', 'tg:12345', 404, 'CREW_NOT_FOUND'],
      ['crew', 'tg:999', 403, 'RBAC_PERMISSION_DENIED'],
      ['devtools', 'tg:222', 404, 'FILE_NOT_FOUND'],
      ['devtools', 'tg:12345', 403, 'RBAC_PERMISSION_DENIED'],
    ])('mode %s of %s ends with %d %s', async (mode, user, status, code) => {
      const asked = mode === 'crew' ? { workflow: 'nowhere' } : { tool: 'fs_read', params: { path: 'nowhere.txt' } };
      const reply = await post(JSON.stringify({ prompt: 'x', mode, metadata: { user_id: user, ...asked } }));
      expectRefused(reply, status, code);
      const needed = mode === 'crew' ? 'agent.crew' : 'agent.devtools';
      if (status === 403) expect(reply.body.error).toMatchObject({ required_entitlement: needed });
    });

    it('whom no rule takes is told so', async () => {
      const reply = await product.route('Hello', { user_id: 'tg:222' });
      expectRefused(reply, 422, 'NO_ROUTE');
      expect(reply.body.error).toMatchObject({ mode: 'chat' });
    });
  });

  describe('of an address', () => {
    it.each([
      ['GET', '/nothing'],
      ['PUT', '/route'],
      ['GET', '/route'],
      ['POST', '/requests/x/events'],
    ])('%s %s is not there, and without a key nobody learns that', async (method, path) => {
      expectRefused(await product.call(method, path), 404, 'NOT_FOUND');
      expectRefused(await product.call(method, path, { key: null }), 401, 'UNAUTHENTICATED');
    });

    it.each(['nobody', '%00', 'x'.repeat(64), "1'; drop table requests"])('request %j is not there', async (id) => {
      const path = `/requests/${id.startsWith('%') ? id : encodeURIComponent(id)}`;
      for (const [method, end] of [
        ['GET', ''],
        ['GET', '/events'],
        ['DELETE', ''],
      ] as const) {
        expectRefused(await product.call(method, `${path}${end}`), 404, 'REQUEST_NOT_FOUND');
      }
    });

    it('an id of immoderate length, or an empty name, is no body that is wrong', async () => {
      for (const path of [`/requests/${'x'.repeat(90)}`, '/requests/x?user_id=', '/keys?dao_id=']) {
        expectRefused(await product.call('GET', path), 400, 'QUERY_INVALID');
      }
    });
  });
});
