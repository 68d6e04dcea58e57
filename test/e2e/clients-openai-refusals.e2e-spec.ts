import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import OpenAI from 'openai';
import { asks, FULL_LENGTH, MODEL, Stage, type WireError } from '../clients/stage.js';
import { DAO } from './harness.js';

/** Most calls of a minute with one key: more than any key here makes, but for the one that is to be stopped. */
const PER_KEY = 40;

describe('what the library of OpenAI is refused', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open({ database: 'postgres', limits: { requests_per_minute: { key: PER_KEY } } });
    await stage.product.createDao('elsewhere', { 'tg:12345': ['member'] });
  }, 120_000);
  afterAll(() => stage.close());
  beforeEach(() => {
    stage.reset();
  });

  /** What the library makes of a call that fails. */
  async function failure(client: OpenAI, more: object = {}): Promise<InstanceType<typeof OpenAI.APIError>> {
    try {
      await client.chat.completions.create({ ...asks('Hello'), ...more });
    } catch (error) {
      if (error instanceof OpenAI.APIError) return error;
      throw error;
    }
    throw new Error('it was answered');
  }

  it.each(['', 'nonsense', 'dagi_nonsense', 'sk-proj-0123456789abcdef', 'two words', 'x'.repeat(5_000)])(
    'OpenAI 5: the key "%.20s" is refused with the class that the library has for it',
    async (apiKey) => {
      // The library leaves the header out where the key is empty.
      const error = await failure(
        stage.client(apiKey === '' ? { defaultHeaders: { authorization: null } } : { apiKey }),
      );
      expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
      expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'invalid_request_error', param: null });
      expect(error.requestID).toMatch(/^[\w-]{36}$/);
    },
  );

  it('OpenAI 5: a key that was revoked is refused, with the four fields', async () => {
    const { key, id } = await stage.product.key({ dao_id: DAO, principal: 'tg:12345' });
    const client = stage.client({ apiKey: key });
    expect((await client.chat.completions.create(asks('Hello'))).choices).toHaveLength(1);
    await stage.product.call('DELETE', `/keys/${id}`);
    expect(await failure(client)).toBeInstanceOf(OpenAI.AuthenticationError);
    const response = await stage.send(asks('Hello'), {}, key);
    const { error } = (await response.json()) as WireError;
    expect(Object.keys(error).toSorted()).toEqual(['code', 'message', 'param', 'type']);
    expect(response.status).toBe(401);
  });

  it('OpenAI 5: the key of another DAO opens nothing of this one', async () => {
    const { key } = await stage.product.key({ dao_id: 'elsewhere', principal: 'tg:12345' });
    const error = await failure(stage.client({ apiKey: key }), { metadata: { dao_id: DAO } });
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(error).toMatchObject({ status: 403, type: 'permission_error' });
    expect(stage.fake.stats.calls).toBe(0);
  });

  const bodies: [string, object | string, number][] = [
    ['no messages', { ...asks('x'), messages: [] }, 400],
    ['messages that are none', { model: MODEL, messages: 'x' }, 400],
    ['a wrong role', { model: MODEL, messages: [{ role: 'king', content: 'x' }] }, 400],
    ['no content', { model: MODEL, messages: [{ role: 'user' }] }, 400],
    ['no model', { messages: asks('x').messages }, 400],
    ['several answers', { ...asks('x'), n: 2 }, 400],
    ['a temperature that is none', { ...asks('x'), temperature: 'warm' }, 400],
    ['tools that are none', { ...asks('x'), tools: {} }, 400],
    ['a schema that is none', { ...asks('x'), response_format: { type: 'json_schema', json_schema: 7 } }, 400],
    ['no JSON', '{"model":', 400],
    ['no object', '[]', 400],
    ['null', 'null', 400],
    ['nothing', '', 400],
    ['a body beyond the bound', asks('x'.repeat(5 * 1_048_576)), 413],
  ];

  it.each(bodies)('OpenAI 6: %s', async (_name, body, status) => {
    const response = await stage.send(body);
    const { error } = (await response.json()) as WireError;
    expect(response.status).toBe(status);
    expect(error).toEqual({
      message: expect.stringMatching(/\S/),
      type: 'invalid_request_error',
      param: error.param,
      code: expect.any(String),
    });
    expect(stage.fake.stats.calls).toBe(0);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense'])(
    'OpenAI 6: the content type %s',
    async (type) => {
      const response = await stage.send(asks('x'), { 'content-type': type });
      expect([400, 415]).toContain(response.status);
      expect(((await response.json()) as WireError).error.type).toBe('invalid_request_error');
    },
  );

  const pairs = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 'v']));

  it.each([
    ['17 pairs', pairs(17)],
    ['a key of 65 characters', { ['k'.repeat(65)]: 'v' }],
    ['a value of 513 characters', { k: 'v'.repeat(513) }],
    ['a value that is no text', { k: 7 }],
  ])('OpenAI 12: metadata of %s', async (_name, metadata) => {
    const error = await failure(stage.client(), { metadata });
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error.param).toMatch(/^metadata/);
  });

  it('OpenAI 12: metadata at its bounds', async () => {
    const metadata = { ...pairs(15), ['k'.repeat(64)]: 'v'.repeat(512) };
    const answer = await stage.client().chat.completions.create({ ...asks('Hello'), metadata });
    expect(answer.choices).toHaveLength(1);
  });

  it('OpenAI 7: too many requests are told when to come again, and the library does', async () => {
    const { key } = await stage.product.key({ dao_id: DAO, principal: 'tg:12345' });
    const tries: Response[] = [];
    const watched = async (...call: Parameters<typeof fetch>): Promise<Response> => {
      const response = await fetch(...call);
      tries.push(response.clone());
      return response.status === 429 && !FULL_LENGTH ? minuteOver(response) : response;
    };
    const client = stage.client({ apiKey: key, maxRetries: 2, fetch: watched });
    for (let left = PER_KEY; left > 0; left -= 1) await client.chat.completions.create(asks('Hello'));
    tries.length = 0;
    const answer = await client.chat.completions.create(asks('Hello #after'));
    expect(answer.choices[0]?.message.content).toContain('#after');
    expect(tries.map(({ status }) => status)).toEqual([429, 200]);
    const [refused] = tries;
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused?.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(refused?.headers.get('x-should-retry')).not.toBe('false');
    expect(refused?.headers.get('x-ratelimit-limit-requests')).toBe(String(PER_KEY));
    expect(((await refused?.json()) as WireError).error).toMatchObject({ code: 'rate_limit_exceeded' });
    expect(stage.fake.stats.byPrompt).toMatchObject({ after: 1 });
  }, 120_000);

  /** Lets the minute be over before the library's next try, which it is told to make soon. */
  async function minuteOver(response: Response): Promise<Response> {
    await sql`delete from rate_limits`.execute(stage.product.database.all);
    const headers = new Headers(response.headers);
    headers.set('retry-after-ms', '20');
    return new Response(await response.text(), { status: response.status, headers });
  }

  it('OpenAI 7: a library that may not try again has the class for it', async () => {
    const { key } = await stage.product.key({ dao_id: DAO, principal: 'tg:12345' });
    const client = stage.client({ apiKey: key });
    for (let left = PER_KEY; left > 0; left -= 1) await client.models.list();
    for (let left = PER_KEY; left > 0; left -= 1) await client.chat.completions.create(asks('Hello'));
    const error = await failure(client);
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'rate_limit_error' });
  });
});
