import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { CommandLine, firstLine, type Outcome } from './command-line.js';
import { chatProfile, fakeProvider, Product } from './harness.js';

const DAO = 'orchard';

describe('people at the command line', () => {
  let fake: WireFake;
  let product: Product;
  let line: CommandLine;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    const profile = { ...chatProfile([fakeProvider('fake', fake)], ['fake']), guard: { enabled: true } };
    product = await Product.open({ profile });
    line = new CommandLine(product);
  });

  afterAll(async () => {
    line.restore();
    await product.close();
    await fake.close();
  });

  const dagi = (by: string, words: string[]): Promise<Outcome> => line.dagi(by, words);
  const done = (by: string, ...words: string[]): Promise<string> => line.done(by, ...words);
  const json = (by: string, ...words: string[]): Promise<Record<string, unknown>> => line.json(by, ...words);
  const newKey = (name: string, ...words: string[]): Promise<void> => line.newKey(name, DAO, ...words);

  it('should create a DAO and show it', async () => {
    const made = await done(
      'platform',
      'dao',
      'create',
      DAO,
      '--name',
      'Orchard',
      '--admin',
      'tg:1',
      '--fact',
      'purpose=Apples.',
    );
    expect(made).toMatch(/^orchard: Orchard\nversion 1, since .*\nfacts\n {2}purpose: Apples\.\n$/);
    expect(await done('platform', 'dao', 'list', '--limit', '1')).toContain(
      'and more: these are the first 1 (--limit)',
    );
    await newKey('admin', '--principal', 'tg:1');
    await newKey('bot');
    const twice = await dagi('platform', ['dao', 'create', DAO, '--name', 'Again']);
    expect(twice.error).toMatchObject({ code: 'DAO_EXISTS', message: expect.stringContaining('dagi dao show') });
  });

  it('should change a DAO only as it was seen', async () => {
    const set = (...words: string[]) => dagi('admin', ['dao', 'set', DAO, ...words]);
    const changed = await set('facts.season=Autumn', 'settings.quorum=0.25', '--if-version', '1');
    expect(changed.out).toContain('  quorum: 0.25\nfacts\n');
    expect(changed.out).toContain('  season: Autumn\n');
    const late = await set('name=Another', '--if-version', '1');
    expect(late.error).toMatchObject({ code: 'VERSION_CHANGED', message: expect.stringContaining('--if-version 2') });
    expect((await set('settings.quorum=')).out).not.toContain('quorum');
    expect(await json('admin', 'dao', 'show')).toMatchObject({ id: DAO, version: '3', settings: {} });
  });

  it('should add members, and give them a role of the DAO', async () => {
    expect(await done('admin', 'member', 'add', 'tg:5', '--roles', 'member', '--name', 'Cy\u0007')).toMatch(
      /^p_\w+ \(Cy\): member, known as tg:5, version 1\n$/,
    );
    const gives = 'chat.read,chat.write,member.invite';
    expect(await done('admin', 'role', 'put', 'steward', '--gives', gives)).toMatch(
      /^steward gives chat\.read, chat\.write, member\.invite; members with it: 0; version \d+\n$/,
    );
    await done('admin', 'member', 'change', 'tg:5', '--roles', 'steward,member', '--if-version', '1');
    expect(await done('admin', 'role', 'list')).toMatch(/^steward +1 +\d+ +chat\.read, chat\.write, member\.invite$/m);
    expect(await done('bot', 'resolve', 'tg:5')).toMatch(
      /^tg:5 in orchard\nmember {2}p_\w+\nroles {3}member, steward\nmay {5}chat\.read, .*member\.invite/,
    );
    const used = await dagi('admin', ['role', 'delete', 'steward']);
    expect(used.error).toMatchObject({
      code: 'ROLE_IN_USE',
      message: expect.stringContaining('dagi member list --role'),
    });
    expect(await done('admin', 'member', 'list', '--role', 'steward')).toMatch(
      /^p_\w+ +Cy +member, steward|steward, member/m,
    );
    const last = await dagi('admin', ['member', 'remove', 'tg:1']);
    expect(last.error).toMatchObject({ code: 'LAST_ADMIN', message: expect.stringContaining('dagi member change') });
  });

  it('should hold a change of a role that lets somebody in, and make it when it is confirmed', async () => {
    await newKey('stranger', '--principal', 'tg:900');
    const refused = await product.call(
      'POST',
      '/route',
      { key: line.keys.stranger ?? '' },
      { prompt: 'Write a poem of apples' },
    );
    expect(refused.status).toBe(403);
    const put = (...words: string[]) =>
      dagi('admin', ['role', 'put', 'guest', '--gives', 'chat.read,chat.write', ...words]);
    const held = await put();
    expect(held.out).toContain('the change of guest is held, because:\n  - ');
    expect(held.out).toContain('1 recorded request');
    const [, command = ''] = /: npx dagi (role put .*)$/.exec(held.error?.message ?? '') ?? [];
    expect(held.error?.code).toBe('ROLE_CHANGE_HELD');
    const asJson = await put('--json');
    expect(JSON.parse(asJson.out)).toMatchObject({ ok: false, error: { code: 'ROLE_CHANGE_HELD' } });
    expect(await done('admin', ...command.split(' '))).toContain('guest gives chat.read, chat.write; ');
  });

  it('should make a narrowed key, rotate and revoke it', async () => {
    const made = await json(
      'admin',
      'keys',
      'create',
      '--scopes',
      'chat.read',
      '--principal',
      'tg:5',
      '--name',
      'reader',
    );
    const { id, key } = made as { id: string; key: string };
    const chats = async (by: string): Promise<number> =>
      (await product.call('POST', '/route', { key: by }, { prompt: 'Hello' })).status;
    expect(await done(key, 'resolve')).toContain('may     chat.read\n');
    expect(await chats(key)).toBe(403);
    const rotated = await done('admin', 'keys', 'rotate', id, '--overlap', '1h');
    const successor = firstLine(rotated);
    expect(rotated).toContain(`takes the place of ${id}`);
    expect(await done(successor, 'resolve')).toContain('may     chat.read\n');
    expect(await done(key, 'resolve')).toContain('may     chat.read\n');
    const all = (await json('admin', 'keys', 'list')).keys as {
      id: string;
      replaces: string | null;
      expires_at: string;
    }[];
    const [next] = all.filter(({ replaces }) => replaces === id);
    expect(all.find((one) => one.id === id)?.expires_at).toMatch(/^20/);
    expect(await done('admin', 'keys', 'list')).toMatch(
      new RegExp(`^${id} +reader +orchard +tg:5 +p_\\w+ +chat\\.read +20`, 'm'),
    );
    await done('admin', 'keys', 'revoke', next?.id ?? '');
    expect((await dagi(successor, ['resolve'])).error).toMatchObject({ code: 'UNAUTHENTICATED' });
    const twice = await dagi('admin', ['keys', 'revoke', next?.id ?? '']);
    expect(twice.error).toMatchObject({ code: 'KEY_NOT_FOUND', message: expect.stringContaining('dagi keys list') });
  });

  it('should invite, let another user redeem through a gateway key, and take back', async () => {
    const secret = firstLine(await done('admin', 'member', 'invite', '--roles', 'member', '--expires', '2h'));
    expect(await done('bot', 'member', 'redeem', secret, '--as', 'tg:7')).toMatch(
      /^in orchard: p_\w+: member, known as tg:7, version 1\n$/,
    );
    const used = await dagi('bot', ['member', 'redeem', secret, '--as', 'tg:8']);
    expect(used.error).toMatchObject({
      code: 'INVITATION_ENDED',
      message: expect.stringContaining('dagi member invite'),
    });
    await done('admin', 'member', 'invite', '--roles', 'contributor', '--user', 'tg:8');
    expect(await done('bot', 'member', 'redeem', '--as', 'tg:8')).toContain(': contributor, known as tg:8');
    const { id } = await json('admin', 'member', 'invite', '--roles', 'member');
    expect(await done('admin', 'member', 'invitations')).toContain(String(id));
    await done('admin', 'member', 'invitations', '--withdraw', String(id));
    expect(await done('admin', 'member', 'invitations')).not.toContain(String(id));
  });

  it('should link and unlink ids, by a code and by an admin', async () => {
    const code = firstLine(await done('bot', 'member', 'link', 'me', '--as', 'tg:7'));
    expect(await done('bot', 'member', 'redeem', code, '--as', 'dc:7')).toContain('known as tg:7, dc:7');
    expect(await done('admin', 'member', 'link', 'tg:8', 'dc:8')).toContain('known as tg:8, dc:8');
    const taken = await dagi('admin', ['member', 'link', 'tg:8', 'dc:7']);
    expect(taken.error).toMatchObject({ code: 'ID_TAKEN', message: expect.stringContaining('dagi member unlink') });
    expect(await done('admin', 'member', 'unlink', 'dc:7', 'tg:7')).toContain('known as dc:7,');
    const last = await dagi('admin', ['member', 'unlink', 'dc:7', 'dc:7']);
    expect(last.error).toMatchObject({ code: 'LAST_ID', message: expect.stringContaining('dagi member link') });
  });

  it('should forget nobody by mistake, and somebody for good', async () => {
    expect((await dagi('admin', ['member', 'forget', 'dc:7'])).error).toMatchObject({ code: 'NOT_CONFIRMED' });
    expect(await done('admin', 'member', 'list', '--user', 'dc:7')).toContain('dc:7');
    expect(await done('admin', 'member', 'forget', 'dc:7', '--yes')).toMatch(
      /^forgotten; what is left is called p_\w+, in 0 requests\n$/,
    );
    expect(await done('bot', 'member', 'forget', 'me', '--as', 'tg:8', '--yes')).toContain('called p_');
    const gone = await dagi('admin', ['member', 'change', 'dc:7', '--name', 'x']);
    expect(gone.error).toMatchObject({ code: 'MEMBER_NOT_FOUND', message: expect.stringContaining('dc:7') });
    expect((await json('admin', 'member', 'list')).members).toHaveLength(2);
  });
});
