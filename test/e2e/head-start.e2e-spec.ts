import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, fakeProvider, Product, until } from './harness.js';
import { TestTemporal } from './temporal-server.js';

describe('a call beside the durable start', () => {
  let fake: WireFake;
  let temporal: TestTemporal;
  let product: Product;

  beforeAll(async () => {
    [fake, temporal] = await Promise.all([startFakeOpenAi(), TestTemporal.prepare()]);
    await temporal.start();
    product = await Product.open({
      profile: chatProfile([fakeProvider('fake', fake)], ['fake']),
      temporalAddress: temporal.address,
    });
    await product.untilReady();
    // The first start may not be eager, which keeps the next ones from beginning early for a moment.
    await until(async () => {
      await product.route('Hello');
      const starts = (await product.logLines()).flatMap(({ start }) => (start === undefined ? [] : [start]));
      return starts.length > 3 && starts.slice(-3).every((start) => start === 'eager');
    }, 'eager starts');
  });
  afterAll(async () => {
    temporal.resume();
    await product.close();
    await temporal.remove();
    await fake.close();
  });
  beforeEach(() => {
    fake.reset();
    fake.settings = { ...fake.settings, tokens: 10, tokenMs: 5 };
  });

  const generationOf = async (id: string): Promise<unknown> =>
    (
      await product.database.all
        .selectFrom('requests')
        .where('id', '=', id)
        .select(['generation', 'status'])
        .executeTakeFirstOrThrow()
    ).generation;

  it('should be the only call, and its answer the recorded one', async () => {
    const { status, body } = await product.route('How long is a vote? #early');
    expect({ status, calls: fake.stats.calls }).toEqual({ status: 200, calls: 1 });
    expect(await generationOf(body.request_id)).toBe(1);
    const again = await product.call('GET', `/requests/${body.request_id}?user_id=tg:12345`);
    expect(again.body).toEqual(body);
    expect(body.attempts).toEqual([{ provider: 'fake', status: 'ok', ms: expect.any(Number) as unknown }]);
  });

  it('should be held back, whatever the model says, while Temporal has not accepted', async () => {
    temporal.pause();
    const stop = new AbortController();
    const headers = { accept: 'text/event-stream' };
    const streaming = product.fetch(
      'POST',
      '/route',
      { headers, signal: stop.signal },
      JSON.stringify({ prompt: 'Too early? #held', metadata: { user_id: 'tg:12345' } }),
    );
    let answered = false;
    void streaming.then(
      () => (answered = true),
      () => undefined,
    );
    await until(() => fake.stats.completed === 1, 'the whole answer of the model');
    expect(answered).toBe(false);
    temporal.resume();
    const text = await (await streaming).text();
    expect(text).toContain('event: token');
    expect(text).toContain('event: done');
    expect(fake.stats.calls).toBe(1);
  });

  it('should end at the model when Temporal refuses, be counted, and leave nothing behind', async () => {
    fake.settings = { ...fake.settings, tokens: 2_000, tokenMs: 10 };
    temporal.pause();
    try {
      const { status, body } = await product.route('Refused #refused');
      expect({ status, code: body.error.code }).toEqual({ status: 503, code: 'TEMPORAL_UNAVAILABLE' });
      await until(() => fake.stats.aborted === 1, 'the end of the call');
      expect(fake.stats.inFlight).toBe(0);
      // The next one is not bought for nothing.
      expect((await product.route('Refused too #refused')).status).toBe(503);
      expect(fake.stats.calls).toBe(1);
      const used = product.database.all.selectFrom('usage_daily').where('provider', '=', 'fake').selectAll();
      await until(async () => (await used.execute()).length === 1, 'what was used');
    } finally {
      temporal.resume();
    }
    await until(async () => {
      const open = await product.database.all
        .selectFrom('requests')
        .where('ended_at', 'is', null)
        .select('id')
        .execute();
      return open.length === 0;
    }, 'the end of every request');
  });
});

describe('a profile without head starts', () => {
  it('should have the activity make the call', async () => {
    const fake = await startFakeOpenAi();
    const profile = chatProfile([fakeProvider('fake', fake)], ['fake']) as { limits?: object };
    const product = await Product.open({ profile: { ...profile, limits: { ...profile.limits, head_start: false } } });
    try {
      const { status, body } = await product.route('Hello');
      expect({ status, calls: fake.stats.calls }).toEqual({ status: 200, calls: 1 });
      const row = product.database.all.selectFrom('requests').where('id', '=', body.request_id).select('generation');
      expect(await row.executeTakeFirst()).toEqual({ generation: 1 });
    } finally {
      await product.close();
      await fake.close();
    }
  });
});
