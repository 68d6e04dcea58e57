import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import OpenAI, { APIError } from 'openai';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { ADMIN_KEY, chatProfile, DAO, fakeProvider, Product, until } from './harness.js';
import { CREW_MODELS } from '../clients/stage.js';

interface Wire {
  status: number;
  headers: Headers;
  text: string;
  body: Record<string, unknown> & { error?: { message: string; type: string; param: string | null; code: string } };
}

const CHAT = '/v1/chat/completions';
const hi = (content: string, more: object = {}): object => ({
  model: 'dagi-stack',
  messages: [{ role: 'user', content }],
  ...more,
});

describe('clients of OpenAI', () => {
  let fake: WireFake;
  let product: Product;
  let key: string;
  let client: OpenAI;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({
      database: 'embedded',
      profile: chatProfile([fakeProvider('fake', fake), fakeProvider('other', fake)], ['fake']),
    });
    ({ key } = await product.key({ dao_id: DAO, principal: 'tg:12345' }));
    client = new OpenAI({ apiKey: key, baseURL: `${product.url}/v1`, maxRetries: 0 });
  });

  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  beforeEach(() => {
    fake.reset();
    fake.settings = { ...fake.settings, tokens: 0, tokenMs: 0, firstTokenMs: 0 };
  });

  async function call(method: string, path: string, body?: unknown, headers: object = {}): Promise<Wire> {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const response = await product.fetch(method, path, { key, headers: { ...headers } }, text);
    const said = await response.text();
    const parsed = response.headers.get('content-type')?.includes('json') ? (JSON.parse(said) as Wire['body']) : {};
    return { status: response.status, headers: response.headers, text: said, body: parsed };
  }

  describe('an answer in one', () => {
    it('should be as OpenAI gives it', async () => {
      const { status, headers, body } = await call('POST', CHAT, hi('Hello #one', { user: 'u1', mirostat: 2 }));
      expect(status).toBe(200);
      const id = headers.get('x-request-id')!;
      expect(headers.get('x-dagi-ignored-parameters')).toBe('mirostat');
      expect(body).toEqual({
        id: `chatcmpl-${id}`,
        object: 'chat.completion',
        created: expect.any(Number),
        model: 'dagi-stack',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: expect.stringContaining('#one'), refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: expect.objectContaining({ prompt_tokens: expect.any(Number), total_tokens: expect.any(Number) }),
      });
      const created = body.created as number;
      expect(Math.abs(Date.now() / 1_000 - created)).toBeLessThan(60);
      expect((await product.call('GET', `/requests/${id}`, { key })).body).toMatchObject({
        ok: true,
        status: 'completed',
      });
    });

    it('should send the conversation as it is', async () => {
      const messages = [
        { role: 'system', content: 's' },
        { role: 'user', content: 'first' },
        { role: 'assistant', content: 'a' },
        { role: 'user', content: [{ type: 'text', text: 'second' }] },
      ];
      await call('POST', CHAT, { model: 'provider/fake', messages, max_tokens: 33, temperature: 0.25 });
      expect(fake.bodies.at(-1)).toMatchObject({ max_tokens: 33, temperature: 0.25 });
      expect(fake.bodies.at(-1)?.messages.map(({ role }) => role)).toEqual(messages.map(({ role }) => role));
    });

    it.each([`${CHAT}/`, `/v1//chat/completions`, `/${CHAT}`])('should come from %s', async (path) => {
      expect((await call('POST', path, hi('Hello'))).status).toBe(200);
    });

    it('should be that of the library', async () => {
      const answer = await client.chat.completions.create({
        model: 'provider/fake',
        messages: [{ role: 'user', content: 'Hello #library' }],
      });
      expect(answer.choices[0]?.message.content).toContain('#library');
      expect(answer._request_id).toBe(answer.id.replace('chatcmpl-', ''));
    });

    it('should be a text where a prompt was sent', async () => {
      const answer = await client.completions.create({ model: 'dagi-stack', prompt: 'Once #prompt' });
      expect(answer).toMatchObject({ object: 'text_completion', choices: [{ finish_reason: 'stop', index: 0 }] });
      expect(answer.choices[0]?.text).toContain('#prompt');
    });
  });

  describe('a stream', () => {
    it('should tell the same in pieces, and the usage behind them', async () => {
      const { headers, text } = await call(
        'POST',
        CHAT,
        hi('Привіт 🌻 #stream', { stream: true, stream_options: { include_usage: true } }),
        { 'accept-encoding': 'gzip' },
      );
      expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      expect(headers.get('content-encoding')).toBeNull();
      expect(text).not.toMatch(/\r|^(event|id|retry):/m);
      const frames = text.trimEnd().split('\n\n');
      expect(frames.at(-1)).toBe('data: [DONE]');
      const chunks = frames
        .slice(0, -1)
        .map((frame) => JSON.parse(frame.replace('data: ', '')) as OpenAI.ChatCompletionChunk);
      expect(new Set(chunks.map(({ id }) => id))).toEqual(new Set([`chatcmpl-${headers.get('x-request-id')}`]));
      expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toContain('Привіт 🌻 #stream');
      expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    });

    it('should be that of the library', async () => {
      const body = { model: 'dagi-stack', messages: [{ role: 'user' as const, content: 'Hello #piece' }] };
      const stream = client.chat.completions.stream(body);
      const { choices } = await stream.finalChatCompletion();
      expect(choices[0]?.message.content).toContain('#piece');
    });

    it('should have the status of a failure that comes before anything is told', async () => {
      fake.fail({ kind: 'status', status: 400, times: 9 });
      const { status, headers, body } = await call('POST', CHAT, hi('Hello', { stream: true }));
      expect([status, headers.get('x-should-retry')]).toEqual([502, 'false']);
      expect(body.error).toMatchObject({ type: 'server_error', param: null, code: 'provider_failed' });
    });

    it('should end with an error where it breaks in the middle', async () => {
      fake.settings = { ...fake.settings, tokens: 30 };
      const heard = Promise.withResolvers<undefined>();
      fake.fail({ kind: 'reset-mid-stream', times: 9, afterTokens: 12, until: heard.promise });
      const body = { model: 'dagi-stack', messages: [{ role: 'user' as const, content: 'x' }], stream: true as const };
      const stream = await client.chat.completions.create(body);
      const read = async (): Promise<void> => {
        for await (const { choices } of stream) {
          expect(choices[0]?.finish_reason).toBeNull();
          if (choices[0]?.delta.content) heard.resolve(undefined);
        }
      };
      await expect(read()).rejects.toBeInstanceOf(APIError);
    });
  });

  describe('a client that goes away', () => {
    const slow = (): void => {
      fake.settings = { ...fake.settings, tokens: 2_000, tokenMs: 10 };
    };
    const statusOf = async (id: string): Promise<string> =>
      (await product.call('GET', `/requests/${id}`, { key })).body.status;

    it('should stop the model in the middle of a stream', async () => {
      slow();
      const leaving = new AbortController();
      const response = await product.fetch(
        'POST',
        CHAT,
        { key, signal: leaving.signal },
        JSON.stringify(hi('x', { stream: true })),
      );
      await response.body!.getReader().read();
      leaving.abort();
      await until(() => fake.stats.inFlight === 0, 'the end of the call', 5_000);
      await until(async () => (await statusOf(response.headers.get('x-request-id')!)) === 'cancelled', 'the cancel');
    });

    it('should stop the model while it waits for the whole', async () => {
      slow();
      const socket = connect(Number(new URL(product.url).port), '127.0.0.1');
      const body = JSON.stringify(hi('x'));
      const head = `POST ${CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json`;
      socket.write(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      await until(() => fake.stats.inFlight === 1, 'the call');
      socket.destroy();
      await until(() => fake.stats.inFlight === 0, 'the end of the call', 5_000);
    });

    it('should find the answer where it named the request', async () => {
      fake.settings = { ...fake.settings, tokens: 60, tokenMs: 10 };
      const headers = { 'idempotency-key': 'mine' };
      const leaving = new AbortController();
      const body = hi('x', { stream: true });
      const response = await product.fetch(
        'POST',
        CHAT,
        { key, headers, signal: leaving.signal },
        JSON.stringify(body),
      );
      await response.body!.getReader().read();
      leaving.abort();
      const id = response.headers.get('x-request-id')!;
      const again = await call('POST', CHAT, hi('x'), headers);
      expect([again.status, again.body.id]).toEqual([200, `chatcmpl-${id}`]);
      expect(fake.stats.calls).toBe(1);
      const other = await call('POST', CHAT, hi('y'), headers);
      expect([other.status, other.headers.get('x-should-retry')]).toEqual([422, 'false']);
    });
  });

  describe('models', () => {
    it('should be those that the rules lead to', async () => {
      const { body } = await call('GET', '/v1/models');
      expect(body).toMatchObject({
        object: 'list',
        data: [{ id: 'dagi-stack', object: 'model' }, { id: 'provider/fake' }, ...CREW_MODELS.map((id) => ({ id }))],
      });
      const model = await client.models.retrieve('provider/fake');
      expect(model).toMatchObject({ id: 'provider/fake', object: 'model', created: expect.any(Number) });
    });

    it.each(['/v1/models/provider/fake', '/v1/models/provider%2Ffake', '/v1/models/provider/fake/'])(
      'should be found at %s',
      async (path) => {
        expect((await call('GET', path)).body).toMatchObject({ id: 'provider/fake' });
      },
    );

    it.each(['gpt-4o', 'provider/other', 'provider/none', 'provider/'])('should not have %s', async (model) => {
      const asked = await call('POST', CHAT, { ...hi('x'), model });
      expect([asked.status, asked.body.error?.code, asked.body.error?.param]).toEqual([
        404,
        'model_not_found',
        'model',
      ]);
      await expect(client.models.retrieve(model)).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    });
  });

  describe('an error', () => {
    const cases: [string, string, string, unknown, number, string, string | null][] = [
      ['no messages', 'POST', CHAT, { model: 'dagi-stack', messages: [] }, 400, 'invalid_value', 'messages'],
      ['a wrong role', 'POST', CHAT, { ...hi('x'), messages: [{ role: 'king' }] }, 400, 'invalid_value', 'messages'],
      ['two answers', 'POST', CHAT, hi('x', { n: 2 }), 400, 'unsupported_value', 'n'],
      ['sound', 'POST', CHAT, hi('x', { audio: {} }), 400, 'unsupported_parameter', 'audio'],
      ['metadata of numbers', 'POST', CHAT, hi('x', { metadata: { a: 1 } }), 400, 'invalid_value', 'metadata'],
      ['no JSON', 'POST', CHAT, '{', 400, 'invalid_json', null],
      ['another DAO', 'POST', CHAT, hi('x', { metadata: { dao_id: 'no-such' } }), 403, 'dao_forbidden', null],
      ['no endpoint', 'POST', '/v1/nothing', {}, 404, 'not_found', null],
      ['another method', 'GET', CHAT, undefined, 405, 'method_not_allowed', null],
      ['a method of models', 'DELETE', '/v1/models/provider/fake', undefined, 405, 'method_not_allowed', null],
    ];

    it.each(cases)('should be in OpenAI’s form: %s', async (_name, method, path, body, status, code, param) => {
      const reply = await call(method, path, body);
      expect(reply.status).toBe(status);
      expect(Object.keys(reply.body)).toEqual(['error']);
      expect(reply.body.error).toEqual({ message: expect.stringMatching(/\S/), type: expect.any(String), param, code });
      expect(reply.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
      if (status === 405) expect(reply.headers.get('allow')).toBe(path === CHAT ? 'POST' : 'GET');
    });

    it('should be of that form for a body of another kind, one too large, and a bad address', async () => {
      const form = await call('POST', CHAT, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' });
      expect([form.status, form.body.error?.code]).toEqual([415, 'media_type_unsupported']);
      const large = await call('POST', CHAT, hi('x'.repeat(5 * 1_048_576)));
      expect([large.status, large.body.error?.code]).toEqual([413, 'body_too_large']);
      const bad = request(`${product.url}/v1/%zz`, { headers: { authorization: `Bearer ${key}` } }).end();
      const [response] = (await once(bad, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
      const text = await new Response(response as never).text();
      expect([response.statusCode, text]).toEqual([400, expect.stringContaining('"type":"invalid_request_error"')]);
    });

    it.each([
      ['none', {}],
      ['a wrong one', { authorization: 'Bearer nonsense' }],
      ['Basic', { authorization: 'Basic nonsense' }],
    ])('should be 401 without a key: %s', async (name, headers) => {
      const reply = await product.call('POST', CHAT, { key: null, headers }, hi('x'));
      expect(reply.status).toBe(401);
      expect(reply.body.error).toMatchObject({ code: 'invalid_api_key', type: 'invalid_request_error', param: null });
      if (name === 'Basic') expect(reply.body.error.message).toContain('Bearer KEY');
    });

    it('should say what the endpoint itself says', async () => {
      fake.fail({ kind: 'status', status: 401, code: 'invalid_api_key', times: 9 });
      const { status, headers, body } = await call('POST', CHAT, hi('x'));
      expect([status, headers.get('x-should-retry'), body.error?.code]).toEqual([502, 'false', 'provider_failed']);
      expect(body.error?.message).toMatch(/^No model could answer: .*401/);
    });

    it('should be told to a guest who may not', async () => {
      const guest = await product.key({ dao_id: DAO, principal: 'tg:stranger' });
      const reply = await product.call('POST', CHAT, { key: guest.key }, hi('x'));
      expect([reply.status, reply.body.error.code]).toEqual([403, 'rbac_permission_denied']);
    });
  });

  it('should leave the errors of other addresses as they are', async () => {
    const reply = await product.call('POST', '/route', { key: ADMIN_KEY }, { prompt: '' });
    expect(reply.body).toMatchObject({ ok: false, error: { code: 'BODY_INVALID' } });
    expect(Object.keys(reply.body.error)).toEqual(['code', 'message']);
  });
});
