import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, fakeProvider, Product, type Call, type Reply } from './harness.js';

const DAO = 'orchard';

/** What these routes answer with. */
interface Told {
  rows: { detail: object }[];
  id: string;
  name: string;
  version: string;
  facts: Record<string, string>;
  roles: string[];
  user_ids?: string[];
  daos: { id: string }[];
  members: { id: string; name: string | null; roles: string[]; user_ids?: string[] }[];
  invitations: { id: string }[];
  next: string | null;
  secret?: string;
  code: string;
  member: { id: string; roles: string[]; user_ids: string[] };
  requests: number;
}

describe('DAOs and their people over HTTP', () => {
  let fake: WireFake;
  let product: Product;
  /** Secrets of keys, by what they are. */
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake)], ['fake']) });
    const made = await ask(
      'POST',
      '/daos',
      {},
      { id: DAO, name: 'Orchard', facts: { purpose: 'Apples.' }, admin: 'tg:1' },
    );
    expect(outcome(made)).toBe('201 ok');
    for (const principal of ['tg:1', 'tg:2', 'tg:3', 'tg:4', 'tg:5']) {
      keys[principal] = (await product.key({ dao_id: DAO, principal })).key;
    }
    keys.bot = (await product.key({ dao_id: DAO })).key;
  });

  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  beforeEach(() => {
    fake.reset();
  });

  /** A call by whoever has the key of this name, or the administrator. */
  const ask = (
    method: string,
    path: string,
    { by, ...call }: Call & { by?: string } = {},
    body?: object,
  ): Promise<Reply> => product.call(method, path, { ...(by !== undefined && { key: keys[by] ?? by }), ...call }, body);
  const told = ({ body }: Reply): Told => body as unknown as Told;
  const outcome = ({ status, body }: Reply): string => `${status} ${body.ok ? 'ok' : body.error.code}`;
  const chat = (by: string): Promise<Reply> =>
    ask('POST', '/route', { by }, { prompt: 'Hello', metadata: { note: 'mine' } });
  const add = (user_id: string, roles: string[], name?: string): Promise<Reply> =>
    ask('POST', `/daos/${DAO}/members`, { by: 'tg:1' }, { user_id, roles, name });

  it('should show a DAO to its people, and a list of all to the administrator', async () => {
    const shown = await ask('GET', `/daos/${DAO}`, { by: 'tg:2' });
    expect(told(shown)).toMatchObject({
      id: DAO,
      name: 'Orchard',
      facts: { purpose: 'Apples.' },
      settings: {},
      limits: {},
    });
    expect(shown.headers.get('etag')).toBe('"1"');
    expect(told(await ask('GET', '/daos?limit=1'))).toMatchObject({
      daos: [{ id: 'greenfood-dao' }],
      next: 'greenfood-dao',
    });
    expect(told(await ask('GET', '/daos?after=greenfood-dao'))).toMatchObject({ daos: [{ id: DAO }], next: null });
    expect(told(await ask('GET', '/daos', { by: 'tg:2' }))).toMatchObject({ daos: [{ id: DAO }], next: null });
    expect(outcome(await ask('GET', '/daos/greenfood-dao', { by: 'tg:2' }))).toBe('403 DAO_FORBIDDEN');
    expect(outcome(await ask('POST', '/daos', {}, { id: DAO, name: 'Again' }))).toBe('409 DAO_EXISTS');
    expect(outcome(await ask('POST', '/daos', { by: 'tg:1' }, { id: 'mine', name: 'Mine' }))).toBe(
      '403 RBAC_PERMISSION_DENIED',
    );
  });

  it.each([
    [{ id: 'Upper', name: 'x' }],
    [{ id: '-x', name: 'x' }],
    [{ id: 'x', name: '  ' }],
    [{ id: 'x', name: 'x', facts: { '': 'y' } }],
    [{ id: 'x', name: 'x', settings: {} }],
  ])('should not create %j', async (body) => {
    expect(outcome(await ask('POST', '/daos', {}, body))).toBe('400 BODY_INVALID');
  });

  it('should let the second of two admins know that the first was there', async () => {
    const etag = (await ask('GET', `/daos/${DAO}`, { by: 'tg:1' })).headers.get('etag') ?? '';
    const change = (body: object, match = etag): Promise<Reply> =>
      ask('PATCH', `/daos/${DAO}`, { by: 'tg:1', headers: { 'if-match': match } }, body);
    const first = await change({ facts: { season: 'Autumn.' } });
    expect(told(first).facts).toEqual({ purpose: 'Apples.', season: 'Autumn.' });
    const late = await change({ name: 'Another' });
    expect(outcome(late)).toBe('412 VERSION_CHANGED');
    expect(late.body.error.version).toBe(told(first).version);
    expect(told(await change({ facts: { season: null } }, '*')).facts).toEqual({ purpose: 'Apples.' });
    for (const body of [
      {},
      { settings: { quorum: 2 } },
      { settings: { voting_hours: 0 } },
      { limits: { weight: 0 } },
    ]) {
      expect(outcome(await change(body, '*'))).toBe('400 BODY_INVALID');
    }
    expect(outcome(await change({ limits: { weight: 5 } }, '*'))).toBe('403 RBAC_PERMISSION_DENIED');
  });

  it('should hold a DAO to what the platform gave it, at once', async () => {
    expect(outcome(await add('tg:2', ['member']))).toBe('201 ok');
    const limit = (limits: object): Promise<Reply> => ask('PATCH', `/daos/${DAO}`, {}, { limits });
    await limit({ requests_per_minute: 1, weight: 3 });
    const answered = await chat('tg:2');
    expect(answered.headers.get('ratelimit-policy')).toContain('"dao";q=1;w=60');
    const row = product.database.of(DAO).selectFrom('requests').where('id', '=', answered.body.request_id);
    expect(await row.select(['decision', 'access']).executeTakeFirst()).toMatchObject({
      decision: { weight: 3 },
      access: { dao: { weight: 3 } },
    });
    expect(outcome(await chat('tg:2'))).toBe('429 RATE_LIMITED');
    await limit({ requests_per_minute: null, weight: null });
    expect(outcome(await chat('tg:2'))).toBe('200 ok');
  });

  it('should add, show, change and remove members', async () => {
    const added = await add('tg:3', ['contributor'], 'Cy');
    const { id } = told(added);
    expect([outcome(added), added.headers.get('etag')]).toEqual(['201 ok', '"1"']);
    expect(outcome(await add('tg:3', ['contributor']))).toBe('200 ok');
    expect(outcome(await add('tg:3', ['member']))).toBe('409 MEMBER_EXISTS');
    const seen = told(await ask('GET', `/daos/${DAO}/members`, { by: 'tg:2' })).members;
    expect(seen.find((one) => one.id === id)).toMatchObject({ name: 'Cy', roles: ['contributor'] });
    expect(seen.find((one) => one.id === id)).not.toHaveProperty('user_ids');
    const path = `/daos/${DAO}/members/${id}`;
    const change = await ask('PATCH', path, { by: 'tg:1', headers: { 'if-match': '"1"' } }, { roles: ['member'] });
    expect(told(change)).toMatchObject({ roles: ['member'], version: '2' });
    expect((await chat('tg:3')).body.rbac.roles).toEqual(['member']);
    expect(outcome(await ask('PATCH', path, { by: 'tg:2' }, { roles: ['admin'] }))).toBe('403 RBAC_PERMISSION_DENIED');
    expect(outcome(await ask('DELETE', path, { by: 'tg:1', headers: { 'if-match': '"1"' } }))).toBe(
      '412 VERSION_CHANGED',
    );
    const byUser = (query: string, body?: object): Promise<Reply> =>
      ask('DELETE', `/daos/${DAO}/members${query}`, { by: 'tg:1' }, body);
    for (const [query, body] of [
      ['', undefined],
      ['', {}],
      ['?user_id=tg:3', { user_id: 'tg:2' }],
    ] as const) {
      expect(outcome(await byUser(query, body))).toBe('400 BODY_INVALID');
    }
    expect(told(await byUser('?user_id=tg:3'))).toMatchObject({ id });
    expect(outcome(await chat('tg:3'))).toBe('403 RBAC_PERMISSION_DENIED');
    const again = told(await add('tg:3', ['contributor'])).id;
    expect(told(await byUser('', { user_id: 'tg:3' }))).toMatchObject({ id: again });
    const last = await ask('DELETE', `/daos/${DAO}/members?user_id=tg:1`);
    expect(outcome(last)).toBe('409 LAST_ADMIN');
    expect(last.body.error.message).toContain('another admin');
  });

  it('should let in whoever was invited, by secret or by name', async () => {
    const invite = (body: object): Promise<Reply> =>
      ask('POST', `/daos/${DAO}/invitations`, { by: 'tg:1' }, { roles: ['member'], ...body });
    const { secret = '' } = told(await invite({}));
    expect(told(await ask('GET', `/daos/${DAO}/invitations`, { by: 'tg:1' })).invitations).toHaveLength(1);
    const redeem = (by: string, body: object): Promise<Reply> => ask('POST', '/invitations/redeem', { by }, body);
    expect(told(await redeem('tg:4', { secret })).member).toMatchObject({ roles: ['member'], user_ids: ['tg:4'] });
    expect(outcome(await redeem('tg:5', { secret }))).toBe('410 INVITATION_ENDED');
    expect(outcome(await redeem('tg:4', { secret }))).toBe('409 MEMBER_EXISTS');
    expect(told(await invite({ user_id: 'tg:50' }))).not.toHaveProperty('secret');
    expect(outcome(await redeem('tg:5', { dao_id: DAO }))).toBe('404 INVITATION_NOT_FOUND');
    expect(outcome(await redeem('bot', { dao_id: DAO, user_id: 'tg:50' }))).toBe('200 ok');
    for (const body of [{}, { secret, dao_id: DAO }, { secret }, { dao_id: DAO }, { dao_id: DAO, user_id: 'p_1' }])
      expect(outcome(await redeem('bot', body))).toBe('400 BODY_INVALID');
  });

  it.each(['api:x', 'p_0', 'x_0', 'tg:\u200b1', ' tg:1'])('should make nobody a member as %j', async (user_id) => {
    const { id } = told(await ask('GET', `/daos/${DAO}/members/me`, { by: 'tg:1' }));
    for (const [path, body] of [
      [`/daos/${DAO}/members`, { user_id, roles: ['member'] }],
      [`/daos/${DAO}/members/${id}/ids`, { user_id }],
      [`/daos/${DAO}/invitations`, { user_id, roles: ['member'] }],
      ['/daos', { id: 'odd', name: 'Odd', admin: user_id }],
    ] as const) {
      expect(outcome(await ask('POST', path, path === '/daos' ? {} : { by: 'tg:1' }, body))).toBe('400 BODY_INVALID');
    }
  });

  it('should link a second id by a code, and take it off again', async () => {
    const { code } = told(await ask('POST', `/daos/${DAO}/members/me/link`, { by: 'tg:4' }));
    const linked = await ask('POST', '/invitations/redeem', { by: 'bot' }, { secret: code, user_id: 'dc:4' });
    expect(told(linked).member.user_ids).toEqual(['tg:4', 'dc:4']);
    const reply = await ask('POST', '/route', { by: 'bot' }, { prompt: 'Hello', metadata: { user_id: 'dc:4' } });
    expect(reply.body.rbac.roles).toEqual(['member']);
    const own = await ask('DELETE', `/daos/${DAO}/members/me/ids/dc:4`, { by: 'tg:4' });
    expect(told(own).user_ids).toEqual(['tg:4']);
    expect(outcome(await ask('DELETE', `/daos/${DAO}/members/me/ids/tg:4`, { by: 'tg:4' }))).toBe('409 LAST_ID');
  });

  it('should not make whoever rules over keys the people for whom they speak', async () => {
    keys.lent = (await product.key({ dao_id: DAO, principal: 'tg:4' }, { key: keys['tg:1'] ?? '' })).key;
    keys.lentBot = (await product.key({ dao_id: DAO }, { key: keys['tg:1'] ?? '' })).key;
    expect(outcome(await chat('lent'))).toBe('200 ok');
    for (const [by, query] of [
      ['lent', ''],
      ['lentBot', '?user_id=tg:4'],
    ] as const) {
      for (const path of ['link', 'forget']) {
        const reply = await ask('POST', `/daos/${DAO}/members/me/${path}${query}`, { by });
        expect(outcome(reply)).toBe('403 ACTING_NOT_ALLOWED');
      }
    }
    const { rows } = told(await ask('GET', `/audit?dao_id=${DAO}&action=access.denied&actor=tg:4`, { by: 'tg:1' }));
    const { id: owner } = told(await ask('GET', `/daos/${DAO}/members/me`, { by: 'tg:1' }));
    expect(rows).toMatchObject([
      { detail: { code: 'ACTING_NOT_ALLOWED', key: { owner } } },
      { detail: { key: { owner } } },
    ]);
    expect(outcome(await ask('POST', `/daos/${DAO}/members/me/forget`, { by: 'bot' }))).toBe('400 QUERY_INVALID');
  });

  it('should forget whoever asks for it, and let the requests stand without them', async () => {
    const reply = await chat('tg:4');
    const id = reply.body.request_id;
    const before = await ask('GET', `/requests/${id}`, { by: 'tg:4' });
    expect(before.body.data.text).not.toBe('');
    const gone = await ask('POST', `/daos/${DAO}/members/me/forget`, { by: 'tg:4' });
    expect(outcome(gone)).toBe('200 ok');
    expect(told(gone).id).toMatch(/^p_/);
    expect(outcome(await ask('GET', `/requests/${id}`, { by: 'tg:1' }))).toBe('200 ok');
    const row = product.database.of(DAO).selectFrom('requests').where('id', '=', id).selectAll();
    expect(await row.executeTakeFirst()).toMatchObject({ actor: told(gone).id, metadata: {}, status: 'completed' });
    expect(outcome(await chat('tg:4'))).toBe('401 UNAUTHENTICATED');
    const guest = await ask('POST', `/daos/${DAO}/members/me/forget?user_id=tg:999`, { by: 'bot' });
    expect(told(guest)).toMatchObject({ id: expect.stringMatching(/^x_/) as unknown, requests: 0 });
  });
});
