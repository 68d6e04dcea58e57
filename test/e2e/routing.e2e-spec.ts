import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { DAO, fakeProvider, Product } from './harness.js';

const OTHER = 'secret-dao';

interface Told {
  ok: boolean;
  error?: { code: string };
  hash: string;
  decision: { allowed: boolean; rule?: string; providers?: string[]; code?: string };
  access: { roles: string[] };
  rules: { rule: string; name: string; outcome: string; reasons: string[]; when: string }[];
}

describe('the routing that runs', () => {
  let fake: WireFake;
  let product: Product;
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    const profile = {
      version: '1',
      environment: 'development',
      llm_providers: ['fast', 'strong'].map((name) => fakeProvider(name, fake)),
      routing_rules: [
        { name: 'elsewhere', priority: 1, conditions: { dao_id: OTHER }, use_provider: 'strong' },
        {
          name: 'legal',
          priority: 2,
          conditions: { task_type: 'legal', metadata_has: ['proposal_id'], not: { source: 'discord' } },
          use_provider: 'strong',
        },
        {
          name: 'chosen',
          priority: 3,
          conditions: { role: 'contributor' },
          use_metadata: 'provider',
          allow: ['strong'],
        },
        { name: 'chat', priority: 9, conditions: { mode: 'chat' }, use_provider: 'fast', fallback_provider: 'strong' },
      ],
    };
    product = await Product.open({ profile });
    await product.createDao(OTHER, { 'tg:7': ['admin'] });
    const wanted = { admin: 'tg:1', member: 'tg:12345', guest: 'tg:nobody' };
    for (const [name, principal] of Object.entries(wanted)) {
      keys[name] = (await product.key({ dao_id: DAO, principal })).key;
    }
  });

  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  const get = async (path: string, query: object = {}, key?: string): Promise<{ status: number; told: Told }> => {
    const search = new URLSearchParams(query as Record<string, string>).toString();
    const call = key === undefined ? {} : { key: keys[key] ?? key };
    const { status, body } = await product.call('GET', `${path}?${search}`, call);
    return { status, told: body as unknown as Told };
  };

  const BODIES = [
    { prompt: 'Hello', user_id: 'tg:12345' },
    { prompt: 'Is it legal?', user_id: 'tg:12345', metadata: { task_type: 'legal', proposal_id: 3 } },
    {
      prompt: 'Is it legal?',
      user_id: 'tg:12345',
      source: 'discord',
      metadata: { task_type: 'legal', proposal_id: 3 },
    },
    { prompt: 'Hello', user_id: 'tg:222', metadata: { provider: 'strong' } },
    { prompt: 'Hello', user_id: 'tg:222', metadata: { provider: 'fast' } },
    { prompt: 'Hello', user_id: 'tg:7', dao_id: OTHER },
    { prompt: 'Write a poem', user_id: 'tg:nobody' },
  ];

  it.each(BODIES.map((body, index) => [index, body] as const))(
    'should take each request as it was explained before: %d',
    async (_index, { metadata, ...ids }) => {
      const query = { ...ids, ...(metadata ? { metadata: JSON.stringify(metadata) } : {}) };
      const { status, told } = await get('/routing/explain', query);
      expect(status).toBe(200);
      const { body } = await product.call('POST', '/route', {}, { ...ids, metadata: metadata ?? {} });
      if (body.ok) {
        expect(told.decision).toMatchObject({ allowed: true, rule: body.rule });
        expect(told.decision.providers?.[0]).toBe(body.provider);
        expect(told.access.roles).toEqual(body.rbac.roles);
      } else {
        expect(told.decision).toMatchObject({ allowed: false, code: body.error.code });
      }
    },
  );

  it('should say why each rule does not take a request, and not repeat the prompt', async () => {
    const { told } = await get(
      '/routing/explain',
      { prompt: 'secret 4711', metadata: '{"task_type":"legal"}' },
      'admin',
    );
    expect(told.rules.map(({ rule, outcome, reasons }) => [rule, outcome, reasons])).toEqual([
      ['elsewhere', 'condition failed', ['dao_id is greenfood-dao, wanted one of "(another DAO)"']],
      ['legal', 'condition failed', ['metadata has no key proposal_id']],
      [
        'chosen',
        'condition failed',
        [
          'role is admin, wanted one of contributor',
          'metadata has no key provider that names a provider, allowed: strong',
        ],
      ],
      ['chat', 'taken', []],
    ]);
    expect(JSON.stringify(told)).not.toContain('4711');
  });

  it('should show its rules in order to operators, and no address, no key and no other DAO', async () => {
    const { status, told } = await get('/routing', {}, 'admin');
    expect(status).toBe(200);
    expect(told.rules.map(({ name }) => name)).toEqual(['elsewhere', 'legal', 'chosen', 'chat']);
    expect(told).toMatchObject({ ok: true, providers: expect.arrayContaining(['fast', 'strong']) });
    const text = JSON.stringify(told);
    for (const secret of [OTHER, fake.url, new URL(fake.url).port]) expect(text).not.toContain(secret);
    const whole = await get('/routing');
    expect(whole.told.rules[0]?.when).toBe(`dao_id = ${OTHER}`);
    expect(whole.told.hash).toBe(told.hash);
  });

  it.each([
    ['member', '/routing', {}, '403 RBAC_PERMISSION_DENIED'],
    ['guest', '/routing/explain', { prompt: 'Hello' }, '403 RBAC_PERMISSION_DENIED'],
    ['member', '/routing/explain', { user_id: 'tg:12345' }, '403 RBAC_PERMISSION_DENIED'],
    ['admin', '/routing/explain', { dao_id: OTHER }, '403 DAO_FORBIDDEN'],
    ['admin', '/routing', { dao_id: OTHER }, '403 DAO_FORBIDDEN'],
    ['admin', '/routing/explain', { user_id: 'api:admin' }, '403 ACTING_NOT_ALLOWED'],
    ['admin', '/routing/explain', { metadata: '[]' }, '400 QUERY_INVALID'],
    ['admin', '/routing/explain', { prompt: 'x'.repeat(4_001) }, '400 QUERY_INVALID'],
    ['admin', '/routing/explain', { promt: 'Hello' }, '400 QUERY_INVALID'],
  ])('should refuse %s at %s %#', async (key, path, query, outcome) => {
    const { status, told } = await get(path, query, key);
    expect(`${status} ${String(told.error?.code)}`).toBe(outcome);
  });
});
