import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RequestEvent } from '../contracts/events.js';
import { ask } from './ask.js';
import { DagiClient } from './client.js';

const QUESTION = { prompt: 'Hello', mode: 'chat', metadata: {} } as const;
const BODY = { ok: true, request_id: 'r1', data: { text: 'Hello there', finish_reason: 'stop' }, timings_ms: {} };

const frame = (id: string, event: string, data: unknown): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

describe(ask.name, () => {
  let server: Server;
  let client: DagiClient;
  let requests: IncomingMessage[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    requests = [];
    server = createServer((request, response) => {
      requests.push(request);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = new DagiClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'secret' });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const stream = (response: ServerResponse): ServerResponse =>
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  const texts = (events: RequestEvent[]): string =>
    events.map((event) => (event.type === 'token' ? event.data.text : '')).join('');

  it('should hear every event and give the whole body', async () => {
    answer = (_request, response) => {
      stream(response).write(frame('0-0', 'route', { request_id: 'r1' }));
      response.write(frame('1-5', 'token', { text: 'Hello' }));
      response.end(frame('1-11', 'token', { text: ' there' }) + frame('1-11', 'done', BODY));
    };
    const heard: RequestEvent[] = [];
    await expect(ask(client, QUESTION, (event) => heard.push(event))).resolves.toEqual(BODY);
    expect(heard.map(({ type }) => type)).toEqual(['route', 'token', 'token', 'done']);
    expect(texts(heard)).toBe('Hello there');
    expect(requests[0]?.headers).toMatchObject({ authorization: 'Bearer secret', accept: 'text/event-stream' });
  });

  it('should take up a stream where it broke off', async () => {
    answer = (request, response) => {
      if (request.method === 'POST') {
        stream(response).write(frame('0-0', 'route', { request_id: 'r1' }) + frame('1-5', 'token', { text: 'Hello' }));
        setTimeout(() => response.destroy(), 20);
      } else stream(response).end(frame('1-11', 'token', { text: ' there' }) + frame('1-11', 'done', BODY));
    };
    const heard: RequestEvent[] = [];
    await ask(client, QUESTION, (event) => heard.push(event));
    expect(texts(heard)).toBe('Hello there');
    expect(requests[1]?.url).toBe('/requests/r1/events');
    expect(requests[1]?.headers['last-event-id']).toBe('1-5');
  });

  it('should tell a refusal by its code and sentence', async () => {
    answer = (_request, response) => {
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ ok: false, error: { code: 'RBAC_PERMISSION_DENIED', message: 'Not you.', roles: ['guest'] } }),
      );
    };
    await expect(ask(client, QUESTION, () => undefined)).rejects.toMatchObject({
      code: 'RBAC_PERMISSION_DENIED',
      message: 'Not you.',
      detail: { roles: ['guest'] },
    });
  });

  it('should tell a failure that ends the stream', async () => {
    const failed = { ...BODY, ok: false, error: { code: 'PROVIDER_FAILED', message: 'No model could answer.' } };
    answer = (_request, response) => stream(response).end(frame('0-0', 'error', failed));
    await expect(ask(client, QUESTION, () => undefined)).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
  });

  it('should say what to do when nothing answers at the address', async () => {
    const gone = new DagiClient({ url: 'http://127.0.0.1:9', key: 'k' });
    await expect(ask(gone, QUESTION, () => undefined)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:9 does not answer .*npm run up/),
    });
  });

  it('should notice that something else answers at the address', async () => {
    answer = (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>It works</h1>');
    await expect(ask(client, QUESTION, () => undefined)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });
});
