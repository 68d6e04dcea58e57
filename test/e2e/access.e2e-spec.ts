import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { addMember } from '../../src/adapters/store/members.repository.js';
import { KEY_SEEN_MS } from '../../src/contracts/access.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { ADMIN_KEY, chatProfile, DAO, fakeProvider, Product, until, type Reply } from './harness.js';

const OTHER = 'other-dao';

describe('who acts, and who sees', () => {
  let fake: WireFake;
  let product: Product;
  /** Secrets of keys, by what they are. */
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake)], ['fake']) });
    await product.createDao(OTHER, { 'tg:12345': ['member'], 'tg:7': ['admin'] });
    const wanted = {
      gateway: { dao_id: DAO },
      member: { dao_id: DAO, principal: 'tg:12345' },
      contributor: { dao_id: DAO, principal: 'tg:222' },
      admin: { dao_id: DAO, principal: 'tg:1' },
      elsewhere: { dao_id: OTHER, principal: 'tg:12345' },
      otherAdmin: { dao_id: OTHER, principal: 'tg:7' },
      otherGateway: { dao_id: OTHER },
      everywhere: {},
    };
    for (const [name, body] of Object.entries(wanted)) keys[name] = (await product.key(body)).key;
  });

  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  beforeEach(() => {
    fake.reset();
  });

  const chat = (key: string, metadata: object = {}): Promise<Reply> =>
    product.call('POST', '/route', { key: keys[key] ?? key }, { prompt: 'Hello', metadata });

  const outcome = ({ status, body }: Reply): string => `${status} ${body.ok ? body.status : body.error.code}`;

  const actorOf = async (reply: Reply): Promise<unknown> => {
    const row = product.database.all
      .selectFrom('requests')
      .where('id', '=', reply.body.request_id)
      .select(['actor', 'dao_id']);
    return row.executeTakeFirst();
  };

  describe('acting', () => {
    it('should be the user that a gateway key names, with that user’s rights', async () => {
      const reply = await chat('gateway', { user_id: 'tg:12345' });
      expect(reply.body).toMatchObject({ status: 'completed', rbac: { roles: ['member'] } });
      expect(await actorOf(reply)).toEqual({ actor: 'tg:12345', dao_id: DAO });
      expect(outcome(await chat('gateway', { user_id: 'tg:555' }))).toBe('403 RBAC_PERMISSION_DENIED');
    });

    it('should be a guest when a gateway key of a DAO names nobody', async () => {
      const reply = await chat('gateway');
      expect(outcome(reply)).toBe('403 RBAC_PERMISSION_DENIED');
      expect(reply.body.error.roles).toEqual(['guest']);
    });

    it('should be the key’s principal, which may name itself and nobody else', async () => {
      expect(await actorOf(await chat('member'))).toEqual({ actor: 'tg:12345', dao_id: DAO });
      expect(outcome(await chat('member', { user_id: 'tg:12345' }))).toBe('200 completed');
      for (const user_id of ['tg:1', 'tg:222', 'tg:nobody', 'api:admin']) {
        expect(outcome(await chat('member', { user_id }))).toBe('403 ACTING_NOT_ALLOWED');
        expect(outcome(await chat('admin', { user_id: user_id === 'tg:1' ? 'tg:2' : user_id }))).toBe(
          '403 ACTING_NOT_ALLOWED',
        );
      }
    });

    it('should never be a key’s own principal for anybody but that key', async () => {
      for (const key of ['gateway', 'everywhere', 'otherGateway']) {
        for (const user_id of ['api:admin', 'api:x']) {
          expect(outcome(await chat(key, { user_id }))).toBe('403 ACTING_NOT_ALLOWED');
        }
      }
      expect(outcome(await chat(ADMIN_KEY, { user_id: 'api:x' }))).toBe('403 ACTING_NOT_ALLOWED');
      const { body } = await chat(ADMIN_KEY, { user_id: 'api:admin' });
      expect(body).toMatchObject({ status: 'completed', rbac: { roles: ['admin'] } });
    });

    it('should have exactly the named user’s rights with the administrator’s key too', async () => {
      const named = await chat(ADMIN_KEY, { user_id: 'tg:12345' });
      expect(named.body.rbac).toMatchObject({ roles: ['member'] });
      expect(outcome(await chat(ADMIN_KEY, { user_id: 'tg:404' }))).toBe('403 RBAC_PERMISSION_DENIED');
      const own = await chat(ADMIN_KEY, { dao_id: OTHER });
      expect(own.body.rbac).toMatchObject({
        roles: ['admin'],
        entitlements: expect.arrayContaining(['platform.admin']) as unknown,
      });
    });

    it('should take the default DAO for a key of all DAOs that names none', async () => {
      expect(await actorOf(await chat('everywhere', { user_id: 'tg:12345' }))).toEqual({
        actor: 'tg:12345',
        dao_id: DAO,
      });
      const reply = await chat('everywhere', { user_id: 'tg:12345', dao_id: OTHER });
      expect(await actorOf(reply)).toEqual({ actor: 'tg:12345', dao_id: OTHER });
      expect(outcome(await chat('everywhere', { user_id: 'tg:12345', dao_id: 'no-dao' }))).toBe('404 DAO_NOT_FOUND');
    });

    it('should learn nothing of other DAOs with a key of one', async () => {
      const [there, nowhere] = [await chat('member', { dao_id: OTHER }), await chat('member', { dao_id: 'no-dao' })];
      expect(outcome(there)).toBe('403 DAO_FORBIDDEN');
      expect(there.body.error).toEqual(nowhere.body.error);
      expect([there.status, nowhere.status]).toEqual([403, 403]);
      expect(outcome(await chat('gateway', { dao_id: OTHER, user_id: 'tg:1' }))).toBe('403 DAO_FORBIDDEN');
      for (const path of [`/keys?dao_id=${OTHER}`, '/keys?dao_id=no-dao']) {
        const reply = await product.call('GET', path, { key: keys.admin! });
        expect(outcome(reply)).toBe('403 DAO_FORBIDDEN');
      }
    });

    it('should not come of OpenAI’s field "user"', async () => {
      const { body } = await product.call('POST', '/route', { key: keys.member! }, { prompt: 'Hello', user: 'tg:1' });
      expect(body).toMatchObject({ status: 'completed', rbac: { roles: ['member'] } });
    });
  });

  describe('a request', () => {
    let id: string;

    beforeAll(async () => {
      id = (await chat('member')).body.request_id;
    });

    const see = (key: string, query = ''): Promise<Reply> =>
      product.call('GET', `/requests/${id}${query}`, { key: keys[key] ?? key });

    it.each([
      ['member', ''],
      ['gateway', '?user_id=tg:12345'],
      ['gateway', '?user_id=tg:1'],
      ['everywhere', '?user_id=tg:12345'],
      ['admin', ''],
      [ADMIN_KEY, ''],
    ])('should be seen by %s%s', async (key, query) => {
      expect(outcome(await see(key, query))).toBe('200 completed');
    });

    it.each([
      ['contributor', ''],
      ['gateway', ''],
      ['gateway', '?user_id=tg:222'],
      ['elsewhere', ''],
      ['otherAdmin', ''],
      ['otherGateway', '?user_id=tg:12345'],
      ['otherGateway', '?user_id=tg:1'],
      ['everywhere', '?user_id=tg:222'],
      ['everywhere', '?user_id=tg:7'],
      [ADMIN_KEY, '?user_id=tg:222'],
    ])('should not be there for %s%s', async (key, query) => {
      const call = { key: keys[key] ?? key };
      for (const [method, end] of [
        ['GET', ''],
        ['GET', '/events'],
        ['DELETE', ''],
      ] as const) {
        expect(outcome(await product.call(method, `/requests/${id}${end}${query}`, call))).toBe(
          '404 REQUEST_NOT_FOUND',
        );
      }
    });

    it('should not be told from one that is not there by naming somebody', async () => {
      for (const one of [id, 'no-request']) {
        const reply = await product.call('GET', `/requests/${one}?user_id=tg:1`, { key: keys.contributor! });
        expect(outcome(reply)).toBe('403 ACTING_NOT_ALLOWED');
      }
    });
  });

  describe('keys', () => {
    const create = (key: string, body: object): Promise<Reply> =>
      product.call('POST', '/keys', { key: keys[key] ?? key }, { name: 'made', ...body });

    it('should be shown once, and be kept as a hash', async () => {
      const { status, body } = await create(ADMIN_KEY, { dao_id: DAO, principal: 'tg:222' });
      const { key, id } = body as unknown as { key: string; id: string };
      expect(status).toBe(201);
      expect(key).toMatch(/^dagi_[\w-]{43}$/);
      expect(body).toMatchObject({ ok: true, name: 'made', dao_id: DAO, principal: 'tg:222', gateway: false });
      const listed = await product.call('GET', `/keys?dao_id=${DAO}`);
      expect(listed.body.keys.map((one) => one.id)).toContain(id);
      expect(JSON.stringify(listed.body)).not.toContain(key);
      const dump = JSON.stringify(await product.database.all.selectFrom('api_keys').selectAll().execute());
      expect(dump).not.toContain(key);
      expect(dump).not.toContain(ADMIN_KEY);
      expect(outcome(await chat(key))).toBe('200 completed');
    });

    it('should open nothing any more once its call’s body arrives, if it was revoked meanwhile', async () => {
      const { key, id } = await product.key({ dao_id: DAO, principal: 'tg:12345' });
      const { hostname, port } = new URL(product.url);
      const socket = connect(Number(port), hostname);
      const body = JSON.stringify({ prompt: 'Late' });
      const head = [
        'POST /route HTTP/1.1',
        'host: x',
        `authorization: Bearer ${key}`,
        'content-type: application/json',
      ];
      socket.write(`${[...head, 'connection: close', `content-length: ${body.length}`].join('\r\n')}\r\n\r\n`);
      const used = async (): Promise<boolean> => {
        const row = product.database.all.selectFrom('api_keys').where('id', '=', id).select('last_used_at');
        return (await row.executeTakeFirst())?.last_used_at instanceof Date;
      };
      // The head was let in: the key's use is noted.
      await until(used, 'the head of the call');
      const seenAt = performance.now();
      expect((await product.call('DELETE', `/keys/${id}`, { key: ADMIN_KEY })).status).toBe(200);
      await until(() => performance.now() - seenAt > KEY_SEEN_MS, 'the end of what was told of the key');
      socket.write(body);
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 401 [\s\S]*opens nothing/);
      expect(fake.stats.calls).toBe(0);
    });

    it('should be made, listed and revoked by the admins of their DAO, on the record', async () => {
      const made = await create('admin', { principal: 'tg:12345' });
      expect(made.body).toMatchObject({ dao_id: DAO, principal: 'tg:12345' });
      const { key, id } = made.body as unknown as { key: string; id: string };
      const call = { key: keys.admin! };
      const listed = await product.call('GET', '/keys', call);
      expect(listed.body.keys.every((one) => (one as unknown as { dao_id: string }).dao_id === DAO)).toBe(true);
      expect(listed.body.keys.map((one) => one.id)).toContain(id);
      expect((await product.call('DELETE', `/keys/${id}`, call)).body).toEqual({ ok: true, id });
      expect(outcome(await chat(key))).toBe('401 UNAUTHENTICATED');
      expect(outcome(await product.call('DELETE', `/keys/${id}`, call))).toBe('404 KEY_NOT_FOUND');
      const rows = product.database.all.selectFrom('audit').where('subject', '=', id).orderBy('seq').selectAll();
      const maker = await product.memberId(DAO, 'tg:1');
      expect(await rows.execute()).toMatchObject([
        { chain: DAO, actor: maker, action: 'key.create' },
        { chain: DAO, actor: maker, action: 'key.revoke' },
      ]);
    });

    it('should have one successor at a time', async () => {
      const { id } = (await create('admin', { principal: 'tg:12345' })).body as unknown as { id: string };
      const rotate = () => product.call('POST', `/keys/${id}/rotate`, { key: keys.admin! }, {});
      const first = await rotate();
      expect(first.status).toBe(201);
      const again = await rotate();
      expect(outcome(again)).toBe('409 KEY_REPLACED');
      expect(again.body.error).toMatchObject({ successor: (first.body as unknown as { id: string }).id });
    });

    it('should be on the record when they overstep', async () => {
      await chat('member', { user_id: 'tg:1' });
      await chat('member', { dao_id: OTHER });
      const rows = product.database.of(DAO).selectFrom('audit').where('action', '=', 'access.denied').select('entry');
      const denied = (await rows.execute()).map(({ entry }) => JSON.parse(entry) as { detail: object; actor: string });
      const actor = await product.memberId(DAO, 'tg:12345');
      for (const code of ['ACTING_NOT_ALLOWED', 'DAO_FORBIDDEN']) {
        expect(denied).toContainEqual(expect.objectContaining({ actor, detail: { code } }));
      }
    });

    it('should not be of another DAO, nor of all, when a DAO’s admin makes or revokes them', async () => {
      expect(outcome(await create('admin', { dao_id: OTHER }))).toBe('403 DAO_FORBIDDEN');
      expect((await create('admin', {})).body).toMatchObject({ dao_id: DAO });
      const theirs = await product.key({ dao_id: OTHER });
      const everywhere = await product.key({});
      for (const { id } of [theirs, everywhere, { id: 'admin' }]) {
        const reply = await product.call('DELETE', `/keys/${id}`, { key: keys.admin! });
        expect(reply.body.ok).toBe(false);
        expect([400, 404]).toContain(reply.status);
      }
      expect(outcome(await chat(everywhere.key, { user_id: 'tg:12345' }))).toBe('200 completed');
    });

    it('should not be made by members, guests or a gateway key of all DAOs without a grant', async () => {
      for (const key of ['member', 'contributor', 'gateway', 'everywhere']) {
        expect(outcome(await create(key, {}))).toBe('403 RBAC_PERMISSION_DENIED');
        const listed = await product.call('GET', '/keys', { key: keys[key]! });
        expect(outcome(listed)).toBe('403 RBAC_PERMISSION_DENIED');
      }
      expect((await create('everywhere', { dao_id: DAO })).body.error).toMatchObject({
        code: 'RBAC_PERMISSION_DENIED',
        required_entitlement: 'key.manage',
        roles: ['guest'],
      });
    });

    it('should never speak for a key', async () => {
      for (const principal of ['api:admin', 'api:x', 'api:']) {
        expect(outcome(await create(ADMIN_KEY, { dao_id: DAO, principal }))).toBe('400 BODY_INVALID');
        expect(outcome(await create('admin', { principal }))).toBe('400 BODY_INVALID');
      }
    });

    it('should be of a DAO that is there', async () => {
      expect(outcome(await create(ADMIN_KEY, { dao_id: 'no-dao' }))).toBe('404 DAO_NOT_FOUND');
    });

    it('should need a name, and nothing that is unknown', async () => {
      for (const body of [{ name: '' }, { name: 5 }, { name: 'x', gateway: true }, { name: 'x', hash: 'y' }]) {
        expect(outcome(await create(ADMIN_KEY, body))).toBe('400 BODY_INVALID');
      }
    });

    it('should not give more than their maker has', async () => {
      const db = product.database.of(DAO);
      await db
        .insertInto('roles')
        .values({ dao_id: DAO, name: 'keeper', entitlements: ['chat.read', 'key.manage'] })
        .execute();
      await addMember(db, DAO, { userId: 'tg:88', roles: ['keeper'] });
      keys.keeper = (await product.key({ dao_id: DAO, principal: 'tg:88' })).key;
      expect(outcome(await create('keeper', { principal: 'tg:1' }))).toBe('403 RBAC_PERMISSION_DENIED');
      expect(outcome(await create('keeper', { principal: 'tg:12345' }))).toBe('403 RBAC_PERMISSION_DENIED');
      expect(outcome(await create('keeper', {}))).toBe('403 RBAC_PERMISSION_DENIED');
      expect((await create('keeper', { principal: 'tg:88' })).status).toBe(201);
      expect((await create('keeper', { principal: 'tg:a-guest' })).status).toBe(201);
    });
  });
});
