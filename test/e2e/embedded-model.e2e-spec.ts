import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { embeddedModelPath } from '../support/embedded-model.js';
import { Product, until } from './harness.js';
import { allEvents, eventsOf, textOf } from './sse.js';

const AS = '?user_id=tg:12345';

describe('a chat with the embedded model', () => {
  let product: Product;

  beforeAll(async () => {
    // As a fresh clone has it: nothing configured, everything embedded.
    product = await Product.open({
      database: 'from nothing',
      modelPath: await embeddedModelPath(),
      profile: {
        version: '1',
        environment: 'development',
        routing_rules: [{ name: 'chat', conditions: { mode: 'chat' }, use_provider: 'auto' }],
      },
    });
  }, 120_000);

  afterAll(() => product.close());

  it('should be answered', async () => {
    const { status, body } = await product.route('What is GreenFood DAO?');
    expect({ status, provider: body.provider, rule: body.rule }).toEqual({
      status: 200,
      provider: 'embedded',
      rule: 'chat',
    });
    expect(body.data.text.trim().length).toBeGreaterThan(10);
    expect(body.usage.prompt_tokens).toBeGreaterThan(50);
    expect(body.usage.completion_tokens).toBeGreaterThan(2);
  }, 120_000);

  it('should stream', async () => {
    const payload = JSON.stringify({ prompt: 'Say hello.', metadata: { user_id: 'tg:12345' } });
    const response = await product.fetch('POST', '/route', { headers: { accept: 'text/event-stream' } }, payload);
    const events = await allEvents(response);
    expect(events.filter(({ type }) => type === 'token').length).toBeGreaterThan(1);
    const done = events.at(-1)!;
    expect(done.type).toBe('done');
    expect(textOf(events)).toBe(done.data.data.text);
  }, 120_000);

  it('should stop when it is cancelled, and be there for the next', async () => {
    const prompt = 'Count from one to one hundred in words.';
    const payload = JSON.stringify({ prompt, metadata: { user_id: 'tg:12345' } });
    const response = await product.fetch('POST', '/route', { headers: { accept: 'text/event-stream' } }, payload);
    const id = response.headers.get('x-request-id');
    let last: string | undefined;
    for await (const { type } of eventsOf(response)) {
      if (last !== 'token' && type === 'token') void product.call('DELETE', `/requests/${id}${AS}`);
      last = type;
    }
    expect(last).toBe('error');
    await until(async () => (await product.call('GET', `/requests/${id}${AS}`)).body.status === 'cancelled', 'the end');
    expect((await product.route('Say yes.')).status).toBe(200);
  }, 120_000);

  it('should leave the API quick while it works', async () => {
    const working = product.route('Tell me about farms.');
    const slowest: number[] = [];
    let done = false;
    void working.finally(() => (done = true));
    while (!done) {
      const began = Date.now();
      await product.call('GET', '/health', { key: null });
      slowest.push(Date.now() - began);
    }
    expect((await working).status).toBe(200);
    const median = slowest.toSorted((a, b) => a - b)[Math.floor(slowest.length / 2)];
    expect(median).toBeLessThan(50);
  }, 120_000);
});
