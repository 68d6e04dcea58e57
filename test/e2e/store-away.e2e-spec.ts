import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { createDatabase, TestPostgres } from '../support/postgres.js';
import { chatProfile, fakeProvider, Product, until } from './harness.js';

const AS = '?user_id=tg:12345';

describe('a database that is away', () => {
  let fake: WireFake;
  let server: TestPostgres;
  let product: Product;

  beforeAll(async () => {
    [fake, server] = await Promise.all([startFakeOpenAi(), TestPostgres.start()]);
    product = await Product.open({
      profile: chatProfile([fakeProvider('fake', fake)], ['fake']),
      database: await createDatabase(server.url, 'away'),
    });
  });

  afterAll(async () => {
    await product.close();
    await server.stop();
    await fake.close();
  });

  beforeEach(() => {
    fake.reset();
    fake.settings = { ...fake.settings, tokens: 0, tokenMs: 0 };
  });

  it('should be told to those who ask, soon, and be well again after its restart', async () => {
    const { body: earlier } = await product.route('Before #before');
    await server.kill();
    for (const ask of [
      () => product.route('Hello #away', {}, { headers: { 'idempotency-key': 'away' } }),
      () => product.call('GET', `/requests/${earlier.request_id}${AS}`),
      () => product.call('GET', `/requests/${earlier.request_id}/events${AS}`),
      () => product.call('GET', '/keys'),
    ]) {
      const began = Date.now();
      const { status, headers, body } = await ask();
      expect(Date.now() - began).toBeLessThan(5_000);
      expect({ status, code: body.error.code }).toEqual({ status: 503, code: 'STORE_UNAVAILABLE' });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(JSON.stringify(body)).not.toMatch(/ECONN|postgres|127\.0\.0\.1/);
    }
    expect(await product.call('GET', '/health', { key: null })).toMatchObject({ status: 200 });
    const ready = await product.call('GET', '/ready', { key: null });
    expect(ready.status).toBe(503);
    expect(ready.body.dependencies).toMatchObject({
      database: { ok: false, reason: expect.stringContaining('database') as unknown },
      temporal: { ok: true },
    });
    expect(fake.stats.calls).toBe(1);

    await server.restart();
    await product.untilReady();
    const { status } = await product.route('Hello #away', {}, { headers: { 'idempotency-key': 'away' } });
    expect(status).toBe(200);
    expect((await product.call('GET', `/requests/${earlier.request_id}${AS}`)).body).toEqual(earlier);
  });

  it('should cost no answer that was bought while it was away', async () => {
    fake.settings = { ...fake.settings, tokens: 40, tokenMs: 50 };
    const waiting = product.route('Running #bought');
    // The call may begin before its request is written down: one that could not be is not answered.
    const open = product.database.all
      .selectFrom('requests')
      .select('id')
      .where('status', 'in', ['accepted', 'running']);
    await until(async () => (await open.execute()).length === 1, 'the request');
    await until(() => fake.stats.inFlight === 1, 'the call');
    await server.kill();
    await until(() => fake.stats.completed === 1, 'the answer');
    await server.restart();
    const { status, body } = await waiting;
    expect(status).toBe(200);
    expect(body.data.text).toContain('#bought');
    expect(fake.stats).toMatchObject({ calls: 1, completed: 1 });
    const again = await product.call('GET', `/requests/${body.request_id}${AS}`);
    expect(again.body).toEqual(body);
  });
});
