import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { aCall, closedUrl, collect, eventually, failureOf } from '../../../test/factories/generate-call.js';
import { DEFAULT_SETTINGS } from '../../../test/fakes/fake-dialect.js';
import { startFakeOllama } from '../../../test/fakes/fake-ollama.js';
import type { Fault, WireFake } from '../../../test/fakes/wire-fake.js';
import { OllamaProvider } from './ollama.js';

let fake: WireFake;
const provider = (model = 'fake-model'): OllamaProvider =>
  new OllamaProvider({ name: 'local', baseUrl: fake.url, model });

beforeAll(async () => {
  fake = await startFakeOllama();
});
afterAll(() => fake.close());
afterEach(() => {
  fake.reset();
  fake.settings = DEFAULT_SETTINGS;
});

describe('what is sent', () => {
  it('always sends a cap, one context size, and asks not to think', async () => {
    await collect(provider().generate(aCall('hello', { maxTokens: 33, temperature: 0.4, topP: 0.8 })));
    expect(fake.bodies).toEqual([
      {
        model: 'fake-model',
        messages: [{ role: 'user', content: 'hello' }],
        stream: true,
        think: false,
        truncate: false,
        shift: false,
        options: { num_predict: 33, num_ctx: 4_096, temperature: 0.4, top_p: 0.8 },
      },
    ]);
  });

  it('uses the first model that the host lists, and asks for the list once', async () => {
    const sut = provider('');
    expect(await sut.model()).toBe('fake-model');
    fake.settings = { ...DEFAULT_SETTINGS, models: ['late', 'fake-model'] };
    await collect(sut.generate(aCall('a')));
    expect(fake.bodies[0]?.model).toBe('fake-model');
  });

  it('asks for the list again after the model has gone', async () => {
    const sut = provider('');
    await sut.model();
    fake.settings = { ...DEFAULT_SETTINGS, models: ['new-model'] };
    expect((await failureOf(sut.generate(aCall('a')))).error.type).toBe('ModelNotFound');
    expect((await collect(sut.generate(aCall('a')))).text).toContain('echo');
  });

  it('drops `think` for good when the model refuses it', async () => {
    fake.settings = { ...DEFAULT_SETTINGS, refuseThink: true };
    const sut = provider();
    await collect(sut.generate(aCall('one')));
    await collect(sut.generate(aCall('two')));
    expect(fake.bodies.map((body) => 'think' in body)).toEqual([false, false]);
  });
});

describe('what is read', () => {
  it.each(['token', 'byte', 'whole'] as const)('reads lines however they are cut: %s', async (packets) => {
    fake.settings = { ...DEFAULT_SETTINGS, packets };
    const answer = await collect(provider().generate(aCall('Привіт, 🌻 {"a": "\\n"} world')));
    expect(answer.text).toContain('Привіт, 🌻 {"a": "\\n"} world');
    expect(answer.finishReason).toBe('stop');
    expect(answer.usage.total_tokens).toBe(answer.usage.prompt_tokens + answer.usage.completion_tokens);
    expect(answer.usage.completion_tokens).toBeGreaterThan(3);
  });

  it('tells that the cap cut the answer', async () => {
    const answer = await collect(provider().generate(aCall('a b c d e f', { maxTokens: 3 })));
    expect(answer.finishReason).toBe('length');
    expect(answer.usage.completion_tokens).toBe(3);
  });

  it('takes absent counts for 0', async () => {
    fake.fail({ kind: 'no-usage' });
    const { usage } = await collect(provider().generate(aCall('a')));
    expect(usage).toEqual({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 });
  });

  it.each(['empty', 'thinking-only'] as const)('fails on an answer without text: %s', async (kind) => {
    fake.fail({ kind });
    const { error, text } = await failureOf(provider().generate(aCall('a')));
    expect([error.type, text]).toEqual(['EmptyAnswer', '']);
  });
});

describe('failures', () => {
  const cases: [string, Fault, string, number?][] = [
    ['429', { kind: 'status', status: 429, headers: { 'retry-after': '7' } }, 'RateLimited', 7_000],
    [
      '503 server busy',
      { kind: 'status', status: 503, message: 'server busy, please try again.' },
      'ProviderUnavailable',
    ],
    ['499 given up by the host', { kind: 'status', status: 499, message: 'request canceled' }, 'ProviderUnavailable'],
    ['500', { kind: 'status', status: 500 }, 'ProviderUnavailable'],
    ['HTML 502 of a proxy', { kind: 'html-502' }, 'ProviderUnavailable'],
    ['401', { kind: 'status', status: 401 }, 'AuthenticationFailed'],
    ['400', { kind: 'status', status: 400, message: 'invalid option' }, 'ProviderRejected'],
    ['reset before headers', { kind: 'reset-before-headers' }, 'ProviderUnavailable'],
    ['reset after headers', { kind: 'reset-after-headers' }, 'ProviderUnavailable'],
    ['error line first', { kind: 'error-mid-stream', afterTokens: 0 }, 'ProviderUnavailable'],
    ['end without done, no text', { kind: 'end-early', afterTokens: 0 }, 'ProviderUnavailable'],
    ['bad line first', { kind: 'bad-json', afterTokens: 0 }, 'ProviderUnavailable'],
    ['error line in the middle', { kind: 'error-mid-stream' }, 'StreamInterrupted'],
    ['end without done', { kind: 'end-early' }, 'StreamInterrupted'],
    ['end without done after the last token', { kind: 'end-early', afterTokens: 99 }, 'StreamInterrupted'],
    ['bad line in the middle', { kind: 'bad-json' }, 'StreamInterrupted'],
    ['reset in the middle', { kind: 'reset-mid-stream' }, 'StreamInterrupted'],
  ];

  it.each(cases.map(([name, fault, type, wait]) => [name, fault, type, wait] as const))(
    '%s',
    async (_name, fault, type, retryAfterMs) => {
      fake.fail({ ...fault, message: fault.message ?? 'secret prompt text' });
      const { error, text } = await failureOf(provider().generate(aCall('secret prompt')));
      expect([error.type, error.retryAfterMs]).toEqual([type, retryAfterMs]);
      expect(text !== '').toBe(type === 'StreamInterrupted');
      expect(error.message).not.toMatch(/secret/);
      expect(error.cause).toBeUndefined();
      expect(fake.stats.calls).toBe(1);
    },
  );

  it('names the model that is not there', async () => {
    const { error } = await failureOf(provider('no-such').generate(aCall('a')));
    expect([error.type, error.message]).toEqual(['ModelNotFound', 'local has no model "no-such" (HTTP 404)']);
  });

  it('refuses a prompt that does not fit instead of losing its beginning', async () => {
    fake.settings = { ...DEFAULT_SETTINGS, contextWords: 3 };
    const { error } = await failureOf(provider().generate(aCall('a b c d')));
    expect(error.type).toBe('ContextLengthExceeded');
  });

  it('does not answer at all', async () => {
    const sut = new OllamaProvider({ name: 'gone', baseUrl: await closedUrl(), model: 'm' });
    const { error } = await failureOf(sut.generate(aCall('a')));
    expect([error.type, error.message]).toEqual(['ProviderUnavailable', 'gone does not answer (ECONNREFUSED)']);
    await expect(sut.check(AbortSignal.timeout(1_000))).rejects.toMatchObject({ type: 'ProviderUnavailable' });
  });

  it('says nothing on standard output or error', async () => {
    const spies = (['log', 'warn', 'error'] as const).map((name) => jest.spyOn(console, name));
    fake.fail({ kind: 'html-502' }, { kind: 'bad-json' });
    await failureOf(provider().generate(aCall('a')));
    await failureOf(provider().generate(aCall('a')));
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    jest.restoreAllMocks();
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

  it('stops the host when the caller cancels', async () => {
    fake.settings = { ...DEFAULT_SETTINGS, tokens: 1_000, tokenMs: 5 };
    const controller = new AbortController();
    const reason = new Error('cancelled');
    let text = '';
    const reading = (async () => {
      for await (const chunk of provider().generate(aCall('a', { signal: controller.signal, maxTokens: 1_000 }))) {
        if (chunk.type === 'text') text += chunk.text;
        if (text.length > 20) controller.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
    await eventually(() => fake.stats.aborted === 1);
  });

  it('stops the host when the reader goes away', async () => {
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
