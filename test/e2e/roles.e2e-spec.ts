import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, DAO, fakeProvider, Product, type Call, type Reply } from './harness.js';

const OTHER = 'other-dao';

describe('roles and rights', () => {
  let fake: WireFake;
  let product: Product;
  /** Secrets of keys, by whom they speak for. */
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    const profile = { ...chatProfile([fakeProvider('fake', fake)], ['fake']), guard: { enabled: true } };
    product = await Product.open({ profile });
    await product.createDao(OTHER, { 'tg:7': ['admin'], 'tg:1': ['member'] });
    const wanted = {
      admin: { dao_id: DAO, principal: 'tg:1' },
      member: { dao_id: DAO, principal: 'tg:12345' },
      guest: { dao_id: DAO, principal: 'tg:nobody' },
      gateway: { dao_id: DAO },
      otherAdmin: { dao_id: OTHER, principal: 'tg:7' },
    };
    for (const [name, body] of Object.entries(wanted)) keys[name] = (await product.key(body)).key;
  });

  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  const call = (key: string, method: string, path: string, body?: object, more: Call = {}): Promise<Reply> =>
    product.call(method, path, { key: keys[key] ?? key, ...more }, body);

  const outcome = ({ status, body }: Reply): string => `${status}${body.ok ? '' : ` ${body.error.code}`}`;

  const chat = (key: string): Promise<Reply> => call(key, 'POST', '/route', { prompt: 'Hello' });

  const putRole = (key: string, name: string, body: object, headers: Record<string, string> = {}): Promise<Reply> =>
    call(key, 'PUT', `/roles/${name}`, body, { headers });

  it('should be listed for every member and guest', async () => {
    const { body } = await call('member', 'GET', '/roles?limit=2');
    expect(body).toMatchObject({
      ok: true,
      roles: [
        { name: 'admin', version: '1', holders: 1 },
        { name: 'contributor', holders: 1 },
      ],
      next: 'contributor',
    });
    expect((await call('member', 'GET', '/roles?limit=2&after=contributor')).body).toMatchObject({
      roles: [{ name: 'guest', entitlements: ['chat.read'], holders: 0 }, { name: 'member' }],
      next: null,
    });
    // Guests are not told who belongs, nor how many.
    const seen = await call('guest', 'GET', '/roles');
    expect(seen.body).toMatchObject({ ok: true, next: null });
    expect(JSON.stringify(seen.body)).not.toContain('holders');
  });

  it('should be made, given, changed by the version that was seen, and deleted', async () => {
    const made = await putRole('admin', 'speaker', { entitlements: ['chat.write', 'chat.read'] });
    expect(made).toMatchObject({ status: 201, body: { name: 'speaker', entitlements: ['chat.read', 'chat.write'] } });
    const { version } = made.body as unknown as { version: string };
    expect(made.headers.get('etag')).toBe(`"${version}"`);
    const joined = await call('admin', 'POST', `/daos/${DAO}/members`, { user_id: 'tg:nobody', roles: ['speaker'] });
    expect(joined.body.ok).toBe(true);
    expect(outcome(await chat('guest'))).toBe('200');
    const tag = { 'if-match': `"${version}"` };
    const changed = await putRole('admin', 'speaker', { entitlements: ['chat.read'] }, tag);
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, `"${Number(version) + 1}"`]);
    // From the next request on.
    expect(outcome(await chat('guest'))).toBe('403 RBAC_PERMISSION_DENIED');
    expect(outcome(await putRole('admin', 'speaker', { entitlements: [] }, tag))).toBe('412 VERSION_CHANGED');
    expect(outcome(await call('admin', 'DELETE', '/roles/speaker'))).toBe('409 ROLE_IN_USE');
    await call('admin', 'DELETE', `/daos/${DAO}/members?user_id=tg:nobody`);
    const stale = await call('admin', 'DELETE', '/roles/speaker', undefined, { headers: tag });
    expect(outcome(stale)).toBe('412 VERSION_CHANGED');
    expect((await call('admin', 'DELETE', '/roles/speaker')).body).toEqual({ ok: true, name: 'speaker' });
    expect(outcome(await call('admin', 'DELETE', '/roles/speaker'))).toBe('404 ROLE_NOT_FOUND');
  });

  it('should wait to be confirmed where somebody would be let in who was refused', async () => {
    expect(outcome(await chat('guest'))).toBe('403 RBAC_PERMISSION_DENIED');
    const entitlements = ['chat.read', 'chat.write'];
    const held = await putRole('admin', 'guest', { entitlements });
    expect(outcome(held)).toBe('409 ROLE_CHANGE_HELD');
    const { confirm, reasons, report } = held.body.error as unknown as Record<string, unknown>;
    expect(reasons).toEqual(expect.arrayContaining([expect.stringContaining('would be allowed')]));
    expect(report).toMatchObject({ newly_allowed: expect.any(Number) as unknown });
    expect(outcome(await chat('guest'))).toBe('403 RBAC_PERMISSION_DENIED');
    expect(outcome(await putRole('admin', 'guest', { entitlements, confirm }))).toBe('200');
    expect(outcome(await chat('guest'))).toBe('200');
    // The other DAO has a guest of its own.
    expect((await call('otherAdmin', 'GET', '/roles')).body).toMatchObject({
      roles: expect.arrayContaining([
        expect.objectContaining({ name: 'guest', entitlements: ['chat.read'] }),
      ]) as unknown,
    });
  });

  it('should be refused to those who may not, and where the names or rights are none', async () => {
    const body = { entitlements: ['chat.read'] };
    expect(outcome(await putRole('member', 'mine', body))).toBe('403 RBAC_PERMISSION_DENIED');
    expect(outcome(await putRole('admin', 'Mine', body))).toBe('400 QUERY_INVALID');
    expect(outcome(await putRole('admin', 'mine', { entitlements: ['platform.admin'] }))).toBe('400 BODY_INVALID');
    expect(outcome(await putRole('otherAdmin', `mine?dao_id=${DAO}`, body))).toBe('403 DAO_FORBIDDEN');
    expect(outcome(await putRole('admin', 'admin', body))).toMatch(/^409 (LAST_ADMIN|ROLE_CHANGE_HELD)$/);
    expect(outcome(await call('admin', 'DELETE', '/roles/guest'))).toBe('409 ROLE_IN_USE');
  });

  describe('of a user', () => {
    const MEMBER = ['chat.read', 'chat.write', 'agent.crew', 'proposal.create', 'proposal.vote'];

    it('should be told to the user and to those who administer', async () => {
      const expected = { ok: true, dao_id: DAO, user_id: 'tg:12345', roles: ['member'], entitlements: MEMBER };
      for (const [key, path] of [
        ['member', '/rbac/resolve'],
        ['member', '/rbac/resolve?user_id=tg:12345'],
        ['admin', '/rbac/resolve?user_id=tg:12345'],
        ['gateway', `/rbac/resolve?dao_id=${DAO}&user_id=tg:12345`],
      ] as const) {
        const reply = await call(key, 'GET', path);
        expect(reply).toMatchObject({ status: 200, body: expected });
        expect(reply.body).toMatchObject({ member: await product.memberId(DAO, 'tg:12345') });
      }
      const posted = await call('gateway', 'POST', '/rbac/resolve', { dao_id: DAO, user_id: 'tg:stranger' });
      expect(posted).toMatchObject({ status: 200, body: { member: null, roles: ['guest'] } });
      const administrator = await product.call('GET', '/rbac/resolve');
      expect(administrator.body).toMatchObject({ user_id: 'api:admin', roles: ['admin'] });
    });

    it('should not be told to others', async () => {
      expect(outcome(await call('member', 'GET', '/rbac/resolve?user_id=tg:1'))).toBe('403 RBAC_PERMISSION_DENIED');
      expect(outcome(await call('guest', 'GET', '/rbac/resolve?user_id=tg:1'))).toBe('403 RBAC_PERMISSION_DENIED');
      expect(outcome(await call('gateway', 'GET', `/rbac/resolve?dao_id=${OTHER}&user_id=tg:7`))).toBe(
        '403 DAO_FORBIDDEN',
      );
      expect(outcome(await call('admin', 'GET', '/rbac/resolve?user_id=api:admin'))).toBe('403 ACTING_NOT_ALLOWED');
      expect(outcome(await call('admin', 'POST', '/rbac/resolve', { user: 'tg:1' }))).toBe('400 BODY_INVALID');
    });
  });

  describe('of a key', () => {
    it('should be narrowed, and go on with a successor while the former one still works', async () => {
      const made = await call('admin', 'POST', '/keys', { name: 'chats', principal: 'tg:1', scopes: ['chat.write'] });
      expect(made).toMatchObject({ status: 201, body: { scopes: ['chat.write'], expires_at: null } });
      const { key, id } = made.body as unknown as { key: string; id: string };
      expect(outcome(await chat(key))).toBe('200');
      expect(outcome(await call(key, 'GET', '/keys'))).toBe('403 RBAC_PERMISSION_DENIED');
      const rotated = await call('admin', 'POST', `/keys/${id}/rotate`, { overlap_seconds: 60 });
      expect(rotated).toMatchObject({ status: 201, body: { replaces: id, scopes: ['chat.write'], principal: 'tg:1' } });
      const next = rotated.body as unknown as { key: string; id: string };
      const successor = next.key;
      expect([outcome(await chat(key)), outcome(await chat(successor))]).toEqual(['200', '200']);
      const { body } = await call('admin', 'GET', '/keys?limit=200');
      expect(body.keys.find((one) => one.id === id)).toMatchObject({
        ...{ owner: await product.memberId(DAO, 'tg:1'), scopes: ['chat.write'] },
        ...{ last_used_at: expect.any(String) as unknown, expires_at: expect.any(String) as unknown },
      });
      expect(outcome(await call('admin', 'POST', `/keys/${id}/rotate`, {}))).toBe('409 KEY_REPLACED');
      await call('admin', 'POST', `/keys/${next.id}/rotate`, { overlap_seconds: 0 });
      expect([outcome(await chat(key)), outcome(await chat(successor))]).toEqual(['200', '401 UNAUTHENTICATED']);
    });

    it('should be listed part by part', async () => {
      const first = await call('admin', 'GET', '/keys?limit=1');
      const { next } = first.body as unknown as { next: string };
      expect(first.body.keys.map(({ id }) => id)).toEqual([next]);
      const rest = await call('admin', 'GET', `/keys?after=${next}&limit=200`);
      expect(rest.body).toMatchObject({ next: null });
      expect(rest.body.keys.map(({ id }) => id)).not.toContain(next);
    });
  });

  it('should be found with all that there is in a DAO', async () => {
    const query = (key: string, body: object): Promise<Reply> => call(key, 'POST', '/microdao/query', body);
    expect((await query('member', { query_type: 'roles' })).body).toMatchObject({
      ...{ ok: true, dao_id: DAO, query_type: 'roles' },
      roles: expect.arrayContaining([expect.objectContaining({ name: 'admin' })]) as unknown,
    });
    const members = await query('gateway', { query_type: 'members', user_id: 'tg:12345', role: 'admin' });
    expect(members.body).toMatchObject({
      members: [{ id: await product.memberId(DAO, 'tg:1'), roles: ['admin'] }],
      next: null,
    });
    expect(JSON.stringify(members.body)).not.toContain('tg:1');
    expect(JSON.stringify((await query('admin', { query_type: 'members' })).body)).toContain('tg:12345');
    expect(outcome(await query('gateway', { query_type: 'members', user_id: 'tg:unheard', dao_id: OTHER }))).toBe(
      '403 DAO_FORBIDDEN',
    );
    expect(outcome(await query('member', { query_type: 'everything' }))).toBe('400 BODY_INVALID');
  });
});
