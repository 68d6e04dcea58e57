import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CHUNK_LIMITS } from '../../src/http/v1/send-chunks.js';
import { Dify } from '../clients/dify.js';
import { Driver } from '../clients/driver.js';
import { FULL_LENGTH, Stage } from '../clients/stage.js';
import { until } from './harness.js';

/** What Dify's class makes of a failure: its text is what the user of Dify sees. */
const failure = (text: RegExp): object => ({ message: expect.stringMatching(text) as unknown });
/** How long the slow model takes to its first token, and how often the stream says that it is alive, in milliseconds. */
const SLOW = FULL_LENGTH ? 120_000 : 2_500;
const ALIVE = FULL_LENGTH ? 15_000 : 300;

describe('Dify’s own class', () => {
  let stage: Stage;
  let driver: Driver;
  let dify: Dify;

  beforeAll(async () => {
    const limits = { request_timeout_ms: 2 * SLOW + 20_000 };
    [stage, driver] = await Promise.all([
      Stage.open({ limits, provider: { timeout_ms: 2 * SLOW + 20_000 } }),
      Driver.start('dify'),
    ]);
    dify = new Dify(driver, stage.address);
  }, 300_000);
  afterAll(async () => {
    await driver.close();
    await stage.close();
  });
  beforeEach(() => {
    stage.reset();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await stage.recover();
  });

  it.each(['chat', 'completion'])('Dify 1: a model of the mode %s is saved', async (mode) => {
    const began = Date.now();
    expect(await dify.with({ mode }).save()).toBe('valid');
    expect(Date.now() - began).toBeLessThan(10_000);
    const [sent] = stage.fake.bodies;
    expect(sent).toMatchObject({ max_tokens: 5 });
    expect(sent?.messages.at(-1)?.content).toBe('ping');
  });

  it('Dify 2: a model is saved with streams before its first token', async () => {
    stage.reset({ firstTokenMs: 20_000 });
    const began = Date.now();
    expect(await dify.with({ stream_mode_auth: 'use' }).save()).toBe('valid');
    expect(Date.now() - began).toBeLessThan(10_000);
    await until(() => stage.fake.stats.inFlight === 0, 'the end of the call');
    expect(stage.fake.stats).toMatchObject({ calls: 1, completed: 0 });
  });

  it.each(['', 'nonsense'])('Dify 3: the key "%s" is refused, and Dify shows why', async (api_key) => {
    const refused = failure(/status code 401 .*invalid_api_key/s);
    await expect(dify.with({ api_key }).save()).rejects.toMatchObject(refused);
    await expect(dify.with({ api_key, stream_mode_auth: 'use' }).save()).rejects.toMatchObject(refused);
    await expect(dify.with({ api_key }).ask('Hello')).rejects.toMatchObject(failure(/401: .*invalid_api_key/s));
    expect(stage.fake.stats.calls).toBe(0);
  });

  it.each([true, false])('Dify 6: an app is answered, with its usage (stream: %s)', async (stream) => {
    const messages = [
      { role: 'system', content: 'Be short.' },
      { role: 'user', content: 'Привіт 🌻 #app' },
    ];
    stage.reset({ tokenMs: 40 });
    const answer = await dify.ask({ messages, stream, user: 'user-1' });
    expect(answer.text).toBe('echo #app (2 messages) Привіт 🌻 #app');
    expect(answer.usage).toEqual({ prompt: 5, completion: 7 });
    if (stream) expect(answer.pieces).toBeGreaterThan(3);
  });

  it('Dify 7: the reason of the end reaches Dify', async () => {
    expect(await dify.ask('Hello')).toMatchObject({ finish_reason: 'stop' });
    stage.reset({ tokens: 30 });
    const cut = await dify.ask({ messages: [{ role: 'user', content: 'Hello' }], parameters: { max_tokens: 3 } });
    expect(cut).toMatchObject({ finish_reason: 'length', usage: { completion: 3 } });
  });

  it('Dify 8: a failure in mid-stream fails in Dify, too', async () => {
    stage.reset({ tokens: 30 });
    stage.fake.fail({ kind: 'reset-mid-stream', times: 9 });
    await expect(dify.ask('Hello')).rejects.toMatchObject(failure(/stream_interrupted/));
  });

  it('Dify 8: a failure before the first token is told by its status and a sentence', async () => {
    stage.fake.fail({ kind: 'status', status: 500, message: 'thinking about budget_tokens', times: 9 });
    const asked = await dify.ask('Hello').catch((error: unknown) => error as Error);
    expect(asked).toMatchObject(failure(/status code 502: .*provider_failed/s));
    expect((asked as Error).message).not.toMatch(/thinking|budget_tokens|integer_below_min_value/);
  });

  const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
  const formats: [string, object][] = [
    ['json_schema, wrapped', { response_format: 'json_schema', json_schema: wrapped() }],
    ['json_schema, bare', { response_format: 'json_schema', json_schema: JSON.stringify(SCHEMA) }],
    ['json_object', { response_format: 'json_object' }],
    ['text', { response_format: 'text' }],
  ];
  function wrapped(): string {
    return JSON.stringify({ name: 'place', strict: true, schema: SCHEMA });
  }

  it.each(formats)('Dify 10: the format %s is taken, or refused by its name', async (_name, parameters) => {
    const messages = [{ role: 'user', content: 'Say a city in JSON.' }];
    const asked = await dify.ask({ messages, parameters }).catch((error: unknown) => error as Error);
    if (asked instanceof Error) expect(asked).toMatchObject(failure(/status code 400: .*response_format/s));
    else expect(asked.text).not.toBe('');
  });

  it('Dify 10: stop and the fields of the extended mode are taken', async () => {
    const extra_parameters = {
      chat_template_kwargs: { enable_thinking: false, thinking: false },
      ...{ thinking: { type: 'disabled' }, enable_thinking: false, reasoning_format: 'auto', web_search: true },
    };
    const messages = [{ role: 'user', content: 'Hello #extended' }];
    const answer = await dify.with({ extra_parameters }).ask({ messages, stop: ['\n\n', 'END'] });
    expect(answer.text).toContain('#extended');
    expect(stage.fake.bodies.at(-1)).toMatchObject({ stop: ['\n\n', 'END'] });
  });

  it('Dify 11: parts of text are taken', async () => {
    const content = [
      { type: 'text', data: 'How are farms paid? ' },
      { type: 'text', data: 'Be short. #parts' },
    ];
    expect((await dify.ask({ messages: [{ role: 'user', content }] })).text).toContain('#parts');
  });

  it.each(['', 'u', 'u'.repeat(256), 'u'.repeat(10_000), 'a\u0000b\u0007\n\r\u001b[31m'])(
    'Dify 12: a user of any kind',
    async (user) => {
      const messages = [{ role: 'user', content: 'Hello #user' }];
      expect((await dify.ask({ messages, user })).text).toContain('#user');
    },
  );

  it(
    'Dify 13: a model that is slow to begin is waited for',
    async () => {
      jest.replaceProperty(CHUNK_LIMITS, 'keepAliveMs', ALIVE);
      jest.replaceProperty(CHUNK_LIMITS, 'openMs', Math.min(CHUNK_LIMITS.openMs, ALIVE));
      stage.reset({ firstTokenMs: SLOW });
      const began = Date.now();
      const answer = await dify.ask('Hello #slow');
      expect(Date.now() - began).toBeGreaterThanOrEqual(SLOW);
      expect(answer).toMatchObject({ text: 'echo #slow (1 messages) Hello #slow', finish_reason: 'stop' });
      expect(stage.fake.stats.calls).toBe(1);
    },
    SLOW + 60_000,
  );

  it('Dify 14: an app that stops reading stops the model', async () => {
    stage.reset({ tokens: 1_000, tokenMs: 10 });
    await dify.ask({ messages: [{ role: 'user', content: 'Long #left' }], stop_after: 2 });
    await until(() => stage.fake.stats.inFlight === 0, 'the end of the call', 5_000);
    expect(stage.fake.stats).toMatchObject({ calls: 1, aborted: 1, completed: 0 });
  });

  it('Dify 14: a Dify that is killed stops the model', async () => {
    stage.reset({ tokens: 1_000, tokenMs: 10 });
    const victim = await Driver.start('dify');
    await new Promise<void>((began) => {
      new Dify(victim, stage.address).ask('Long #killed', began).catch(() => undefined);
    });
    await victim.kill();
    await until(() => stage.fake.stats.inFlight === 0, 'the end of the call', 5_000);
    expect(stage.fake.stats).toMatchObject({ calls: 1, aborted: 1 });
  }, 120_000);

  it.each(['', '/'])('Dify 16: a base address that ends in "%s"', async (end) => {
    const endpoint_url = `${stage.base}${end}`;
    expect(await dify.with({ endpoint_url }).save()).toBe('valid');
    expect((await dify.with({ endpoint_url }).ask('Hello #base')).text).toContain('#base');
  });

  it('Dify 18: an empty Idempotency-Key counts as none', async () => {
    const unnamed = dify.with({ extra_headers: { 'Idempotency-Key': '' } });
    for (const prompt of ['Hello #first', 'Hello #second']) expect((await unnamed.ask(prompt)).text).toContain(prompt);
    expect(stage.fake.stats.calls).toBe(2);
  });
});
