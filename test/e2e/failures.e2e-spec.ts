import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFakeOllama } from '../fakes/fake-ollama.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, fakeProvider, Product, until, type Reply } from './harness.js';
import { eventsOf, textOf, type WireEvent } from './sse.js';

const rule = (name: string, providers: string[], more: object = {}): object => ({
  name,
  priority: 1,
  conditions: { mode: 'chat', task_type: name },
  use_provider: providers[0],
  ...(providers.length > 1 ? { fallback_provider: providers.slice(1) } : {}),
  ...more,
});

/** Providers that answer, each with a rule of its name. */
const ANSWERING = ['first', 'patient', 'hasty', 'second', 'local'];

describe('failures of models', () => {
  let first: WireFake;
  let second: WireFake;
  let ollama: WireFake;
  let product: Product;

  beforeAll(async () => {
    [first, second, ollama] = await Promise.all([startFakeOpenAi(), startFakeOpenAi(), startFakeOllama()]);
    const providers = [
      fakeProvider('first', first, { max_attempts: 2 }),
      fakeProvider('patient', first, { max_attempts: 2, retry_delay_ms: 1_000 }),
      fakeProvider('hasty', first, { max_attempts: 1, timeout_ms: 1_000 }),
      fakeProvider('second', second, { max_attempts: 1 }),
      fakeProvider('absent', { url: 'http://127.0.0.1:9' }, { max_attempts: 1 }),
      { name: 'local', type: 'ollama', config: { base_url: ollama.url, model: 'fake-model', retry_delay_ms: 50 } },
    ];
    const profile = chatProfile(providers, ['first', 'second']);
    const rules = [
      ...ANSWERING.map((name) => rule(name, [name])),
      rule('hasty-then', ['hasty', 'second']),
      rule('capped', ['first'], { timeout_ms: 500 }),
      rule('absent', ['absent', 'second']),
      rule('all-absent', ['absent']),
      rule('local-then', ['local', 'second']),
    ];
    const { routing_rules } = profile as { routing_rules: object[] };
    product = await Product.open({ profile: { ...profile, routing_rules: [...rules, ...routing_rules] } });
  });

  afterAll(async () => {
    await product.close();
    await Promise.all([first.close(), second.close(), ollama.close()]);
  });

  const by = (name: string, prompt = 'Hello'): Promise<Reply> => product.route(prompt, { task_type: name });
  const attempts = ({ body }: Reply): string[] =>
    body.attempts.map(({ provider, status, error }) => [provider, status, error].filter(Boolean).join(' '));

  /** Faults and calls of the fakes are forgotten; each answers at once. */
  function resetFakes(): void {
    for (const fake of [first, second, ollama]) {
      fake.reset();
      fake.settings = { ...fake.settings, tokens: 0, tokenMs: 0, firstTokenMs: 0 };
    }
  }

  beforeEach(async () => {
    resetFakes();
    // Who failed in the test before would be left alone; who has answered since is not.
    const answers = async (name: string): Promise<boolean> => (await by(name)).status === 200;
    await Promise.all(ANSWERING.map((name) => until(() => answers(name), `an answer of ${name}`, 30_000)));
    resetFakes();
  });

  it('should be repeated at the same model, after the pause', async () => {
    first.fail({ kind: 'status', status: 503 });
    const began = Date.now();
    const reply = await by('patient');
    expect(reply).toMatchObject({ status: 200, body: { provider: 'patient', rule: 'patient' } });
    expect(attempts(reply)).toEqual(['patient failed ProviderUnavailable', 'patient ok']);
    expect(Date.now() - began).toBeGreaterThanOrEqual(1_000);
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it('should lead to the next model after two attempts', async () => {
    first.fail({ kind: 'status', status: 500, times: 2 });
    const reply = await product.route('Hello');
    expect(reply).toMatchObject({ status: 200, body: { provider: 'second' } });
    expect(attempts(reply)).toEqual([
      'first failed ProviderUnavailable',
      'first failed ProviderUnavailable',
      'second ok',
    ]);
    expect([first.stats.calls, second.stats.calls]).toEqual([2, 1]);
    const again = await product.call('GET', `/requests/${reply.body.request_id}`);
    expect(again.body).toEqual(reply.body);
  });

  it('should lead to the next model at once where a repetition cannot help', async () => {
    first.fail({ kind: 'status', status: 401, code: 'invalid_api_key' });
    expect(attempts(await product.route('Hello'))).toEqual(['first failed AuthenticationFailed', 'second ok']);
    expect(attempts(await by('absent'))).toEqual(['absent failed ProviderUnavailable', 'second ok']);
  });

  it('should be taken over from Ollama’s queue too', async () => {
    expect(await by('local-then', 'Hello #local')).toMatchObject({ status: 200, body: { provider: 'local' } });
    ollama.fail({ kind: 'reset-before-headers', times: 2 });
    expect(attempts(await by('local-then'))).toEqual([
      'local failed ProviderUnavailable',
      'local failed ProviderUnavailable',
      'second ok',
    ]);
  });

  it('should be told with all attempts when no model answers', async () => {
    const reply = await by('all-absent');
    expect(reply.status).toBe(502);
    expect(reply.body).toMatchObject({ ok: false, status: 'failed', error: { code: 'PROVIDER_FAILED' } });
    expect(attempts(reply)).toEqual(['absent failed ProviderUnavailable']);
    first.fail({ kind: 'html-502', times: 2 });
    second.fail({ kind: 'empty' });
    expect(attempts(await product.route('Hello'))).toEqual([
      'first failed ProviderUnavailable',
      'first failed ProviderUnavailable',
      'second failed EmptyAnswer',
    ]);
  });

  it('should be told as a timeout when the last model hangs, and the model be let go', async () => {
    first.fail({ kind: 'hang-before-headers' });
    const reply = await by('hasty');
    expect(reply.status).toBe(504);
    expect(reply.body).toMatchObject({ ok: false, error: { code: 'PROVIDER_TIMEOUT' } });
    expect(attempts(reply)).toEqual(['hasty failed ProviderTimeout']);
    const isIt = ({ request_id: id, msg }: Record<string, unknown>): boolean =>
      id === reply.body.request_id && msg === 'model call failed';
    await until(async () => (await product.logLines()).some(isIt), 'the line of the call');
    // The call itself, which began beside its start, had its 1,000 ms; an attempt counts from when the workflow asks, later.
    expect((await product.logLines()).find(isIt)?.ms).toBeGreaterThanOrEqual(990);
    expect(reply.body.attempts[0]?.ms).toBeLessThan(10_000);
    await until(() => first.stats.inFlight === 0, 'the end of the call');
    expect(first.stats).toMatchObject({ calls: 1, aborted: 1 });
  });

  it('should leave time for the next model when one hangs', async () => {
    first.fail({ kind: 'hang-before-headers' });
    expect(attempts(await by('hasty-then'))).toEqual(['hasty failed ProviderTimeout', 'second ok']);
  });

  it('should be cut at the rule’s own timeout', async () => {
    first.fail({ kind: 'hang-before-headers', times: 2 });
    const reply = await by('capped');
    expect(reply.status).toBe(504);
    expect(attempts(reply)).toEqual(['first failed ProviderTimeout', 'first failed ProviderTimeout']);
  });

  it.each(['reset-mid-stream', 'error-mid-stream', 'end-early', 'bad-json'] as const)(
    'should not be mended once the reader has seen a part: %s',
    async (kind) => {
      const seen = Promise.withResolvers<undefined>();
      first.fail({ kind, afterTokens: 3, until: seen.promise });
      const call = { headers: { accept: 'text/event-stream' } };
      const payload = { prompt: 'Hello #cut of many words', metadata: { user_id: 'tg:12345' } };
      const events: WireEvent[] = [];
      for await (const event of eventsOf(await product.fetch('POST', '/route', call, JSON.stringify(payload)))) {
        events.push(event);
        if (event.type === 'token') seen.resolve(undefined);
      }
      expect(events.map(({ type }) => type).slice(0, 3)).toEqual(['route', 'attempt', 'token']);
      expect(textOf(events)).toMatch(/^echo /);
      expect(events.filter(({ type }) => type === 'attempt')).toHaveLength(1);
      expect(events.at(-1)).toMatchObject({
        type: 'error',
        data: { ok: false, status: 'failed', error: { code: 'STREAM_INTERRUPTED' } },
      });
      expect([first.stats.calls, second.stats.calls]).toEqual([1, 0]);
      const id = events.at(-1)?.data.request_id;
      const { body } = await product.call('GET', `/requests/${id}`);
      expect(body).toEqual(events.at(-1)?.data);
      expect(body.data).toBeUndefined();
    },
  );

  it('should tell that a prompt fits no model', async () => {
    first.settings = { ...first.settings, contextWords: 200 };
    second.settings = { ...second.settings, contextWords: 200 };
    const reply = await product.route('word '.repeat(300));
    expect(reply).toMatchObject({ status: 422, body: { error: { code: 'PROMPT_TOO_LONG' } } });
    first.settings = { ...first.settings, contextWords: 1_000_000 };
    second.settings = { ...second.settings, contextWords: 1_000_000 };
  });

  it('should never show what a provider said of itself', async () => {
    for (const fake of [first, second])
      fake.fail({ kind: 'status', status: 400, times: 2, message: 'secret sk-12345' });
    const reply = await product.route('Hello');
    expect(reply.status).toBe(502);
    expect(JSON.stringify(reply.body)).not.toContain('sk-12345');
  });
});

describe('the deadline of a request', () => {
  const DEADLINE_MS = 3_000;
  let fake: WireFake;
  let other: WireFake;
  let product: Product;

  beforeAll(async () => {
    [fake, other] = await Promise.all([startFakeOpenAi(), startFakeOpenAi()]);
    const providers = [fakeProvider('first', fake), fakeProvider('second', other)];
    const profile = chatProfile(providers, ['first', 'second'], { request_timeout_ms: DEADLINE_MS });
    product = await Product.open({ profile });
    // The first request after a start takes longer.
    await until(async () => (await product.route('Hello')).status === 200, 'an answer', 30_000);
  });

  afterAll(async () => {
    await product.close();
    await Promise.all([fake.close(), other.close()]);
  });

  beforeEach(() => {
    fake.reset();
    other.reset();
  });

  /** The request is answered with the error, and its one call is let go. */
  async function endsAtTheDeadline(prompt: string): Promise<void> {
    const began = Date.now();
    const reply = await product.route(prompt);
    const ms = Date.now() - began;
    expect(reply.status).toBe(504);
    expect(reply.body).toMatchObject({ ok: false, status: 'failed', error: { code: 'DEADLINE_EXCEEDED' } });
    expect(JSON.stringify(reply.body)).not.toContain('echo');
    expect(ms).toBeGreaterThanOrEqual(DEADLINE_MS - 100);
    expect(ms).toBeLessThan(DEADLINE_MS + 7_000);
    await until(() => fake.stats.inFlight === 0, 'the end of the call');
    expect(fake.stats).toMatchObject({ calls: 1, aborted: 1 });
    expect(other.stats.calls).toBe(0);
  }

  it('should end it while the model hangs, with nothing running on', async () => {
    fake.fail({ kind: 'hang-before-headers', times: 9 });
    await endsAtTheDeadline('Hello #deadline');
  });

  it('should end a slow answer in the middle', async () => {
    fake.settings = { ...fake.settings, tokens: 500, tokenMs: 50 };
    await endsAtTheDeadline('Hello #slow');
  });
});
