import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { KeyInfo } from '../../src/contracts/access.js';
import { GOOD } from '../fakes/crew-answers.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import { FakeOpenId, type TokenWishes } from '../fakes/openid/fake-openid.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { CrewCalls } from './crew-calls.js';
import { chatProfile, DAO, fakeProvider, Product, until } from './harness.js';
import { callTool, mcpCall, type McpCallOptions, type McpReply } from './mcp-client.js';

const EVERYTHING = 'openid chat.read chat.write agent.crew agent.devtools';
const OTHER_DAO = 'night-market';

const codeOf = ({ answer }: McpReply): unknown => (answer as { error?: { code?: unknown } } | undefined)?.error?.code;
const sentenceOf = ({ answer }: McpReply): string => answer?.error?.message ?? '';

describe('access tokens at the MCP server (case 5)', () => {
  let model: WireFake;
  let openId: FakeOpenId;
  let product: Product;
  let crews: CrewCalls;

  const profile = (oauth?: object): object => ({
    ...chatProfile([fakeProvider('fake', model, { max_tokens: 800 })], ['fake']),
    mcp: { ...(oauth && { oauth }) },
  });

  beforeAll(async () => {
    [model, openId] = await Promise.all([startFakeOpenAi({ scripts: GOOD }), FakeOpenId.start()]);
    product = await Product.open({ profile: profile({ issuer: openId.issuer, dao_id: DAO }), mcp: true });
    crews = new CrewCalls(product);
    await product.createDao(OTHER_DAO, {});
    const members = [
      ['mcp:alice', 'contributor'],
      ['mcp:boss', 'admin'],
    ];
    for (const [user_id, role] of members) {
      const { status } = await product.call('POST', `/daos/${DAO}/members`, {}, { user_id, roles: [role] });
      expect(status).toBe(201);
    }
  });
  afterAll(async () => {
    await product.close();
    await Promise.all([model.close(), openId.close()]);
  });
  beforeEach(() => {
    model.reset();
    model.settings = { ...model.settings, scripts: GOOD };
    openId.faults = {};
  });

  const token = (wishes: TokenWishes = {}): Promise<string> =>
    openId.token(product.mcpUrl, { scope: EVERYTHING, ...wishes });
  const roles = (key: string | null, options: McpCallOptions = {}): Promise<McpReply> =>
    mcpCall(product, 'tools/call', { name: 'microdao_query', arguments: { query_type: 'roles' } }, { key, ...options });
  async function keysOf(principal: string, daoId = DAO): Promise<KeyInfo[]> {
    const { body } = await product.call('GET', `/keys?dao_id=${daoId}&limit=200`);
    return (body.keys as unknown as KeyInfo[]).filter((key) => key.principal === principal);
  }
  /** Has the profile say something else of tokens, and waits until that is so. */
  async function configure(oauth: object | undefined, isSo: () => Promise<boolean>): Promise<void> {
    await writeFile(join(product.home, 'profile.yml'), JSON.stringify(profile(oauth)));
    await until(isSo, 'the new profile', 20_000);
  }

  it('should tell whoever comes without a token where to get one', async () => {
    const { status, headers } = await roles(null);
    expect(status).toBe(401);
    const challenge = headers.get('www-authenticate') ?? '';
    const address = /^Bearer resource_metadata="([^"]+)"$/.exec(challenge)?.[1] ?? '';
    const origin = new URL(product.mcpUrl).origin;
    expect(address).toBe(`${origin}/.well-known/oauth-protected-resource/mcp`);
    for (const url of [address, `${origin}/.well-known/oauth-protected-resource`]) {
      const page = await fetch(url, { headers: { origin: 'https://any.example' } });
      expect([page.status, page.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
      expect(await page.json()).toEqual({
        resource: product.mcpUrl,
        authorization_servers: [openId.issuer],
        scopes_supported: ['chat.read', 'chat.write', 'agent.devtools', 'agent.crew'],
        bearer_methods_supported: ['header'],
        resource_name: 'DAGI Stack',
      });
      expect((await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://any.example' } })).status).toBe(204);
    }
  });

  it('should let in whom the issuer vouches for, over both eras of the protocol', async () => {
    const key = await token();
    expect((await callTool(product, 'microdao_query', { query_type: 'roles' }, { key })).isError).toBeFalsy();
    expect((await roles(key, { legacy: true })).status).toBe(200);
    // Beside tokens, keys are good as before.
    expect((await roles((await product.key({ dao_id: DAO, principal: 'tg:1' })).key)).status).toBe(200);
  });

  it('should answer 401 to what is no good token for it', async () => {
    const audience = product.mcpUrl;
    const bad: Record<string, string> = {
      expired: await token({ expiresIn: -60 }),
      'not valid yet': await token({ notBefore: 60 }),
      'of another audience': await token({ aud: 'https://other.example/mcp' }),
      'of another issuer': await token({ iss: 'https://other.example' }),
      'with a key that nobody knows': await token({ kid: 'made-up' }),
      unsigned: openId.unsigned(audience, { scope: EVERYTHING }),
      'signed with the public key': await openId.signedWithPublicKey(audience, { scope: EVERYTHING }),
      'an ID token': await openId.idToken(audience, { scope: EVERYTHING }),
      'of nobody': await token({ sub: '' }),
    };
    for (const [what, key] of Object.entries(bad)) {
      const reply = await roles(key);
      expect([what, reply.status, codeOf(reply)]).toEqual([what, 401, 'UNAUTHENTICATED']);
      expect(reply.headers.get('www-authenticate')).toMatch(
        /^Bearer error="invalid_token", resource_metadata="http.*\/mcp"$/,
      );
    }
  });

  it('should not look for a token where none belongs, nor take one at the API', async () => {
    const key = await token();
    const url = `${product.mcpUrl}?access_token=${key}`;
    expect((await mcpCall({ mcpUrl: url }, 'tools/list', {}, { key: null })).status).toBe(401);
    const { status, headers } = await product.call('GET', '/rbac/resolve', { key });
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it('should ask for the scope that a token lacks, before anything is done', async () => {
    const key = await token({ sub: 'alice', scope: 'openid chat.read' });
    const params = { name: 'router_call', arguments: { prompt: 'How long do members vote?' } };
    const reply = await mcpCall(product, 'tools/call', params, { key });
    expect([reply.status, codeOf(reply)]).toEqual([403, 'SCOPE_MISSING']);
    expect(reply.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_scope", scope="chat.read chat.write", resource_metadata="http.*\/mcp"$/,
    );
    expect(model.bodies).toEqual([]);
    expect((await roles(await token({ scope: '' }))).status).toBe(403);
    expect((await mcpCall(product, 'tools/list', {}, { key: await token({ scope: '' }) })).status).toBe(200);
    expect((await mcpCall(product, 'resources/list', {}, { key: await token({ scope: '' }) })).status).toBe(403);
  });

  it('should give a bearer what both their roles and their token give', async () => {
    const ask = async (wishes: TokenWishes) =>
      callTool(product, 'devtools_task', { tool: 'fs_list', params: {} }, { key: await token(wishes) });
    // Everything in the token, but a guest; a member of that right, with it in the token.
    const guest = await ask({ sub: 'stranger' });
    expect(guest.structuredContent).toMatchObject({
      error: { code: 'RBAC_PERMISSION_DENIED', required_entitlement: 'agent.devtools', roles: ['guest'] },
    });
    expect(await ask({ sub: 'alice' })).not.toHaveProperty('isError', true);
    // An admin whose token is narrower than they are is no more than it says, in what they start, too.
    const key = await token({ sub: 'boss', scope: 'chat.write' });
    const members = await callTool(product, 'microdao_query', { query_type: 'members' }, { key });
    expect(members.isError).toBeFalsy();
    expect((await roles(key)).status).toBe(403);
  });

  it('should not let a bearer name somebody else', async () => {
    const options = { key: await token({ sub: 'boss' }), headers: { 'x-dagi-user': 'tg:1' } };
    const result = await callTool(product, 'microdao_query', { query_type: 'members' }, options);
    expect(result).toMatchObject({ isError: true, structuredContent: { error: { code: 'ACTING_NOT_ALLOWED' } } });
  });

  it('should list a bearer among the keys, once, on the record, and shut them out when revoked', async () => {
    const key = await token({ sub: 'dora' });
    const both = await Promise.all([roles(key), roles(key), roles(await token({ sub: 'dora' }))]);
    expect(both.map(({ status }) => status)).toEqual([200, 200, 200]);
    const [row, ...more] = await keysOf('mcp:dora');
    expect(more).toEqual([]);
    expect(row).toMatchObject({ dao_id: DAO, issuer: openId.issuer, gateway: false, scopes: null, revoked_at: null });
    const { body } = await product.call('GET', `/audit?dao_id=${DAO}&action=key.create&limit=200`);
    const record = (body as unknown as { rows: { subject: string; detail: object }[] }).rows;
    expect(record.filter(({ subject }) => subject === row?.id)).toMatchObject([{ detail: { issuer: openId.issuer } }]);
    expect((await product.call('POST', `/keys/${row?.id}/rotate?dao_id=${DAO}`, {}, {})).status).toBe(400);

    expect((await product.call('DELETE', `/keys/${row?.id}?dao_id=${DAO}`)).status).toBe(200);
    for (const again of [key, await token({ sub: 'dora' })]) {
      const reply = await roles(again);
      expect([reply.status, sentenceOf(reply)]).toEqual([401, expect.stringContaining('shut out')]);
    }
    expect(await keysOf('mcp:dora')).toHaveLength(1);
  });

  it('should go on with a run after the token has expired, and stop it with the bearer', async () => {
    const start = async (sub: string, wishes: TokenWishes = {}): Promise<[run: string, key: string]> => {
      const key = await token({ sub, ...wishes });
      const args = { workflow: 'microdao_onboarding', inputs: { about: 'I can code.' } };
      const { structuredContent } = await callTool(product, 'workflow_run', args, { key });
      const run = structuredContent?.run_id as string;
      await crews.asking(run);
      return [run, key];
    };
    // As good as over: it is let in for as long as clocks may differ.
    const [going, key] = await start('erik', { expiresIn: -4 });
    await until(async () => (await roles(key)).status === 401, 'the end of the token', 20_000);
    expect((await crews.decide(going, 'approve')).status).toBe(200);
    expect(await crews.ended(going)).toMatchObject({ state: 'completed', error: null });

    const [stopped] = await start('frida');
    const [row] = await keysOf('mcp:frida');
    await product.call('DELETE', `/keys/${row?.id}?dao_id=${DAO}`);
    await crews.decide(stopped, 'approve');
    const end = await crews.ended(stopped);
    expect(end.state).not.toBe('completed');
    expect(JSON.stringify(end.error)).toContain('opens nothing any more');
  });

  it('should follow the provider when it signs with another key, and say so when it is away', async () => {
    const former = await token();
    expect((await roles(former)).status).toBe(200);
    openId.faults = { away: 'cut' };
    // Those that are known are enough.
    expect((await roles(former)).status).toBe(200);
    await openId.rotate({ keep: true });
    const fresh = await token();
    await until(async () => (await roles(fresh)).status === 503, 'a refusal', 20_000);
    const reply = await roles(fresh);
    expect([reply.status, codeOf(reply)]).toEqual([503, 'ISSUER_UNAVAILABLE']);
    expect(reply.headers.get('retry-after')).toBe('2');
    expect((await roles(former)).status).toBe(200);
    openId.faults = {};
    await until(async () => (await roles(fresh)).status === 200, 'the new key', 20_000);
    expect((await roles(former)).status).toBe(200);
  });

  it('should act in the DAO that a token names, and let a call choose among several', async () => {
    const ofDaos = (daos: unknown): Promise<string> => token({ sub: 'gita', claims: { daos } });
    const both = await ofDaos([DAO, OTHER_DAO]);
    await configure({ issuer: openId.issuer, dao_claim: 'daos' }, async () => (await roles(both)).status === 401);
    for (const daos of [undefined, 'nowhere', '*', []]) expect((await roles(await ofDaos(daos))).status).toBe(401);
    expect((await mcpCall(product, 'tools/list', {}, { key: both })).status).toBe(200);
    const daoOf = async (key: string, args: object = {}, headers: Record<string, string> = {}): Promise<unknown> =>
      (await callTool(product, 'microdao_query', { query_type: 'roles', ...args }, { key, headers })).structuredContent;
    expect(await daoOf(await ofDaos(OTHER_DAO))).toMatchObject({ dao_id: OTHER_DAO });
    // What a client has settled no argument changes.
    expect(await daoOf(both, { dao_id: OTHER_DAO }, { 'x-dagi-dao': DAO })).toMatchObject({
      error: { code: 'DAO_FORBIDDEN' },
    });
    expect(await daoOf(both, {}, { 'x-dagi-dao': DAO })).toMatchObject({ dao_id: DAO });
    // Of one DAO, it is told of another what a key is told.
    const other = await daoOf(await ofDaos(OTHER_DAO), { dao_id: DAO });
    expect(other).toMatchObject({ error: { code: 'DAO_FORBIDDEN' } });
    expect((await roles(both, { headers: { 'x-dagi-dao': 'nowhere' } })).status).toBe(401);
    expect(await keysOf('mcp:gita', OTHER_DAO)).toHaveLength(1);
  });

  it('should take no tokens, and tell of no issuer, once none is configured', async () => {
    const key = await token({ claims: { daos: DAO } });
    await configure(undefined, async () => (await roles(key)).status === 401);
    expect((await roles(key)).headers.get('www-authenticate')).toBe('Bearer');
    const origin = new URL(product.mcpUrl).origin;
    for (const path of ['oauth-protected-resource', 'oauth-protected-resource/mcp']) {
      expect((await fetch(`${origin}/.well-known/${path}`)).status).toBe(404);
    }
  });
});
