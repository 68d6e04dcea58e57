import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { ADMIN_KEY, chatProfile, DAO, fakeProvider, Product, until } from './harness.js';
import { allEvents } from './sse.js';

const AS = '?user_id=tg:12345';
const PROVIDER_KEY = 'sk-provider-secret-0123456789';

describe.each(['info', 'trace'])('the log at level %s', (level) => {
  let fake: WireFake;
  let product: Product;
  let ended = '';
  /** Secrets and texts that no line may hold. */
  const secrets = [ADMIN_KEY, PROVIDER_KEY, 'needle', 'echo #'];

  beforeAll(async () => {
    fake = await startFakeOpenAi({ apiKey: PROVIDER_KEY });
    const providers = [
      fakeProvider('fake', fake, { api_key_env: 'TEST_PROVIDER_KEY', max_attempts: 1 }),
      fakeProvider('second', fake, { api_key_env: 'TEST_PROVIDER_KEY', max_attempts: 1 }),
    ];
    process.env.TEST_PROVIDER_KEY = PROVIDER_KEY;
    product = await Product.open({
      profile: chatProfile(providers, ['fake', 'second']),
      env: { DAGI_LOG_LEVEL: level },
    });
    const { key } = await product.key({ dao_id: DAO, principal: 'tg:12345' });
    secrets.push(key);
    const call = { key };
    const answered = await product.route('needle one', { session_id: 'a-session' }, call);
    expect(answered.status).toBe(200);
    await product.call('GET', `/requests/${answered.body.request_id}`, call);
    await allEvents(await product.fetch('GET', `/requests/${answered.body.request_id}/events`, call));
    fake.fail({ kind: 'status', status: 400, times: 2, message: 'needle quoted by the model' });
    const failed = await product.route('needle two', {}, call);
    expect(failed.status).toBe(502);
    fake.fail({ kind: 'error-mid-stream', message: 'needle in the stream' });
    expect((await product.route('needle three', {}, call)).status).toBe(502);
    fake.fail({ kind: 'hang-before-headers' });
    const hanging = await product.route('needle four', {}, { key, headers: { prefer: 'wait=0' } });
    await until(() => fake.stats.inFlight === 1, 'the call');
    await product.call('DELETE', `/requests/${hanging.body.request_id}${AS}`, { key });
    // Refusals of what was sent, with the text in it.
    await product.fetch('POST', '/route', call, '{"prompt":"needle');
    await product.call('POST', '/route', call, { prompt: { needle: 1 } });
    await product.call('POST', '/route', { key: 'needle-of-a-key' }, { prompt: 'needle' });
    await product.call('GET', '/requests/x?needle=needle', call);
    await product.route('needle', { user_id: 'tg:999' });
    await product.stop();
    ended = [answered, failed, hanging].map(({ body }) => body.request_id).join(' ');
  });

  afterAll(async () => {
    delete process.env.TEST_PROVIDER_KEY;
    await product.close();
    await fake.close();
  });

  it('should name request, workflow, DAO and user on each line of a request', async () => {
    const lines = await product.logLines();
    expect(ended.split(' ')).toHaveLength(3);
    for (const id of ended.split(' ')) {
      const all = lines.filter((line) => JSON.stringify(line).includes(id));
      // Below `info` Temporal's own library speaks too, which knows nothing of DAOs and users.
      const mine = all.filter(
        ({ level: own, component }) => component !== 'temporal' || (own !== 'debug' && own !== 'trace'),
      );
      expect(mine.length).toBeGreaterThanOrEqual(3);
      for (const line of mine) {
        expect(line).toMatchObject({ workflow_id: `route/${id}`, dao_id: DAO, user_id: 'tg:12345' });
        // A later call about the request has an id of its own, and names the request beside it.
        expect([line.request_id, line.subject]).toContain(id);
      }
    }
  });

  it('should tell how each request went', async () => {
    const lines = await product.logLines();
    const [answered, failed, cancelled] = ended.split(' ');
    const about = (id: string | undefined): unknown[] =>
      lines.filter(({ request_id }) => request_id === id).map(({ msg }) => msg);
    expect(about(answered)).toEqual(expect.arrayContaining(['request accepted', 'answer recorded', 'call']));
    expect(about(failed)).toEqual(expect.arrayContaining(['model call failed', 'request ended without an answer']));
    expect(about(cancelled)).toEqual(expect.arrayContaining(['request accepted', 'request ended without an answer']));
  });

  it('should hold no key, no prompt and no answer', async () => {
    const text = (await product.logLines()).map((line) => JSON.stringify(line));
    expect(text.length).toBeGreaterThan(10);
    for (const secret of secrets) {
      expect(text.filter((line) => line.includes(secret))).toEqual([]);
    }
  });

  it('should name every process and level, and be JSON throughout', async () => {
    for (const line of await product.logLines()) {
      expect(line).toMatchObject({
        process: 'dagi',
        level: expect.any(String) as unknown,
        msg: expect.any(String) as unknown,
      });
      expect(Date.parse(line.time as string)).not.toBeNaN();
    }
  });
});
