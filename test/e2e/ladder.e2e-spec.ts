import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFakeOllama } from '../fakes/fake-ollama.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, fakeProvider, Product, until, type Reply } from './harness.js';
import { allEvents, eventsOf, joined, textOf, type WireEvent } from './sse.js';

const rule = (name: string, provider: string, more: object = {}): object => ({
  name,
  priority: 1,
  conditions: { mode: 'chat', task_type: name },
  use_provider: provider,
  ...more,
});

const sse = { headers: { accept: 'text/event-stream' } };
const GUEST = { user_id: 'tg:99999' };

describe.each(['postgres', 'embedded'])('steps to an answer with the database %s', (database) => {
  let [ollama, hosted]: WireFake[] = [];
  let product: Product;

  beforeAll(async () => {
    [ollama, hosted] = await Promise.all([startFakeOllama(), startFakeOpenAi()]);
    const local = { base_url: ollama.url, model: 'fake-model', max_concurrent: 1, max_attempts: 1 };
    const providers = [
      { name: 'local', type: 'ollama', config: local },
      fakeProvider('narrow', hosted, { max_concurrent: 1, max_waiting: 0 }),
      fakeProvider('hosted', hosted, { price: { prompt: 1_000, completion: 2_000 } }),
      fakeProvider('absent', { url: 'http://127.0.0.1:9' }, { max_attempts: 1 }),
    ];
    const rules = [
      rule('local', 'local', { fallback_provider: 'hosted' }),
      rule('narrow', 'narrow'),
      rule('narrow-or', 'narrow', { fallback_provider: 'hosted' }),
      rule('kept', 'hosted', { cache: { ttl_s: 60 } }),
    ];
    const profile = chatProfile(providers, ['absent']) as { routing_rules: object[] };
    product = await Product.open({
      profile: { ...profile, routing_rules: [...rules, ...profile.routing_rules] },
      database,
    });
  });
  afterAll(async () => {
    await product.close();
    await Promise.all([ollama?.close(), hosted?.close()]);
  });
  beforeEach(() => {
    for (const fake of [ollama, hosted]) {
      fake?.reset();
      if (fake) fake.settings = { ...fake.settings, tokens: 0, tokenMs: 0, firstTokenMs: 0 };
    }
  });

  const by = (name: string, prompt: string, metadata: object = {}): Promise<Reply> =>
    product.route(prompt, { task_type: name, ...metadata });
  const follow = (name: string, prompt: string): Promise<Response> =>
    product.fetch(
      'POST',
      '/route',
      sse,
      JSON.stringify({ prompt, metadata: { user_id: 'tg:12345', task_type: name } }),
    );
  const slow = (fake: WireFake | undefined): void => {
    if (fake) fake.settings = { ...fake.settings, tokens: 40, tokenMs: 20 };
  };
  const begun = (fake: WireFake | undefined, marker: string): Promise<void> =>
    until(() => fake?.stats.startedByPrompt[marker] === 1, `the start of #${marker}`);

  it('should tell a waiting reader where it stands, and let it in when its turn comes', async () => {
    slow(ollama);
    const first = by('local', '#first');
    await begun(ollama, 'first');
    const events = joined(await allEvents(await follow('local', '#second')));
    expect(events.map(({ type }) => type)).toEqual(['route', 'queue', 'attempt', 'token', 'done']);
    expect(events[1]).toMatchObject({ id: '0-0', data: { provider: 'local', position: 1 } });
    const { timings_ms: timings } = events.at(-1)!.data;
    expect(timings.queue).toBeGreaterThan(100);
    expect(timings.total).toBeGreaterThanOrEqual(timings.queue + timings.llm);
    expect((await first).body).toMatchObject({ provider: 'local' });
    expect(ollama?.stats.maxInFlight).toBe(1);
  });

  it('should never let a request reach the model that was cancelled while it waited', async () => {
    slow(ollama);
    const first = by('local', '#holds');
    await begun(ollama, 'holds');
    const seen: WireEvent[] = [];
    for await (const event of eventsOf(await follow('local', '#cancelled'))) {
      seen.push(event);
      if (event.type === 'queue' && !seen.some(({ type }) => type === 'error')) {
        await product.call('DELETE', `/requests/${seen[0]!.data.request_id}?user_id=tg:12345`);
      }
    }
    expect(seen.at(-1)).toMatchObject({ type: 'error', data: { error: { code: 'REQUEST_CANCELLED' } } });
    expect((await first).body).toMatchObject({ provider: 'local' });
    expect(ollama?.stats.byPrompt).not.toHaveProperty('cancelled');
  });

  it('should skip a full provider, and refuse at once when there is no other', async () => {
    slow(hosted);
    const first = by('narrow', '#fills');
    await begun(hosted, 'fills');
    const refused = await by('narrow', '#refused');
    expect(refused).toMatchObject({ status: 503, body: { ok: false, error: { code: 'QUEUE_FULL' } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const other = await by('narrow-or', '#other');
    expect(other.body).toMatchObject({
      provider: 'hosted',
      attempts: [
        { provider: 'narrow', status: 'skipped', ms: 0, error: 'QueueFull' },
        { provider: 'hosted', status: 'ok' },
      ],
    });
    await first;
    expect(hosted?.stats.byPrompt).not.toHaveProperty('refused');
  });

  it('should give an answer again to those who may have it, with its age', async () => {
    const first = await by('kept', 'How long is a vote? #kept');
    expect(first.body).toMatchObject({ provider: 'hosted', origin: { step: 'provider' } });
    const again = await by('kept', '  How long is  a vote? #kept');
    expect(again.body).toMatchObject({
      status: 'completed',
      provider: null,
      data: first.body.data,
      origin: { step: 'cache', age_ms: expect.any(Number) },
      usage: { total_tokens: 0 },
      attempts: [],
    });
    const events = joined(await allEvents(await follow('kept', 'How long is a vote? #kept')));
    expect(events.map(({ type }) => type)).toEqual(['route', 'attempt', 'token', 'done']);
    expect(textOf(events)).toBe(first.body.data.text);
    const another = await by('kept', 'How long is a vote? #kept', { user_id: 'tg:222' });
    expect(another.body).toMatchObject({ provider: 'hosted' });
    expect(hosted?.stats.byPrompt).toEqual({ kept: 2 });
  });

  it('should answer what needs no model when no model can answer, and a guest at once', async () => {
    const roles = await product.route('What are my roles?');
    expect(roles).toMatchObject({
      status: 200,
      body: { provider: null, origin: { step: 'database' }, attempts: [{ provider: 'absent' }] },
    });
    expect(roles.body.data.text).toMatch(/^Your roles in GreenFood DAO: member\./);
    for (let calls = 0; calls < 6; calls += 1) {
      const dao = await product.route('Що це за DAO?');
      expect(dao).toMatchObject({ status: 200, body: { origin: { step: 'database' } } });
      expect(dao.body.data.text).toContain('GreenFood DAO (greenfood-dao)\nЩо про неї відомо:');
    }
    const guest = await product.route('help', GUEST);
    expect(guest).toMatchObject({ status: 200, body: { rule: 'known-answer', attempts: [], provider: null } });
    const other = await product.route('Tell me a story', GUEST);
    expect(other).toMatchObject({ status: 403 });
    const unknown = await product.route('Tell me a story');
    expect(unknown.status).toBeGreaterThanOrEqual(502);
  });

  it('should say what an answer cost', async () => {
    const { usage } = (await by('kept', 'What does it cost? #cost')).body as Reply['body'] & {
      usage: { cost_usd: number };
    };
    expect(usage.cost_usd).toBeCloseTo((usage.prompt_tokens * 1_000 + usage.completion_tokens * 2_000) / 1e6, 8);
  });
});
