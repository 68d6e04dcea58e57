import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { packageVersion } from '../config/paths.js';
import type { RequestBody } from './contracts/bodies.js';
import { createApi, type ApiServices } from './main.js';
import { DrainService } from './services/drain.service.js';
import type { HealthService } from './services/health.service.js';
import type { KeysService } from './services/keys.service.js';
import type { OutcomesService } from './services/outcomes.service.js';
import type { RequestsService } from './services/requests.service.js';
import type { SubmissionsService } from './services/submissions.service.js';

interface Answer {
  status: number;
  headers: Headers;
  body: { ok: boolean; request_id: string; error: { code: string }; info: { version: string } };
}

/** What these tests do not touch. */
const absent = {
  crewing: { crews: {}, runs: {} },
  dialogs: {},
  ...{ access: {}, audit: {}, auditHeads: {}, config: {}, providers: {}, routing: {}, usage: {}, whatIf: {} },
  people: { changes: {}, daos: {}, members: {}, invitations: {}, forgetting: {} },
  rights: { roles: {}, resolution: {}, microdao: {} },
  voting: { proposals: {}, votes: {}, delegations: {} },
} as ApiServices;

describe('the edge', () => {
  const lines: Record<string, unknown>[] = [];
  const wait = jest.fn<OutcomesService['wait']>();
  const list = jest.fn<KeysService['list']>();
  const revoke = jest.fn<KeysService['revoke']>();
  let app: NestFastifyApplication;
  let port: number;

  beforeAll(async () => {
    const key = { id: 'k1', daoId: null, principal: 'api:k1', gateway: true };
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
        done();
      },
    });
    app = await createApi({
      ...absent,
      submissions: {
        submit: () =>
          Promise.resolve({ requestId: 'r1', workflowId: 'route/r1', daoId: 'd', actor: 'a', here: true, headers: {} }),
      } as unknown as SubmissionsService,
      requests: {
        visible: () => Promise.resolve({ daoId: 'd', actor: 'a', decision: { mode: 'chat' } }),
        joined: () => ({ requestId: 'r1' }),
      } as unknown as RequestsService,
      outcomes: { wait, body: () => Promise.resolve({ ok: true }) } as unknown as OutcomesService,
      keys: { authenticate: () => Promise.resolve(key), list, revoke } as unknown as KeysService,
      health: {} as HealthService,
      drain: new DrainService(),
      log: pino(sink),
    });
    await app.listen(0, '127.0.0.1');
    ({ port } = app.getHttpServer().address() as AddressInfo);
  });
  afterAll(() => app.close());
  beforeEach(() => {
    lines.length = 0;
    wait.mockReset();
    list.mockReset().mockResolvedValue({ items: [], next: null });
    revoke.mockReset().mockResolvedValue();
  });

  const authorization = 'Bearer key';
  const json = { authorization, 'content-type': 'application/json' };
  const call = async (method: string, path: string, body: string | null = null): Promise<Answer> => {
    const init = { method, headers: body === null ? { authorization } : json, body };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
  };
  const callLines = (): Record<string, unknown>[] => lines.filter(({ msg }) => msg === 'call');
  async function until(holds: () => boolean): Promise<void> {
    for (const end = Date.now() + 5_000; !holds();) {
      if (Date.now() > end) throw new Error('it never became true');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it.each([
    ['GET', '/requests/%ZZ'],
    ['GET', `/requests/${'x'.repeat(200)}`],
    ['GET', `/requests/${'x'.repeat(90)}`],
    ['GET', '/requests/r1?dao_id=d'],
    ['GET', '/requests/r1?user_id='],
    ['DELETE', '/requests/r1?user=tg:1'],
    ['GET', '/keys?user=tg:1'],
    ['GET', '/keys?user_id=a&user_id=b'],
    ['DELETE', '/keys/k2?user=tg:1'],
    ['POST', '/keys?user_id=tg:1'],
  ])('%s %s is a wrong address, in the form of every error, and has its line', async (method, path) => {
    const body = method === 'POST' ? '{"name":"x"}' : null;
    const answer = await call(method, path, body);
    expect(answer).toMatchObject({ status: 400, body: { ok: false, error: { code: 'QUERY_INVALID' } } });
    expect(answer.body.request_id).toBe(answer.headers.get('x-request-id'));
    await until(() => callLines().length > 0);
    expect(callLines()).toMatchObject([{ request_id: answer.body.request_id, status: 400 }]);
    expect(callLines()[0]).not.toHaveProperty('aborted');
  });

  it('lets a call name a user and a DAO where that is heeded', async () => {
    expect((await call('GET', '/requests/r1?user_id=tg:1')).status).toBe(200);
    await call('GET', '/keys?user_id=tg:1&dao_id=d');
    await call('DELETE', '/keys/k2?user_id=tg:1');
    expect(list.mock.calls).toMatchObject([[{}, { daoId: 'd', userId: 'tg:1' }, { after: '', limit: 50 }]]);
    expect(revoke.mock.calls).toMatchObject([[{}, 'k2', { daoId: undefined, userId: 'tg:1' }]]);
  });

  it.each([
    ['NO HTTP\r\n\r\n', 400],
    [`GET /health HTTP/1.1\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
  ])('answers what is no HTTP in the form of every error', async (text, status) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString())).on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toContain(`HTTP/1.1 ${status} `);
    const parsed = JSON.parse(body) as Answer['body'];
    expect(parsed).toMatchObject({ ok: false, error: { code: 'QUERY_INVALID' } });
    expect(head).toContain(`x-request-id: ${parsed.request_id}`);
  });

  it.each([
    ['TEMPORAL_UNAVAILABLE', 503, '2'],
    ['PROVIDER_FAILED', 502, null],
    ['toString', 500, null],
  ])('%s as an outcome is %d and says %s about coming back', async (code, status, after) => {
    wait.mockResolvedValue({ ok: false, error: { code, message: 'm' } } as RequestBody);
    const answer = await call('POST', '/route', '{"prompt":"x"}');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([status, after]);
  });

  it('logs a call whose client went away, once', async () => {
    let answer = (_body: RequestBody): void => undefined;
    wait.mockReturnValue(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    const gone = new AbortController();
    const init = { method: 'POST', headers: json, body: '{"prompt":"x"}', signal: gone.signal };
    const reply = fetch(`http://127.0.0.1:${port}/route`, init).catch(() => undefined);
    await until(() => wait.mock.calls.length === 1);
    gone.abort();
    await reply;
    await until(() => callLines().length > 0);
    answer({ ok: true, status: 'completed' } as RequestBody);
    await call('GET', '/keys');
    expect(callLines()).toMatchObject([{ aborted: true, route: '/route', key_id: 'k1' }, { route: '/keys' }]);
    expect(callLines()[0]).not.toHaveProperty('status');
  });

  it('tells the version of the package', async () => {
    expect((await call('GET', '/openapi.json')).body.info.version).toBe(packageVersion());
  });
});
