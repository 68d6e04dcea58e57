import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type OpenAI from 'openai';
import { CHUNK_LIMITS } from '../../src/http/v1/send-chunks.js';
import { asks, CHAT, Stage, type WireError } from '../clients/stage.js';

const STREAMED = { stream: true };
const WITH_USAGE = { stream: true, stream_options: { include_usage: true } };

/** A stream as text, and what its blocks hold. */
interface Streamed {
  text: string;
  comments: string[];
  chunks: (OpenAI.ChatCompletionChunk & Partial<WireError>)[];
  done: boolean;
}

describe('what Dify reads from the wire', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open();
  }, 120_000);
  afterAll(() => stage.close());
  beforeEach(() => {
    stage.reset();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await stage.recover();
  });

  /** @param heard is called once a part of the answer has come */
  async function streamed(body: object, heard: () => void = () => undefined): Promise<Streamed> {
    const { body: parts } = await stage.send(body);
    let text = '';
    for await (const part of parts?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += part;
      if (/"content":"[^"]/.test(text)) heard();
    }
    const blocks = text.split('\n\n').slice(0, -1);
    const comments = blocks.filter((block) => block.startsWith(':'));
    const data = blocks.filter((block) => !comments.includes(block)).map((block) => block.replace(/^data: /, ''));
    const done = data.at(-1) === '[DONE]';
    const chunks = (done ? data.slice(0, -1) : data).map((each) => JSON.parse(each) as Streamed['chunks'][number]);
    return { text, comments, chunks, done };
  }

  it('Dify 1: what it sends when a model is saved is answered with a body of the right kind', async () => {
    const ping = { ...asks('ping'), max_tokens: 5 };
    const response = await stage.send(ping, { accept: '*/*', 'accept-encoding': 'gzip, deflate' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await response.json()).toMatchObject({ object: 'chat.completion', choices: [{ index: 0 }] });
  });

  it.each(['', 'Bearer ', 'Bearer nonsense', 'Bearer', 'nonsense'])('Dify 3: the authorization "%s"', async (given) => {
    const headers = given === '' ? {} : { authorization: given };
    const response = await stage.send(asks('ping'), headers, null);
    expect([response.status, response.redirected]).toEqual([401, false]);
    const { error } = (await response.json()) as WireError;
    expect(error).toMatchObject({ code: 'invalid_api_key', param: null, message: expect.stringMatching(/\S/) });
  });

  it('Dify 4: conversations are answered with 200, also those that are asked for again, and to a slash', async () => {
    const named = { 'idempotency-key': 'again' };
    const calls = [stage.send(asks('Hello')), stage.send({ ...asks('Hello'), ...STREAMED })];
    calls.push(
      stage.send(asks('Hello'), named),
      stage.send(asks('Hello'), named),
      stage.send(asks('x'), { prefer: 'respond-async' }),
    );
    const body = JSON.stringify(asks('Hello'));
    const slash = stage.product.fetch('POST', `${CHAT}/`, { key: stage.key }, body);
    for (const response of await Promise.all([...calls, slash])) {
      expect([response.status, response.redirected]).toEqual([200, false]);
      await response.text();
    }
  });

  it('Dify 5: a stream that had to wait has data and comments, and nothing else', async () => {
    jest.replaceProperty(CHUNK_LIMITS, 'keepAliveMs', 50);
    jest.replaceProperty(CHUNK_LIMITS, 'openMs', 50);
    stage.reset({ firstTokenMs: 600, tokens: 12, tokenMs: 90 });
    const { text, comments, chunks, done } = await streamed({ ...asks('Привіт 🌻\r\nevent: x #lines'), ...WITH_USAGE });
    expect(text).not.toMatch(/\r/);
    expect(text).not.toMatch(/^(event|id|retry)/m);
    expect(text.endsWith('\n\n')).toBe(true);
    // Each block is one line, so that each comment has its blank line.
    for (const block of text.split('\n\n').slice(0, -1)) expect(block).toMatch(/^(: .*|data: .+)$/);
    expect(comments.length).toBeGreaterThan(3);
    expect([chunks.length > 5, done]).toEqual([true, true]);
  });

  it('Dify 6: usage comes once, behind the end and before [DONE], where it is asked for', async () => {
    const { chunks, done } = await streamed({ ...asks('Hello #usage'), ...WITH_USAGE });
    const counted = chunks.filter(({ usage }) => usage);
    expect([counted.length, done]).toEqual([1, true]);
    expect(chunks.at(-1)).toBe(counted[0]);
    expect(counted[0]).toMatchObject({ choices: [], usage: { prompt_tokens: 2, completion_tokens: 6 } });
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
  });

  it.each([
    STREAMED,
    { stream: true, stream_options: { include_usage: false } },
    { stream: true, stream_options: null },
  ])('Dify 6: usage does not come where it is not asked for: %j', async (options) => {
    const { chunks, done } = await streamed({ ...asks('Hello'), ...options });
    expect(chunks.every(({ usage, choices }) => !usage && choices.length === 1)).toBe(true);
    expect(done).toBe(true);
  });

  it.each([0, 3])('Dify 7: the end is told once, in the last chunk with choices (%d tokens)', async (limit) => {
    stage.reset({ tokens: 9 });
    const { chunks } = await streamed({ ...asks('Hello'), ...WITH_USAGE, ...(limit > 0 && { max_tokens: limit }) });
    const choices = chunks.flatMap((chunk) => chunk.choices);
    const reasons = choices.map(({ finish_reason: reason }) => reason);
    expect(reasons.filter((reason) => reason !== null)).toEqual([limit > 0 ? 'length' : 'stop']);
    expect(reasons.at(-1)).toBe(limit > 0 ? 'length' : 'stop');
  });

  it.each(['reset-mid-stream', 'error-mid-stream', 'end-early', 'bad-json'] as const)(
    'Dify 8: %s ends with one error and no clean end',
    async (kind) => {
      stage.reset({ tokens: 30 });
      const heard = Promise.withResolvers<undefined>();
      stage.fake.fail({ kind, times: 9, afterTokens: 8, until: heard.promise });
      const { chunks, done } = await streamed({ ...asks('Hello'), ...WITH_USAGE }, () => {
        heard.resolve(undefined);
      });
      expect(done).toBe(false);
      const errors = chunks.filter(({ error }) => error);
      expect([errors.length, chunks.at(-1)]).toEqual([1, errors[0]]);
      expect(Object.keys(errors[0] ?? {})).toEqual(['error']);
      expect(Object.keys(errors[0]?.error ?? {}).toSorted()).toEqual(['code', 'message', 'param', 'type']);
      const told = chunks.slice(0, -1);
      expect(told.length).toBeGreaterThan(1);
      expect(told.every(({ choices }) => choices[0]?.finish_reason === null)).toBe(true);
    },
  );

  const strange = { chat_template_kwargs: { a: 1 }, enable_thinking: true, mirostat: 2, '': 1, nested: { a: [{}] } };
  const bodies: [string, object][] = [
    ['stop as a text', { stop: 'END' }],
    ['stop as a list', { stop: ['a', 'b', 'c', 'd'] }],
    ['no stops', { stop: [] }],
    ['five stops', { stop: ['a', 'b', 'c', 'd', 'e'] }],
    ['a stop that is none', { stop: 7 }],
    ['json_object', { response_format: { type: 'json_object' } }],
    ['a schema in its wrapping', { response_format: format({ name: 'x', schema: { type: 'object' } }) }],
    ['a bare schema', { response_format: format({ type: 'object', properties: { a: { type: 'string' } } }) }],
    ['a schema of no use', { response_format: format({ name: 'x', schema: { type: 'nonsense', $ref: '#/no' } }) }],
    ['no schema', { response_format: { type: 'json_schema' } }],
    ['an unknown format', { response_format: { type: 'xml' } }],
    ['fields that nobody knows', strange],
    ['everything null', { stop: null, tools: null, user: null, response_format: null, temperature: null, n: null }],
  ];
  function format(json_schema: object): object {
    return { type: 'json_schema', json_schema };
  }

  it.each(bodies)('Dify 10: %s is taken or refused', async (_name, more) => {
    for (const stream of [false, true]) {
      const response = await stage.send({ ...asks('Hello'), ...more, stream });
      expect([200, 400]).toContain(response.status);
      const text = await response.text();
      if (response.status === 400) expect((JSON.parse(text) as WireError).error.message).toMatch(/\S/);
    }
  });

  it('Dify 10: fields that nobody knows are named', async () => {
    const response = await stage.send({ ...asks('Hello'), ...strange });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-dagi-ignored-parameters')).toContain('mirostat');
  });

  it.each(['file', 'video_url', 'input_audio', 'nonsense'])('Dify 11: a part of type %s is refused', async (type) => {
    const content = [
      { type: 'text', text: 'Hello' },
      { type, [type]: {} },
    ];
    const response = await stage.send({ ...asks(''), messages: [{ role: 'user', content }] });
    const { error } = (await response.json()) as WireError;
    expect([response.status, error.message]).toEqual([400, expect.stringContaining(type)]);
    expect(error.param).toMatch(/^messages/);
  });

  it('Dify 12: a user of other characters, and one that is no text', async () => {
    for (const user of ['\u0000', '\ud800', '👩‍👩‍👧‍👦'.repeat(500), ' ', '💥\r\nset-cookie: x']) {
      expect((await stage.send({ ...asks('Hello'), user })).status).toBe(200);
    }
    for (const user of [7, {}, ['u'], 'u'.repeat(10_001)]) {
      expect((await stage.send({ ...asks('Hello'), user })).status).toBe(400);
    }
  });

  it('Dify 15: a stream is not compressed, whatever is accepted', async () => {
    stage.reset({ tokens: 400 });
    for (const accepted of ['gzip, deflate', 'gzip', 'br, gzip', '*']) {
      const response = await stage.send({ ...asks('Hello'), ...STREAMED }, { 'accept-encoding': accepted });
      expect(response.headers.get('content-encoding')).toBeNull();
      expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
      expect(await response.text()).toContain('[DONE]');
    }
  });

  it('Dify 18: an empty Idempotency-Key makes two runs of two calls', async () => {
    const ids = await Promise.all(
      [1, 2].map(async () => {
        const response = await stage.send(asks('Hello #twice'), { 'idempotency-key': '' });
        return ((await response.json()) as { id: string }).id;
      }),
    );
    expect(new Set(ids).size).toBe(2);
    expect(stage.fake.stats.calls).toBe(2);
  });

  it('Dify 19: a key under the scheme Basic is refused with a hint', async () => {
    for (const given of [stage.key, Buffer.from(`user:${stage.key}`).toString('base64'), '']) {
      const response = await stage.send(asks('ping'), { authorization: `Basic ${given}` }, null);
      const { error } = (await response.json()) as WireError;
      expect([response.status, error.code]).toEqual([401, 'invalid_api_key']);
      expect(error.message).toMatch(/Bearer/);
      expect(error.message).not.toContain(stage.key);
    }
  });
});
