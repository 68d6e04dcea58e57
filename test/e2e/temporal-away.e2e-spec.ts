import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, fakeProvider, Product, until, type Reply } from './harness.js';
import { TestTemporal } from './temporal-server.js';

const AS = '?user_id=tg:12345';

describe('a Temporal that is away', () => {
  let fake: WireFake;
  let temporal: TestTemporal;
  let product: Product;

  // The tests follow one installation through the day, in order.
  beforeAll(async () => {
    [fake, temporal] = await Promise.all([startFakeOpenAi(), TestTemporal.prepare()]);
    product = await Product.open({
      profile: chatProfile([fakeProvider('fake', fake)], ['fake']),
      temporalAddress: temporal.address,
    });
  });

  afterAll(async () => {
    await product.close();
    await temporal.remove();
    await fake.close();
  });

  beforeEach(() => {
    fake.reset();
    fake.settings = { ...fake.settings, tokens: 0, tokenMs: 0 };
  });

  const send = (name: string, prompt = 'Hello'): Promise<Reply> =>
    product.route(prompt, {}, { headers: { 'idempotency-key': name } });

  /** Asks for a chat and expects to be told, soon, to come back. */
  async function expectAway(name: string): Promise<void> {
    const began = Date.now();
    const { status, headers, body } = await send(name);
    expect(Date.now() - began).toBeLessThan(5_000);
    expect({ status, code: body.error.code }).toEqual({ status: 503, code: 'TEMPORAL_UNAVAILABLE' });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }

  async function expectUnready(): Promise<void> {
    const began = Date.now();
    const { status, headers, body } = await product.call('GET', '/ready', { key: null });
    expect(Date.now() - began).toBeLessThan(6_000);
    expect(status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(body.dependencies.temporal).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/Temporal|answer/) as unknown,
    });
    expect(body.dependencies.database).toMatchObject({ ok: true });
    expect(await product.call('GET', '/health', { key: null })).toMatchObject({ status: 200, body: { ok: true } });
  }

  const open = (): Promise<unknown[]> =>
    product.database.all.selectFrom('requests').where('ended_at', 'is', null).select('id').execute();

  it('should be told to those who ask while it was never there', async () => {
    await expectUnready();
    await expectAway('early');
    await expectAway('early');
    expect((await product.call('POST', '/route', { key: 'wrong' }, {})).status).toBe(401);
    expect((await product.call('POST', '/route', {}, {})).status).toBe(400);
    expect(await open()).toEqual([]);
    expect(fake.stats.calls).toBe(0);
  });

  it('should be found when it comes, and the key be usable that was refused', async () => {
    await temporal.start();
    await product.untilReady();
    const { status, body } = await send('early');
    expect({ status, text: body.data.text }).toEqual({
      status: 200,
      text: expect.stringContaining('Hello') as unknown,
    });
    expect(fake.stats.calls).toBe(1);
  });

  it('should be told to those who ask after it was killed, and not disturb what runs', async () => {
    fake.settings = { ...fake.settings, tokens: 60, tokenMs: 20 };
    const running = product.route('Running #running');
    await until(() => fake.stats.inFlight === 1, 'the call');
    await temporal.kill();
    await expectAway('killed');
    await expectUnready();
    const { status, body } = await running;
    expect({ status, recorded: body.status }).toEqual({ status: 200, recorded: 'completed' });
    expect((await product.call('GET', `/requests/${body.request_id}${AS}`)).body).toEqual(body);
    expect(await open()).toEqual([]);
    expect(fake.stats.calls).toBe(1);
  });

  it('should be well again after its restart, without a restart of ours', async () => {
    await temporal.start();
    await product.untilReady();
    expect((await send('killed')).status).toBe(200);
    expect(fake.stats.calls).toBe(1);
  });

  it('should be told when it is silent, and a start that comes through late buys nothing', async () => {
    temporal.pause();
    await expectAway('silent');
    await expectUnready();
    const refused = await product.database.all
      .selectFrom('requests')
      .where('status', '=', 'failed')
      .orderBy('received_at', 'desc')
      .select(['id', 'idempotency_key', 'error'])
      .executeTakeFirstOrThrow();
    expect(refused).toMatchObject({ idempotency_key: null, error: { code: 'TEMPORAL_UNAVAILABLE' } });
    temporal.resume();
    await product.untilReady();
    const client = new Client({ connection: await Connection.connect({ address: temporal.address }) });
    try {
      // It was delivered, or was given up before: either way nothing runs.
      const handle = client.workflow.getHandle(`route/${refused.id}`);
      const state = (): Promise<string> =>
        handle.describe().then(
          ({ status }) => status.name,
          () => 'NOT THERE',
        );
      await until(async () => (await state()) !== 'RUNNING', 'the end of the late workflow');
      expect(['COMPLETED', 'NOT THERE']).toContain(await state());
    } finally {
      await client.connection.close();
    }
    expect(fake.stats.calls).toBe(0);
    expect((await send('silent')).status).toBe(200);
    expect(fake.stats.calls).toBe(1);
  });

  it('should not keep us from stopping', async () => {
    await temporal.kill();
    const began = Date.now();
    await product.stop();
    expect(Date.now() - began).toBeLessThan(25_000);
    await product.start();
    await expectUnready();
    await product.stop();
  });
});
