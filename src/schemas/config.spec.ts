import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readEnv } from '../../config/env.js';
import { loadConfig } from '../../config/loader.js';
import {
  aRule,
  aTable,
  all,
  any,
  chain,
  has,
  is,
  keySet,
  length,
  matches,
  named,
  not,
} from '../../test/factories/routing.js';
import type { Condition, RoutingTable } from '../contracts/routing.js';
import { jsonSchema } from './json-schema.js';
import { ApplyConfigSchema, RoutingTableSchema, TrialSchema, WhatIfOutlineSchema, WhatIfSchema } from './config.js';

const TABLE: RoutingTable = aTable([{}], { hash: '0123456789abcdef' });
const withCondition = (condition: unknown): unknown => ({ ...TABLE, rules: [{ ...aRule(), condition }] });
const complaint = (table: unknown): string | undefined => RoutingTableSchema.safeParse(table).error?.issues[0]?.message;

/** A condition that is nested so deep. */
function nested(depth: number): unknown {
  let condition: unknown = all();
  for (let level = 0; level < depth; level += 1) condition = { kind: 'not', of: condition };
  return condition;
}

describe('RoutingTableSchema', () => {
  it.each(['dev', 'staging', 'prod'])('takes what the profile %s compiles to, unchanged', (profile) => {
    const variables = { OPENAI_API_KEY: 'x', DEEPSEEK_API_KEY: 'x', OLLAMA_BASE_URL: 'http://127.0.0.1:11434' };
    const { routing } = loadConfig(readEnv(variables), profile);
    const sent: unknown = JSON.parse(JSON.stringify(routing));
    expect(RoutingTableSchema.parse(sent)).toEqual(sent);
  });

  it('takes every condition of the language', () => {
    const conditions: Condition[] = [
      is('mode', 'chat', 1, true),
      has('a', 'b'),
      matches('(?i)hello'),
      length({ min: 1 }),
      length({ max: 5 }),
      keySet('OPENAI_API_KEY', false),
    ];
    const table = aTable(
      [
        { condition: any(...conditions, not(all(...conditions))), timeoutMs: 5, cache: { ttlMs: 1, maxEntries: 2 } },
        { name: 'named', use: named('provider', 'first'), fallbacks: [] },
      ],
      { hash: '0123456789abcdef', weights: { dao: 2 }, defaultRule: aRule({ name: 'last' }) },
    );
    expect(RoutingTableSchema.parse(table)).toEqual(table);
  });

  it.each([
    ['a rule that leads to nobody we know', { ...TABLE, rules: [aRule({ use: chain('nobody') })] }, /names "nobody"/],
    ['an unknown fallback', { ...TABLE, defaultRule: aRule({ fallbacks: ['nobody'] }) }, /names "nobody"/],
    ['an unknown list', { ...TABLE, rules: [aRule({ use: named('k', 'nobody') })] }, /names "nobody"/],
    ['a field more', { ...TABLE, secret: 1 }, /secret/],
    ['a field more of a rule', { ...TABLE, rules: [{ ...aRule(), secret: 1 }] }, /secret/],
    ['a condition of no kind', withCondition({ kind: 'evil' }), /kind|Invalid/i],
    ['a field more of a condition', withCondition({ ...not(all()), extra: 1 }), /extra/],
    ['a hash that is none', { ...TABLE, hash: '<script>' }, /hash/],
    ['nothing', undefined, /./],
    ['a list', [], /./],
  ])('refuses %s', (_what, table, reason) => {
    expect(complaint(table)).toMatch(reason);
  });

  it('refuses what is nested too deeply, however deeply, before it goes down itself', () => {
    expect(RoutingTableSchema.safeParse(withCondition(nested(50))).success).toBe(true);
    for (const depth of [200, 100_000]) expect(complaint(withCondition(nested(depth)))).toBe('nested too deeply');
  });

  it('never throws, whatever is sent', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (one, other) => {
        for (const value of [JSON.parse(one), withCondition(JSON.parse(other))]) {
          expect(typeof RoutingTableSchema.safeParse(value).success).toBe('boolean');
        }
      }),
    );
  });
});

describe('bodies', () => {
  it('have defaults and bounds', () => {
    expect(WhatIfSchema.parse({ table: TABLE })).toEqual({ table: TABLE, limit: 10_000, trials: 0 });
    const since = '2026-11-18T00:00:00Z';
    expect(WhatIfSchema.parse({ table: TABLE, since }).since).toEqual(new Date(since));
    for (const bad of [{ limit: 0 }, { limit: 100_001 }, { trials: 51 }, { since: 'yesterday' }, { more: 1 }]) {
      expect(WhatIfSchema.safeParse({ table: TABLE, ...bad }).success).toBe(false);
    }
    expect(ApplyConfigSchema.safeParse({ confirm: 'not a hash' }).success).toBe(false);
    expect(TrialSchema.safeParse({ request_id: 'id' }).success).toBe(false);
  });

  it('can be described', () => {
    for (const schema of [WhatIfOutlineSchema, ApplyConfigSchema, TrialSchema]) {
      expect(jsonSchema(schema)).toMatchObject({ type: 'object' });
    }
  });
});
