import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { aCall, closedUrl, collect, eventually, failureOf } from '../../../test/factories/generate-call.js';
import { DEFAULT_SETTINGS } from '../../../test/fakes/fake-dialect.js';
import { startFakeOpenAi } from '../../../test/fakes/fake-openai.js';
import type { Fault, WireFake } from '../../../test/fakes/wire-fake.js';
import { OpenAiCompatibleProvider, type OpenAiCompatibleOptions } from './openai-compatible.js';
import { countTokens } from './usage-count.js';

let fake: WireFake;
const provider = (model = 'fake-model', apiKey = 'sk-test'): OpenAiCompatibleProvider =>
  new OpenAiCompatibleProvider({ name: 'cloud', baseUrl: `${fake.url}/v1`, model, apiKey });

beforeAll(async () => {
  fake = await startFakeOpenAi();
});
afterAll(() => fake.close());
afterEach(() => {
  fake.reset();
  fake.settings = DEFAULT_SETTINGS;
});

describe('what is sent', () => {
  it('always sends a cap, streams and asks for usage', async () => {
    await collect(provider().generate(aCall('hello', { maxTokens: 33, temperature: 0.4, topP: 0.8 })));
    expect(fake.bodies).toEqual([
      {
        model: 'fake-model',
        messages: [{ role: 'user', content: 'hello' }],
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 33,
        temperature: 0.4,
        top_p: 0.8,
      },
    ]);
  });

  it('uses the first model that the endpoint lists', async () => {
    const sut = provider('');
    expect(await sut.model()).toBe('fake-model');
    await collect(sut.generate(aCall('a')));
    expect(fake.bodies[0]?.model).toBe('fake-model');
  });

  it('sends the cap under its new name, and leaves out what the model refuses', async () => {
    fake.settings = { ...DEFAULT_SETTINGS, refuseParameters: ['max_tokens', 'temperature'] };
    const sut = provider();
    await collect(sut.generate(aCall('one')));
    await collect(sut.generate(aCall('two')));
    expect(fake.bodies).toHaveLength(2);
    expect(fake.bodies[1]).toMatchObject({ max_completion_tokens: 50, top_p: 0.9 });
    expect(fake.bodies[1]).not.toHaveProperty('max_tokens');
    expect(fake.bodies[1]).not.toHaveProperty('temperature');
  });

  it('works with an endpoint that wants no key', async () => {
    const sut = new OpenAiCompatibleProvider({ name: 'open', baseUrl: `${fake.url}/v1`, model: 'fake-model' });
    expect((await collect(sut.generate(aCall('hi')))).text).toContain('hi');
  });
});

describe('what is read', () => {
  it.each(['token', 'byte', 'whole'] as const)('reads events however they are cut: %s', async (packets) => {
    fake.settings = { ...DEFAULT_SETTINGS, packets };
    const answer = await collect(provider().generate(aCall('Привіт, 🌻 world')));
    expect(answer.text).toContain('Привіт, 🌻 world');
    expect(answer.finishReason).toBe('stop');
    expect(answer.usage).toEqual({ prompt_tokens: 3, completion_tokens: 7, total_tokens: 10 });
  });

  it('tells that the cap cut the answer', async () => {
    const answer = await collect(provider().generate(aCall('a b c d e f', { maxTokens: 3 })));
    expect([answer.finishReason, answer.usage.completion_tokens]).toEqual(['length', 3]);
  });

  it('estimates usage, and says so, when the endpoint does not count', async () => {
    fake.fail({ kind: 'no-usage' });
    const { text, usage } = await collect(provider().generate(aCall('hello')));
    const completion = await countTokens(text);
    expect(usage).toEqual({
      prompt_tokens: 7,
      completion_tokens: completion,
      total_tokens: 7 + completion,
      estimated: true,
    });
  });

  it.each(['empty', 'thinking-only'] as const)('fails on an answer without text: %s', async (kind) => {
    fake.fail({ kind });
    const { error, text } = await failureOf(provider().generate(aCall('a')));
    expect([error.type, text]).toEqual(['EmptyAnswer', '']);
  });
});

describe('failures', () => {
  const cases: [string, Fault, string, number?][] = [
    ['429, seconds', { kind: 'status', status: 429, headers: { 'retry-after': '7' } }, 'RateLimited', 7_000],
    ['429, milliseconds', { kind: 'status', status: 429, headers: { 'retry-after-ms': '250' } }, 'RateLimited', 250],
    ['429, quota used up', { kind: 'status', status: 429, code: 'insufficient_quota' }, 'ProviderRejected'],
    ['408', { kind: 'status', status: 408 }, 'ProviderUnavailable'],
    ['409', { kind: 'status', status: 409 }, 'ProviderUnavailable'],
    ['500', { kind: 'status', status: 500 }, 'ProviderUnavailable'],
    ['503 with a wait', { kind: 'status', status: 503, headers: { 'retry-after': '2' } }, 'ProviderUnavailable', 2_000],
    ['HTML 502', { kind: 'html-502' }, 'ProviderUnavailable'],
    ['401', { kind: 'status', status: 401, code: 'invalid_api_key' }, 'AuthenticationFailed'],
    ['403', { kind: 'status', status: 403 }, 'ProviderRejected'],
    ['403, of the key', { kind: 'status', status: 403, code: 'invalid_api_key' }, 'AuthenticationFailed'],
    ['402', { kind: 'status', status: 402 }, 'ProviderRejected'],
    ['400', { kind: 'status', status: 400 }, 'ProviderRejected'],
    ['reset before headers', { kind: 'reset-before-headers' }, 'ProviderUnavailable'],
    ['reset after headers', { kind: 'reset-after-headers' }, 'ProviderUnavailable'],
    ['error event first', { kind: 'error-mid-stream', afterTokens: 0 }, 'ProviderUnavailable'],
    [
      'error event first, with a code',
      { kind: 'error-mid-stream', afterTokens: 0, code: 'rate_limit_exceeded' },
      'RateLimited',
    ],
    ['end without finish reason, no text', { kind: 'end-early', afterTokens: 0 }, 'ProviderUnavailable'],
    ['bad JSON first', { kind: 'bad-json', afterTokens: 0 }, 'ProviderUnavailable'],
    ['error event in the middle', { kind: 'error-mid-stream' }, 'StreamInterrupted'],
    ['end without finish reason', { kind: 'end-early' }, 'StreamInterrupted'],
    ['bad JSON in the middle', { kind: 'bad-json' }, 'StreamInterrupted'],
    ['reset in the middle', { kind: 'reset-mid-stream' }, 'StreamInterrupted'],
  ];

  it.each(cases.map(([name, fault, type, wait]) => [name, fault, type, wait] as const))(
    '%s',
    async (_name, fault, type, retryAfterMs) => {
      fake.fail({ message: 'secret prompt text sk-test', ...fault });
      const { error, text } = await failureOf(provider().generate(aCall('secret prompt')));
      expect([error.type, error.retryAfterMs]).toEqual([type, retryAfterMs]);
      expect(text !== '').toBe(type === 'StreamInterrupted');
      expect(error.message).not.toMatch(/secret|sk-test/);
      expect(error.cause).toBeUndefined();
      expect(fake.stats.calls).toBe(1);
    },
  );

  it('names the model that is not there', async () => {
    const { error } = await failureOf(provider('no-such').generate(aCall('a')));
    expect([error.type, error.message]).toEqual(['ModelNotFound', 'cloud has no model "no-such" (HTTP 404)']);
  });

  it('tells a wrong base URL from a missing model', async () => {
    const sut = new OpenAiCompatibleProvider({ name: 'cloud', baseUrl: fake.url, model: 'fake-model' });
    const { error } = await failureOf(sut.generate(aCall('a')));
    expect([error.type, error.message]).toEqual([
      'ProviderRejected',
      'cloud has nothing at this address (HTTP 404): check its base URL',
    ]);
  });

  it('refuses a wrong key', async () => {
    fake.settings = { ...DEFAULT_SETTINGS, apiKey: 'sk-right' };
    const { error } = await failureOf(provider('fake-model', 'sk-wrong').generate(aCall('a')));
    expect(error.type).toBe('AuthenticationFailed');
    await expect(provider('', 'sk-wrong').check(AbortSignal.timeout(1_000))).rejects.toMatchObject({
      type: 'AuthenticationFailed',
    });
    await provider('', 'sk-right').check(AbortSignal.timeout(1_000));
  });

  it('tells that the messages are too long', async () => {
    fake.settings = { ...DEFAULT_SETTINGS, contextWords: 3 };
    const { error } = await failureOf(provider().generate(aCall('a b c d')));
    expect(error.type).toBe('ContextLengthExceeded');
  });

  it('does not answer at all', async () => {
    const sut = new OpenAiCompatibleProvider({ name: 'gone', baseUrl: `${await closedUrl()}/v1`, model: 'm' });
    const { error } = await failureOf(sut.generate(aCall('a')));
    expect([error.type, error.message]).toEqual(['ProviderUnavailable', 'gone does not answer (ECONNREFUSED)']);
  });
});

describe('facts', () => {
  const GUIDED = ['guided_json', 'guided_regex', 'guided_choice'];
  const told = (over: Partial<OpenAiCompatibleOptions> = {}) =>
    new OpenAiCompatibleProvider({ name: 'cloud', baseUrl: `${fake.url}/v1`, model: 'fake-model', ...over });
  const patient = (): AbortSignal => AbortSignal.timeout(5_000);

  it('are told by the list of models', async () => {
    const modelFields = { 'fake-model': { context_length: 8_192, capabilities: ['completion', 'vision'] } };
    fake.settings = { ...DEFAULT_SETTINGS, modelFields };
    for (const model of ['fake-model', '']) {
      expect(await told({ model }).facts(patient())).toEqual({
        model: 'fake-model',
        contextLength: 8_192,
        capabilities: ['completion', 'vision'],
        lacks: [],
      });
    }
  });

  it.each([
    ['openai', ['completion', 'tools', 'json_schema', 'vision'], GUIDED],
    ['deepseek', ['completion', 'tools'], ['logit_bias', 'parallel_tool_calls', ...GUIDED]],
    ['openai-compatible', ['completion', 'tools', 'json_schema'], []],
  ] as const)('are usual for the kind where nothing is told: %s', async (kind, capabilities, lacks) => {
    expect(await told({ kind }).facts(patient())).toEqual({
      model: 'fake-model',
      contextLength: null,
      capabilities,
      lacks,
    });
  });

  it('are those of the configuration before all', async () => {
    fake.settings = { ...DEFAULT_SETTINGS, modelFields: { 'fake-model': { context_length: 8_192 } } };
    const sut = told({ contextLength: 2_048, capabilities: ['embeddings'] });
    expect(await sut.facts(patient())).toMatchObject({ contextLength: 2_048, capabilities: ['embeddings'] });
    expect(await told({ capabilities: ['tools'] }).facts(patient())).toMatchObject({
      contextLength: 8_192,
      capabilities: ['completion', 'tools'],
    });
  });

  it('are there in time, whatever the endpoint does', async () => {
    const usual = { contextLength: null, capabilities: ['completion', 'tools', 'json_schema'], lacks: [] };
    const gone = `${await closedUrl()}/v1`;
    expect(await told({ baseUrl: gone }).facts(patient())).toEqual({ model: 'fake-model', ...usual });
    expect(await told({ baseUrl: gone, model: '' }).facts(patient())).toEqual({ model: null, ...usual });
    expect(await told().facts(AbortSignal.abort())).toMatchObject({ contextLength: null });
  });
});

describe('stopping', () => {
  it.each(['hang-before-headers', 'hang-mid-stream'] as const)(
    'ends with the deadline and closes the socket: %s',
    async (kind) => {
      fake.fail({ kind });
      const began = Date.now();
      const signal = AbortSignal.timeout(200);
      const thrown: unknown = await collect(provider().generate(aCall('a', { signal }))).catch(
        (error: unknown) => error,
      );
      expect(thrown).toBe(signal.reason);
      expect(Date.now() - began).toBeLessThan(700);
      await eventually(() => fake.stats.aborted === 1 && fake.stats.inFlight === 0);
    },
  );

  it('stops the endpoint when the reader goes away', async () => {
    fake.settings = { ...DEFAULT_SETTINGS, tokens: 1_000, tokenMs: 5 };
    for await (const chunk of provider().generate(aCall('a', { maxTokens: 1_000 }))) if (chunk.type === 'text') break;
    await eventually(() => fake.stats.aborted === 1 && fake.stats.inFlight === 0);
  });

  it('sends nothing for a caller that is gone already', async () => {
    const signal = AbortSignal.abort(new Error('gone'));
    await expect(collect(provider().generate(aCall('a', { signal })))).rejects.toBe(signal.reason);
    expect(fake.stats.calls).toBe(0);
  });
});
