import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync, verify, createPublicKey } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeDiscord } from '../fakes/discord/fake-discord.js';
import { connectDiscord } from '../fakes/discord/stage.js';

const GUILD = '500';
const CHANNEL = '600';

describe('the fake of Discord', () => {
  let fake: FakeDiscord;
  let application: Server;
  /** What the application under test would answer. */
  let answer: { status: number; body: unknown; afterMs?: number };
  let seen: { headers: Record<string, unknown>; body: string }[];

  beforeAll(async () => {
    application = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        seen.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
        setTimeout(() => {
          response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
        }, answer.afterMs ?? 0);
      });
    });
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
    const { port } = application.address() as AddressInfo;
    fake = await FakeDiscord.start({ interactionsUrl: `http://127.0.0.1:${port}/` });
    seen = [];
  });
  afterAll(async () => {
    await fake.close();
    application.closeAllConnections();
    await new Promise((resolve) => application.close(resolve));
  });
  afterEach(async () => {
    await fake.stage.reset();
    await fake.stage.set({ aheadMs: 0, answerWithinMs: 3_000, hearingMs: 0 });
    seen = [];
  });

  const member = () => fake.stage.person('7', { channel: CHANNEL, guild: GUILD });
  const tokenOf = (n = -1): string => (JSON.parse(seen.at(n)!.body) as { token: string }).token;
  const call = async (method: string, path: string, body?: object, asBot = false) => {
    const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'DiscordBot (x, 1)' };
    if (asBot) headers.authorization = `Bot ${fake.settings.botToken}`;
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    const response = await fetch(`${fake.apiRoot}/v10${path}`, init);
    const text = await response.text();
    const json = (text === '' ? {} : JSON.parse(text)) as { id?: string; code?: number; retry_after?: number };
    return { status: response.status, headers: response.headers, json };
  };
  const said = (content: string, more: object = {}): object => ({ content, allowed_mentions: { parse: [] }, ...more });
  const ofToken = (token: string, rest = '/messages/@original'): string =>
    `/webhooks/${fake.settings.applicationId}/${token}${rest}`;

  it('signs what it sends, as Discord does, with the key that it shows', async () => {
    answer = { status: 200, body: { type: 1 } };
    const sent = await member().send({ type: 1 });
    expect(sent).toMatchObject({ status: 200, problems: [], body: { type: 1 } });
    const { headers, body } = seen[0]!;
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(fake.publicKey, 'hex').toString('base64url') },
      format: 'jwk',
    });
    const signature = Buffer.from(String(headers['x-signature-ed25519']), 'hex');
    const signed = Buffer.from(`${String(headers['x-signature-timestamp'])}${body}`);
    expect(verify(null, signed, key, signature)).toBe(true);
    expect(verify(null, signed, generateKeyPairSync('ed25519').publicKey, signature)).toBe(false);
  });

  it.each(['wrong-key', 're-serialised', 'swapped-timestamp', 'no-signature', 'no-hex', 'short'] as const)(
    'sends a signature that is spoilt: %s',
    async (spoilt) => {
      answer = { status: 401, body: {} };
      expect(await member().command('help', {}, { spoilt })).toMatchObject({ status: 401 });
      const { headers, body } = seen[0]!;
      const { 'x-signature-ed25519': sent } = headers;
      const given = typeof sent === 'string' ? sent : '';
      const signed = Buffer.from(`${String(headers['x-signature-timestamp'])}${body}`);
      const key = createPublicKey({
        key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(fake.publicKey, 'hex').toString('base64url') },
        format: 'jwk',
      });
      expect(/^[0-9a-f]{128}$/.test(given) && verify(null, signed, key, Buffer.from(given, 'hex'))).toBe(false);
    },
  );

  it('opens the deferred answer by its token, and forgets the token after a quarter of an hour', async () => {
    answer = { status: 200, body: { type: 5 } };
    await member().command('ask', { text: 'Hello' });
    const token = tokenOf();
    expect(await fake.stage.texts(CHANNEL)).toContain(undefined);
    expect((await call('PATCH', ofToken(token), said('one'))).status).toBe(200);
    expect((await call('PATCH', ofToken(token), said('two'))).status).toBe(200);
    const got = await call('GET', ofToken(token));
    expect(got.json).toMatchObject({ content: 'two' });
    const told = (await fake.stage.transcript(CHANNEL)).find(({ id }) => id === got.json.id);
    expect(told?.versions.map(({ content }) => content)).toEqual(['one', 'two']);
    await fake.stage.set({ aheadMs: 15 * 60_000 + 1 });
    expect(await call('PATCH', ofToken(token), said('three'))).toMatchObject({ status: 401, json: { code: 50_027 } });
    expect(await fake.stage.violations()).toEqual([]);
  });

  it('knows no token before it has heard the first answer', async () => {
    answer = { status: 200, body: { type: 5 } };
    await fake.stage.set({ hearingMs: 60_000 });
    await member().command('ask', { text: 'Hello' });
    expect(await call('PATCH', ofToken(tokenOf()), said('early'))).toMatchObject({
      status: 404,
      json: { code: 10_015 },
    });
  });

  it('takes no answer that comes too late, or is none', async () => {
    answer = { status: 200, body: { type: 5 }, afterMs: 300 };
    await fake.stage.set({ answerWithinMs: 100 });
    expect((await member().command('ask', { text: 'x' })).status).toBe(0);
    expect((await call('PATCH', ofToken(tokenOf()), said('late'))).json.code).toBe(10_015);
    await fake.stage.set({ answerWithinMs: 3_000 });
    answer = { status: 200, body: { type: 5, data: { flags: 4 } } };
    expect((await member().command('ask', { text: 'x' })).problems).toEqual(['only EPHEMERAL may be deferred']);
    answer = { status: 200, body: { type: 4, data: { content: 7 } } };
    expect((await member().command('ask', { text: 'x' })).problems).not.toEqual([]);
    expect((await fake.stage.violations()).length).toBe(3);
  });

  it('takes one answer to an interaction', async () => {
    answer = { status: 200, body: { type: 5 } };
    const { id } = await member().command('ask', { text: 'x' });
    const again = await call('POST', `/interactions/${id}/${tokenOf()}/callback`, { type: 5 });
    expect(again).toMatchObject({ status: 400, json: { code: 40_060 } });
  });

  it('makes one message of several with the same enforced nonce', async () => {
    await fake.stage.channel(CHANNEL, { guild: GUILD });
    const send = () =>
      call('POST', `/channels/${CHANNEL}/messages`, said('x', { nonce: 'n1', enforce_nonce: true }), true);
    const [one, two] = [await send(), await send()];
    expect(one.json.id).toBe(two.json.id);
    await fake.stage.set({ aheadMs: 6 * 60_000 });
    expect((await send()).json.id).not.toBe(one.json.id);
  });

  it.each<[string, object, number]>([
    ['a text that is too long', said('x'.repeat(2_001)), 50_035],
    ['no text', said(''), 50_006],
    ['a name of a button that is too long', said('x', { components: [row('c'.repeat(101))] }), 50_035],
    ['six buttons in a row', said('x', { components: [row('a', 'b', 'c', 'd', 'e', 'f')] }), 50_035],
    ['the same button twice', said('x', { components: [row('a', 'a')] }), 50_035],
    ['a field that there is not', said('x', { enforceNonce: true }), 50_035],
    ['a nonce that is too long', said('x', { nonce: 'n'.repeat(26) }), 50_035],
  ])('refuses %s, and takes it down', async (_what, body, code) => {
    await fake.stage.channel(CHANNEL, { guild: GUILD });
    expect(await call('POST', `/channels/${CHANNEL}/messages`, body, true)).toMatchObject({
      status: 400,
      json: { code },
    });
    expect(await fake.stage.violations()).toHaveLength(1);
  });

  it('takes down tokens where none belongs, pings, and calls before their time', async () => {
    await fake.stage.channel(CHANNEL, { guild: GUILD });
    answer = { status: 200, body: { type: 5 } };
    await member().command('ask', { text: 'x' });
    await call('PATCH', ofToken(tokenOf()), said('x'), true);
    await call('POST', `/channels/${CHANNEL}/messages`, { content: '@everyone' }, true);
    await fake.stage.fail({ kind: 'too-many', operation: 'create_message', seconds: 1.5 });
    const limited = await call('POST', `/channels/${CHANNEL}/messages`, said('x'), true);
    expect(limited).toMatchObject({ status: 429, json: { retry_after: 1.5, global: false } });
    expect(limited.headers.get('retry-after')).toBe('2');
    await call('POST', `/channels/${CHANNEL}/messages`, said('x'), true);
    expect(await fake.stage.violations()).toEqual([
      expect.stringContaining('brought a token'),
      expect.stringContaining('may ping'),
      expect.stringContaining('before its time'),
    ]);
  });

  it('closes a channel where the limit is reached', async () => {
    await fake.stage.channel(CHANNEL, { guild: GUILD });
    const statuses: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      statuses.push((await call('POST', `/channels/${CHANNEL}/messages`, said('x'), true)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  });

  it('lets calls fail before and after they are done', async () => {
    await fake.stage.channel('601', { guild: GUILD });
    const send = () => call('POST', '/channels/601/messages', said('x'), true);
    await fake.stage.fail({ kind: 'reset-before' }, { kind: 'reset-after' }, { kind: 'error-503' });
    await expect(send()).rejects.toThrow();
    expect(await fake.stage.texts('601')).toEqual([]);
    await expect(send()).rejects.toThrow();
    expect(await fake.stage.texts('601')).toEqual(['x']);
    await expect(send()).rejects.toThrow('<');
  });

  it('is the same from another process', async () => {
    const stage = connectDiscord(fake.url);
    await stage.channel('602', { guild: GUILD });
    await call('POST', '/channels/602/messages', said('from afar'), true);
    expect((await stage.untilSaid('602', /afar/)).by).toBe('bot');
    expect((await stage.facts()).publicKey).toBe(fake.publicKey);
    await expect(stage.erase('602', '1')).rejects.toThrow('Unknown Message');
  });
});

function row(...ids: string[]): object {
  return { type: 1, components: ids.map((id) => ({ type: 2, style: 2, label: id.slice(0, 9), custom_id: id })) };
}
