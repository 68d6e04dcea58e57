import 'reflect-metadata';
import { channel } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { pino } from 'pino';
import { readEnv } from '../../config/env.js';
import { loadConfig } from '../../config/loader.js';
import { RequestCounter } from '../../src/adapters/limits/request-counter.js';
import { withHash, type ProfileFiles } from '../../src/adapters/profile-files.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import type { Database } from '../../src/adapters/store/database.js';
import { MemorySharedState } from '../../src/adapters/store/shared-state.js';
import { compose, type Composition } from '../../src/compose.js';
import { ENTITLEMENTS } from '../../src/contracts/access.js';
import { createApi } from '../../src/main.js';
import { createMcpServer } from '../../src/mcp-server.js';
import { HealthService } from '../../src/services/health.service.js';
import { aDao, createDao } from '../factories/access.js';
import { openCopy } from '../support/embedded-database.js';

/** All that the contract leaves open; a page of the documentation is several files. */
const PUBLIC = ['GET /docs', 'GET /health', 'GET /openapi.json', 'GET /ready'];
const ADMIN = 'key-of-the-administrator';
const DAO = aDao().id;

/** Bodies that the routes' schemas accept. A new route with a body of its own needs one here. */
const BODIES: Partial<Record<string, object>> = {
  'POST /keys': { name: 'planted', dao_id: DAO },
  'POST /keys/:id/rotate': {},
  'POST /daos': { id: 'planted', name: 'Planted' },
  'PATCH /daos/:id': { name: 'Renamed' },
  'POST /daos/:id/members': { user_id: 'tg:9', roles: ['member'] },
  'PATCH /daos/:id/members/:member': { roles: ['admin'] },
  'POST /daos/:id/members/:member/ids': { user_id: 'tg:9' },
  'POST /daos/:id/invitations': { roles: ['member'] },
  'POST /invitations/redeem': { secret: 'nobody made this' },
  'PUT /roles/:name': { entitlements: ['chat.read'] },
  'POST /microdao/query': { query_type: 'roles' },
  'POST /proposals': { title: 'Planted', text: 'Planted.' },
  'PATCH /proposals/:n': { title: 'Planted' },
  'POST /proposals/:n/veto': { reason: 'Planted.' },
  'PUT /proposals/:n/vote': { choice: 'yes' },
  'PUT /delegations': { to: 'tg:1' },
  'POST /rbac/resolve': {},
  'POST /route': { prompt: 'Hello' },
  'PUT /crews/:id': { name: 'Planted' },
  'POST /crews/:id/runs': {},
  'POST /crews/runs/:run/rerun': {},
  'POST /crews/runs/:run/approve': {},
  'POST /crews/runs/:run/reject': {},
  'POST /crews/runs/:run/return': { comment: 'Planted.' },
  'POST /crews/runs/:run/answer': { comment: 'Planted.' },
  'POST /crews/runs/:run/continue': {},
  'POST /crews/runs/:run/stop': {},
  'POST /devtools/fs_read': { path: 'a.txt' },
  'POST /devtools/fs_write': { path: 'a.txt', content: '' },
  'POST /devtools/fs_list': {},
  'POST /devtools/fs_search': { pattern: 'x' },
  'POST /devtools/fs_diff': { path: 'a.txt', content: '' },
  'POST /devtools/fs_patch': { patch: 'x' },
  'POST /devtools/run_tests': {},
  'POST /devtools/git_status': {},
  'POST /devtools/git_diff': {},
  'POST /devtools/git_log': {},
  'POST /devtools/notebook_execute': { path: 'a.ipynb' },
  'POST /v1/chat/completions': { model: 'dagi-stack', messages: [{ role: 'user', content: 'Hello' }] },
  'POST /v1/completions': { model: 'dagi-stack', prompt: 'Hello' },
  'POST /v1/embeddings': { model: 'dagi-stack', input: 'Hello' },
  'POST /config/apply': { confirm: '0123456789abcdef' },
  'POST /routing/whatif': {
    table: { rules: [], answers: [], providers: {}, requestTimeoutMs: 1_000, weights: {}, hash: '0123456789abcdef' },
  },
  'POST /routing/whatif/trials': { request_id: '01890000-0000-7000-8000-000000000000', provider: 'embedded' },
};

/** Queries that routes cannot do without. */
const QUERIES: Partial<Record<string, string>> = {
  'DELETE /daos/:id/members': '?user_id=tg:1',
  'GET /crews/runs/:run/compare': '?with=some-id',
  'HEAD /crews/runs/:run/compare': '?with=some-id',
};

/** Routes that any key may call, since they tell and change what is the caller’s, or the service decides by what is named. */
const BY_SERVICE = [
  'DELETE /daos/:id/members/:member/ids/:user',
  'GET /audit/key',
  'GET /daos/:id/members/:member',
  'GET /rbac/resolve',
  'POST /daos/:id/members/me/forget',
  'POST /daos/:id/members/me/link',
  'POST /invitations/redeem',
  'POST /rbac/resolve',
];

/** Something that nothing in these tests may touch. */
const untouchable = (name: string): never =>
  new Proxy({} as never, {
    get: (_target, property) => {
      throw new Error(`${name}.${String(property)} was used`);
    },
  });

interface Route {
  method: string;
  url: string;
  access: unknown;
}

const nameOf = ({ method, url }: Route): string => `${method} ${url}`;

/** Pages and files of the documentation, which the module that serves them registers by itself. */
const isDocumentation = ({ url }: Route): boolean => /^\/docs(\/|$)/.test(url) || url === '/openapi.json';

describe('routes', () => {
  let home: string;
  let database: Database;
  let app: NestFastifyApplication;
  let mcp: NestFastifyApplication;
  let guest: string;
  /** A key of a guest that lets nothing through that guests may. */
  let mute: string;
  let parts: Composition;
  const routes: Route[] = [];
  const ofMcp: Route[] = [];

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'dagi-test-routes-'));
    database = await openCopy('migrated');
    await createDao(database);
    // With bots, so that their platforms have somebody to call.
    const bots = { TELEGRAM_BOT_TOKEN: '1:token', DISCORD_PUBLIC_KEY: '0'.repeat(64) };
    const env = readEnv({ DAGI_DEFAULT_DAO: DAO, DAGI_HOME: home, PUBLIC_URL: 'https://dagi.example.org', ...bots });
    const log = pino({ level: 'silent' });
    const loaded = withHash(loadConfig(env, 'dev'));
    const files = { profile: 'dev', watch: () => undefined, close: () => Promise.resolve() };
    parts = await compose(
      {
        ...{ env, log, database, modelPath: undefined },
        shared: new MemorySharedState(),
        counter: RequestCounter.inMemory(log),
        temporal: untouchable('temporal'),
        files: files as unknown as ProfileFiles,
      },
      loaded,
    );
    await parts.keys.putAdminKey(ADMIN);
    await new AccessRepository(database).grantPlatform('api:admin');

    const health = new HealthService(
      [],
      () => [],
      () => Promise.resolve([]),
      () => [],
      () => [],
    );
    app = await remembering(routes, () => createApi({ ...parts.edge(), health, log }));
    mcp = await remembering(ofMcp, async () => createMcpServer(await parts.mcp(() => 'http://127.0.0.1:9400')));
    mcp
      .getHttpAdapter()
      .getInstance()
      .get('/planted', () => 'open to everybody');
    const server = app.getHttpAdapter().getInstance();
    server.get('/planted', () => 'open to everybody');
    server.get('/planted-oddly', { config: { access: undefined } }, () => 'open to everybody');
    await server.ready();
    const ofGuest = { name: 'guest', dao_id: DAO, principal: 'tg:nobody' };
    const made = async (body: object): Promise<string> =>
      (await call('POST', '/keys', ADMIN, { ...ofGuest, ...body })).json<{ key: string }>().key;
    [guest, mute] = [await made({}), await made({ scopes: ['proposal.vote'] })];
  });

  afterAll(async () => {
    await app.close();
    await mcp.close();
    await parts.config.close();
    await database.close();
    await rm(home, { recursive: true });
  });

  /** Writes down the routes of an application that is made. */
  async function remembering<T>(into: Route[], make: () => Promise<T>): Promise<T> {
    const created = channel('fastify.initialization');
    const listen = (message: unknown): void => {
      (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url, config }: RouteOptions) => {
        const access = (config as { access?: unknown } | undefined)?.access;
        into.push(...[method].flat().map((each) => ({ method: each, url, access })));
      });
    };
    created.subscribe(listen);
    const made = await make();
    created.unsubscribe(listen);
    return made;
  }

  const call = (method: string, url: string, key?: string, payload?: object) =>
    app.inject({
      method: method as 'GET',
      url: url
        .replace('/daos/:id', `/daos/${DAO}`)
        .replace('/crews/:id', '/crews/planted')
        .replace(/:\w+/g, 'some-id')
        .replace('*', 'x'),
      ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
      ...(payload === undefined ? {} : { payload }),
    });

  const own = (): Route[] => routes.filter(({ url }) => !url.startsWith('/planted'));
  /** The code of an error; under `/v1` it is said in OpenAI's words. */
  function codeOf(body: string): string {
    const code = String((JSON.parse(body) as { error?: { code?: unknown } }).error?.code);
    return code === 'invalid_api_key' ? 'UNAUTHENTICATED' : code.toUpperCase();
  }

  /** Calls all of these routes. A HEAD has no body to look into, so it is told by its status. */
  async function outcomes(list: Route[], key?: string): Promise<[string, string][]> {
    const results: [string, string][] = [];
    for (const route of list) {
      const name = nameOf(route);
      const reply = await call(route.method, `${route.url}${QUERIES[name] ?? ''}`, key, BODIES[name]);
      const code = reply.statusCode < 400 || route.method === 'HEAD' ? '' : ` ${codeOf(reply.body)}`;
      results.push([name, `${reply.statusCode}${code}`]);
    }
    return results;
  }

  const others = (results: [string, string][], expected: string): [string, string][] =>
    results.filter(([name, outcome]) => outcome !== (name.startsWith('HEAD') ? expected.split(' ')[0] : expected));

  it('should be those that we know of', () => {
    const names = own()
      .filter((route) => !isDocumentation(route))
      .map(nameOf);
    expect(names).toEqual(
      expect.arrayContaining(['POST /route', 'GET /requests/:id', 'DELETE /keys/:id', 'GET /health']),
    );
    expect(names.length).toBeGreaterThanOrEqual(9);
  });

  it('should each declare what they ask of their callers', () => {
    const known: unknown[] = ['public', 'signed', 'owner', 'by-mode', 'key', ...ENTITLEMENTS];
    const silent = own().filter((route) => !isDocumentation(route) && !known.includes(route.access));
    expect(silent).toEqual([]);
    const byService = own().filter(({ access, method }) => access === 'key' && method !== 'HEAD');
    expect(byService.map(nameOf).toSorted()).toEqual(BY_SERVICE);
    const signed = own().filter(({ access }) => access === 'signed');
    expect(signed.map(nameOf)).toEqual(['POST /discord/interactions', 'POST /telegram/webhook']);
  });

  it('should be public where the contract says so, and nowhere else', async () => {
    const open = (await outcomes(own())).filter(([, outcome]) => !outcome.startsWith('401')).map(([name]) => name);
    const shown = open
      .filter((name) => !name.startsWith('HEAD '))
      .map((name) => name.replace(/^GET \/docs\/.*$/, 'GET /docs'));
    expect([...new Set(shown)].toSorted()).toEqual(PUBLIC);
    const declared = own()
      .filter(({ access }) => access === 'public')
      .map(nameOf);
    expect(declared.filter((name) => !open.includes(name))).toEqual([]);
  });

  it('should answer 401 without a key and with a wrong one, and to a platform without its signature', async () => {
    const closed = own().filter((route) => route.access !== 'public' && !isDocumentation(route));
    expect(closed.length).toBeGreaterThanOrEqual(7);
    for (const key of [undefined, 'a wrong key']) {
      expect(others(await outcomes(closed, key), '401 UNAUTHENTICATED')).toEqual([]);
    }
  });

  it('should answer 403 to a guest who lacks the entitlement', async () => {
    const entitled = own().filter(
      ({ access }) => access === 'by-mode' || (ENTITLEMENTS as readonly unknown[]).includes(access),
    );
    expect(entitled.length).toBeGreaterThanOrEqual(4);
    const lacking = entitled.filter(({ access }) => access !== 'chat.read');
    expect(others(await outcomes(lacking, guest), '403 RBAC_PERMISSION_DENIED')).toEqual([]);
    expect(others(await outcomes(entitled, mute), '403 RBAC_PERMISSION_DENIED')).toEqual([]);
  });

  it('should show a guest nothing of what is not theirs', async () => {
    const owned = own().filter(({ access }) => access === 'owner');
    expect(owned.length).toBeGreaterThanOrEqual(3);
    const ofRuns = owned.filter(({ url }) => url.startsWith('/crews/runs/'));
    expect(ofRuns.length).toBeGreaterThanOrEqual(10);
    expect(others(await outcomes(ofRuns, guest), '404 RUN_NOT_FOUND')).toEqual([]);
    const ofDialogs = owned.filter(({ url }) => url.startsWith('/dialogs/'));
    expect(ofDialogs.length).toBeGreaterThanOrEqual(1);
    expect(others(await outcomes(ofDialogs, guest), '404 DIALOG_NOT_FOUND')).toEqual([]);
    const rest = owned.filter((route) => !ofRuns.includes(route) && !ofDialogs.includes(route));
    expect(others(await outcomes(rest, guest), '404 REQUEST_NOT_FOUND')).toEqual([]);
  });

  it('should be closed to everybody when they declare nothing', async () => {
    const planted = routes.filter(({ url }) => url.startsWith('/planted'));
    expect(planted.map(nameOf)).toEqual(expect.arrayContaining(['GET /planted', 'GET /planted-oddly']));
    expect(others(await outcomes(planted), '401 UNAUTHENTICATED')).toEqual([]);
    for (const key of [guest, ADMIN]) {
      expect(others(await outcomes(planted, key), '403 RBAC_PERMISSION_DENIED')).toEqual([]);
    }
  });

  it('should at the MCP server be two public documents and one endpoint that needs a key', async () => {
    const own = ofMcp.filter(({ url }) => url !== '/planted');
    const open = own.filter(({ access }) => access === 'public');
    const metadata = '/.well-known/oauth-protected-resource';
    expect(open.map(nameOf).toSorted()).toEqual(
      ['GET', 'HEAD', 'OPTIONS'].flatMap((method) => [`${method} ${metadata}`, `${method} ${metadata}/mcp`]),
    );
    const closed = own.filter((route) => !open.includes(route));
    expect(closed.filter(({ url, access }) => url !== '/mcp' || access !== 'key')).toEqual([]);
    expect(closed.map(({ method }) => method)).toEqual(expect.arrayContaining(['POST', 'GET', 'DELETE']));
    const status = async (method: string, url: string, authorization?: string): Promise<number> =>
      (
        await mcp.inject({
          method: method as 'GET',
          url,
          headers: { host: 'localhost', ...(authorization && { authorization }) },
        })
      ).statusCode;
    for (const { method, url } of [...closed, { method: 'GET', url: '/planted' }]) {
      for (const key of [undefined, 'Bearer wrong', 'Bearer a.b.c']) expect(await status(method, url, key)).toBe(401);
    }
    expect(await status('GET', '/planted', `Bearer ${ADMIN}`)).toBe(403);
    // No issuer is configured.
    expect(await status('GET', metadata)).toBe(404);
  });
});
