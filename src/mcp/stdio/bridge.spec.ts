import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isJSONRPCRequest, type JSONRPCMessage, type Transport } from '@modelcontextprotocol/server';
import { until } from '../../../test/support/until.js';
import { bridge } from './bridge.js';
import { fieldValue } from './headers.js';
import { Upstream } from './upstream.js';

interface Call {
  headers: IncomingMessage['headers'];
  body: { id: string | number; method: string; params: Record<string, unknown> };
  reply: ServerResponse;
  gone: boolean;
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const modern = (id: number, method: string, params: object = {}): JSONRPCMessage => ({
  jsonrpc: '2.0',
  id,
  method,
  params: { ...params, _meta: META },
});
const cancelled = (requestId: number, reason?: string): JSONRPCMessage => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId, ...(reason !== undefined && { reason }) },
});

/** A client, as the bridge sees it. */
class FakeClient implements Transport {
  onmessage?: NonNullable<Transport['onmessage']>;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  readonly got: JSONRPCMessage[] = [];
  start = (): Promise<void> => Promise.resolve();
  send = (message: JSONRPCMessage): Promise<void> => {
    this.got.push(message);
    return Promise.resolve();
  };
  close = (): Promise<void> => Promise.resolve(this.onclose?.());
  answerTo = (id: number | string): Record<string, unknown> | undefined =>
    this.got.find((message) => 'id' in message && message.id === id && !('method' in message));
}

describe(bridge, () => {
  let server: Server;
  let calls: Call[];
  /** What the server does with each call. */
  let answer: (call: Call) => void;
  let client: FakeClient;
  let ended: Promise<void>;
  let warnings: string[];

  const json = ({ reply }: Call, body: object, status = 200): void => {
    reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const result = (call: Call, value: object): void => {
    json(call, { jsonrpc: '2.0', id: call.body.id, result: { resultType: 'complete', ...value } });
  };
  const event = ({ reply }: Call, message: object): void => {
    if (!reply.headersSent) reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
  };
  const say = (message: JSONRPCMessage): void => client.onmessage?.(message);
  const only = async (count = 1): Promise<Call> => {
    await until(() => calls.length >= count);
    return calls[count - 1]!;
  };

  beforeEach(async () => {
    [calls, warnings, client] = [[], [], new FakeClient()];
    answer = () => undefined;
    server = createServer((request, reply) => {
      let text = '';
      request.on('data', (piece: Buffer) => (text += piece.toString()));
      request.on('end', () => {
        const call: Call = { headers: request.headers, body: JSON.parse(text) as Call['body'], reply, gone: false };
        reply.on('close', () => (call.gone = !reply.writableFinished));
        calls.push(call);
        answer(call);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
    const warn = (sentence: string): void => void warnings.push(sentence);
    const on = { dao: 'зелень', user: 'tg:1' };
    const upstream = new Upstream({ target: () => Promise.resolve({ url, key: 'k' }), on, warn, comeBackMs: 3_000 });
    ended = bridge({ transport: client, upstream, version: '1', warn });
  });

  afterEach(async () => {
    await client.close();
    await ended;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('should pass a message of the newer revision on as it is, and what comes back', async () => {
    say(modern(7, 'resources/read', { uri: 'dagi://dao/workspace/файл' }));
    const call = await only();
    expect(call.body).toEqual(modern(7, 'resources/read', { uri: 'dagi://dao/workspace/файл' }));
    expect(call.headers).toMatchObject({
      authorization: 'Bearer k',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'resources/read',
      'mcp-name': fieldValue('dagi://dao/workspace/файл'),
      'x-dagi-dao': encodeURIComponent('зелень'),
      'x-dagi-user': 'tg%3A1',
      'x-dagi-detached': '1',
    });
    expect(call.headers['mcp-name']).toMatch(/^=\?base64\?/);
    event(call, { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } });
    event(call, { id: 7, result: { contents: [] } });
    call.reply.end();
    await until(() => client.answerTo(7) !== undefined);
    expect(client.got.map((message) => ('method' in message ? message.method : 'answer'))).toEqual([
      'notifications/progress',
      'answer',
    ]);
  });

  it.each([
    [401, 'UNAUTHENTICATED', -32_600],
    [413, 'BODY_TOO_LARGE', -32_600],
    [503, 'DRAINING', -32_603],
  ])('should tell HTTP %i as an error of the protocol', async (status, code, expected) => {
    answer = (call) => json(call, { ok: false, error: { code, message: 'No.' } }, status);
    say(modern(1, 'tools/list'));
    await until(() => client.answerTo(1) !== undefined);
    expect(client.answerTo(1)).toMatchObject({ error: { code: expected, data: { code, status } } });
    expect(calls).toHaveLength(1);
  });

  it('should ask again after a break, with rising numbers, and not where nobody ever listened', async () => {
    answer = (call) => {
      event(call, { method: 'notifications/progress', params: { progressToken: 1, progress: 3 } });
      if (calls.length === 1) setImmediate(() => call.reply.destroy());
      else event(call, { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } });
      if (calls.length === 2) setImmediate(() => event(call, { id: 1, result: { content: [] } }));
    };
    say(modern(1, 'tools/call', { name: 'router_call' }));
    await until(() => client.answerTo(1) !== undefined);
    expect(calls).toHaveLength(2);
    const told = client.got.flatMap((message) => ('method' in message ? [message.params?.progress] : []));
    expect(told).toEqual([...told].sort());
    expect(new Set(told).size).toBe(told.length);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    say(modern(2, 'tools/list'));
    await until(() => client.answerTo(2) !== undefined);
    expect(client.answerTo(2)).toMatchObject({ error: { message: expect.stringContaining('npm run up') } });
  });

  it('should cancel in words, but not where the client’s time ran out', async () => {
    say(modern(1, 'tools/call', { name: 'router_call', arguments: { prompt: 'x' } }));
    await only();
    say(cancelled(1, 'Request timed out'));
    await until(() => calls[0]?.gone === true);
    say(modern(2, 'tools/call', { name: 'router_call', arguments: { prompt: 'x' } }));
    await only(2);
    say(cancelled(2, 'the user pressed stop'));
    const third = await only(3);
    expect(third.headers['x-dagi-cancel']).toBe('1');
    expect(third.body.params).toEqual(calls[1]?.body.params);
    result(third, {});
    expect(client.got).toEqual([]);
  });

  describe('with a client of before', () => {
    const discovered = { capabilities: { tools: {}, resources: { subscribe: true } }, instructions: 'Ask.' };
    const serve: Record<string, (call: Call) => void> = {
      'server/discover': (call) => result(call, discovered),
      'tools/list': (call) => result(call, { tools: [], ttlMs: 0, cacheScope: 'private' }),
    };
    const legacy = (id: number, method: string, params: object = {}): void => {
      say({ jsonrpc: '2.0', id, method, params: { ...params } });
    };
    const initialize = async (capabilities: object): Promise<void> => {
      legacy(0, 'initialize', {
        protocolVersion: '2025-06-18',
        capabilities,
        clientInfo: { name: 'old', version: '1' },
      });
      await until(() => client.answerTo(0) !== undefined);
      say({ jsonrpc: '2.0', method: 'notifications/initialized' });
    };
    const asked = (): (JSONRPCMessage & { id: string | number; method: string }) | undefined =>
      client.got.find((message) => isJSONRPCRequest(message));

    beforeEach(() => {
      answer = (call) => serve[call.body.method]?.(call);
    });

    it('should begin after a look for the newer revision, and ask in the newer way', async () => {
      say(modern(5, 'server/discover'));
      await initialize({});
      expect(client.answerTo(0)).toMatchObject({
        result: {
          protocolVersion: '2025-06-18',
          instructions: 'Ask.',
          capabilities: { resources: { subscribe: true } },
        },
      });
      legacy(1, 'tools/list');
      await until(() => client.answerTo(1) !== undefined);
      expect(client.answerTo(1)).toEqual({ jsonrpc: '2.0', id: 1, result: { tools: [] } });
      expect(calls.at(-1)?.body.params._meta).toMatchObject({
        'io.modelcontextprotocol/clientInfo': { name: 'old' },
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      });
    });

    it('should ask the person where the client waits for that, and go on with the answer', async () => {
      const question = {
        method: 'elicitation/create',
        params: { message: 'Who?', requestedSchema: { type: 'object', properties: {} } },
      };
      serve['tools/call'] = (call) => {
        if (call.body.params.inputResponses === undefined) {
          result(call, { resultType: 'input_required', inputRequests: { q: question }, requestState: 's' });
        } else result(call, { content: [{ type: 'text', text: 'done' }] });
      };
      await initialize({ elicitation: {} });
      legacy(1, 'tools/call', { name: 'workflow_run', arguments: {}, _meta: { progressToken: 'p' } });
      await until(() => asked() !== undefined);
      say({ jsonrpc: '2.0', id: asked()?.id ?? 0, result: { action: 'accept', content: { name: 'Ada' } } });
      await until(() => client.answerTo(1) !== undefined);
      expect(client.answerTo(1)).toMatchObject({ result: { content: [{ text: 'done' }] } });
      expect(calls.at(-1)?.body.params).toMatchObject({
        requestState: 's',
        inputResponses: { q: { action: 'accept', content: { name: 'Ada' } } },
      });
    });

    it('should not claim that a person can be asked where the client would not wait', async () => {
      serve['tools/call'] = (call) => result(call, { content: [] });
      await initialize({ elicitation: {} });
      legacy(1, 'tools/call', { name: 'workflow_run' });
      await until(() => client.answerTo(1) !== undefined);
      expect(calls.at(-1)?.body.params._meta).toMatchObject({ 'io.modelcontextprotocol/clientCapabilities': {} });
      expect(JSON.stringify(calls.at(-1)?.body.params)).not.toContain('elicitation');
    });

    it('should cancel in words while a person thinks', async () => {
      const question = {
        method: 'elicitation/create',
        params: { message: 'Who?', requestedSchema: { type: 'object', properties: {} } },
      };
      serve['tools/call'] = (call) =>
        result(call, { resultType: 'input_required', inputRequests: { q: question }, requestState: 's' });
      await initialize({ elicitation: {} });
      legacy(1, 'tools/call', { name: 'workflow_run', _meta: { progressToken: 1 } });
      await until(() => asked() !== undefined);
      say(cancelled(1, 'stop'));
      await until(() => calls.some(({ headers }) => headers['x-dagi-cancel'] === '1'));
    });

    it('should watch for it, tell of changes, and watch anew after a break', async () => {
      const listens = (): Call[] => calls.filter(({ body }) => body.method === 'subscriptions/listen');
      serve['subscriptions/listen'] = (call) => {
        const { notifications } = call.body.params;
        event(call, { method: 'notifications/subscriptions/acknowledged', params: { notifications } });
      };
      await initialize({});
      legacy(1, 'resources/subscribe', { uri: 'dagi://a' });
      await until(() => client.answerTo(1) !== undefined);
      const updates = (): number =>
        client.got.filter((m) => 'method' in m && m.method === 'notifications/resources/updated').length;
      event(listens()[0]!, { method: 'notifications/resources/updated', params: { uri: 'dagi://a' } });
      await until(() => updates() === 1);
      listens()[0]?.reply.destroy();
      await until(() => listens().length === 2 && updates() === 2);
      legacy(2, 'resources/unsubscribe', { uri: 'dagi://a' });
      await until(() => listens()[1]?.gone === true);
    });

    it('should say why there is no beginning', async () => {
      serve['server/discover'] = (call) =>
        json(call, { ok: false, error: { code: 'UNAUTHENTICATED', message: 'No key.' } }, 401);
      legacy(0, 'initialize', {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'o', version: '1' },
      });
      await until(() => client.answerTo(0) !== undefined);
      expect(client.answerTo(0)).toMatchObject({
        error: { code: -32_600, message: expect.stringMatching(/^UNAUTHENTICATED: .*DAGI_API_KEY/) },
      });
    });
  });
});
