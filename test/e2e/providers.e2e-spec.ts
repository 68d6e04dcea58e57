import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ProviderInfo } from '../../src/contracts/providers.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, DAO, fakeProvider, Product, until, type Call } from './harness.js';

/** Whoever asks has no time to be told to wait for long: a cooldown begins with five seconds. */
const COOLED_MS = 15_000;

describe('providers that fail', () => {
  let [shaky, steady]: WireFake[] = [];
  let product: Product;

  // The tests follow one installation, in order.
  beforeAll(async () => {
    [shaky, steady] = await Promise.all([startFakeOpenAi(), startFakeOpenAi()]);
    const providers = [
      fakeProvider('shaky', shaky, { max_concurrent: 2, price: { prompt: 1, completion: 2 } }),
      fakeProvider('steady', steady),
    ];
    product = await Product.open({ profile: chatProfile(providers, ['shaky', 'steady']) });
  });
  afterAll(async () => {
    await product.close();
    await Promise.all([shaky?.close(), steady?.close()]);
  });
  beforeEach(() => {
    for (const fake of [shaky, steady]) {
      fake?.reset();
      if (fake) fake.settings = { ...fake.settings, tokens: 0, tokenMs: 0 };
    }
  });

  async function list(call: Call = {}, query = ''): Promise<Record<string, ProviderInfo>> {
    const { status, body } = await product.call('GET', `/providers${query}`, call);
    expect(status).toBe(200);
    const { providers } = body as unknown as { providers: ProviderInfo[] };
    // Behind them is what the environment offers.
    expect(providers.map(({ name }) => name).slice(0, 2)).toEqual(['shaky', 'steady']);
    return Object.fromEntries(providers.map((one) => [one.name, one]));
  }

  it('should be shown as they are before anybody asked them', async () => {
    const nothing = { in_flight: 0, calls: 0, success_rate: null, p50_ms: null, p95_ms: null };
    const wellAndIdle = { type: 'openai-compatible', model: 'fake-model', state: 'ok', cooldown: null, ...nothing };
    const { shaky: first, steady: second } = await list();
    expect([first, second]).toEqual([
      {
        name: 'shaky',
        ...wellAndIdle,
        pool: { name: 'shaky', slots: 2, running: 0, waiting: 0, expected_wait_ms: 0 },
        price: { prompt: 1, completion: 2 },
      },
      { name: 'steady', ...wellAndIdle, pool: null, price: null },
    ]);
  });

  it('should be seen at work', async () => {
    if (shaky) shaky.settings = { ...shaky.settings, tokens: 100, tokenMs: 20 };
    const answers = ['#a', '#b', '#c'].map((prompt) => product.route(prompt));
    const isBusy = async (): Promise<boolean> => {
      const { shaky: seen } = await list();
      return seen?.pool?.waiting === 1 && seen.pool.running === 2 && seen.in_flight === 2;
    };
    await until(isBusy, 'two at work and one that waits');
    for (const answer of answers) expect((await answer).body.provider).toBe('shaky');
    expect((await list()).shaky).toMatchObject({ in_flight: 0, calls: 3, success_rate: 1 });
  });

  it('should be left alone after three failures of two requests, and skipped for the next one', async () => {
    shaky?.fail({ kind: 'status', status: 500, times: 3 });
    const [first, second] = [await product.route('One'), await product.route('Two')];
    expect(first.body.attempts.map(({ status, provider }) => `${provider} ${status}`)).toEqual([
      'shaky failed',
      'shaky failed',
      'steady ok',
    ]);
    expect(second.body).toMatchObject({ status: 'completed', provider: 'steady' });
    expect(shaky?.stats.calls).toBe(3);

    const skipped = await product.route('Three');
    expect(skipped.body.attempts).toEqual([
      { provider: 'shaky', status: 'skipped', ms: 0, error: 'CoolingDown' },
      { provider: 'steady', status: 'ok', ms: expect.any(Number) as unknown },
    ]);
    expect(shaky?.stats.calls).toBe(3);
    expect((await list()).shaky).toMatchObject({
      state: 'cooling',
      cooldown: { failures: 3, reason: 'ProviderUnavailable', until: expect.stringMatching(/^20.*Z$/) as unknown },
      calls: 6,
      success_rate: 0.5,
    });
    expect((await list()).steady).toMatchObject({ state: 'ok', calls: 3 });
  });

  it('should be asked by one request when their time is over, and taken back', async () => {
    await until(async () => (await list()).shaky?.state === 'probing', 'the end of the cooldown', COOLED_MS);
    if (shaky) shaky.settings = { ...shaky.settings, tokens: 50, tokenMs: 10 };
    const probe = product.route('Are you back? #probe');
    await until(() => shaky?.stats.inFlight === 1, 'the probe');
    const beside = await product.route('And I? #beside');
    expect(beside.body.attempts[0]).toMatchObject({ provider: 'shaky', status: 'skipped', error: 'CoolingDown' });
    expect((await probe).body.provider).toBe('shaky');
    // The answer is told before what it says of the provider is.
    await until(async () => (await list()).shaky?.state === 'ok', 'the end of the probe');
    expect((await list()).shaky?.cooldown).toBeNull();
    expect((await product.route('Again')).body.provider).toBe('shaky');
  });

  it('should be seen by admins of any DAO, and by nobody else', async () => {
    const admin = await product.key({ dao_id: DAO, principal: 'tg:1' });
    const member = await product.key({ dao_id: DAO, principal: 'tg:12345' });
    const shown = JSON.stringify(await list({ key: admin.key }));
    for (const secret of [shaky?.url ?? '', 'base_url', 'api_key']) expect(shown).not.toContain(secret);
    const { status, body } = await product.call('GET', '/providers', { key: member.key });
    expect([status, body.error]).toEqual([403, expect.objectContaining({ required_entitlement: 'ops.read' })]);
    expect((await product.call('GET', '/providers', { key: null })).status).toBe(401);
    expect((await product.call('GET', '/providers?page=2')).status).toBe(400);
  });
});
