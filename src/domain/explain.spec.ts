import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  aPolicy,
  aRule,
  aTable,
  all,
  anAccess,
  anInput,
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
import type { DecisionInputs } from '../contracts/request.js';
import type { Condition, RoutingTable } from '../contracts/routing.js';
import { judge, promptMatcher } from './conditions.js';
import { decide } from './decide.js';
import { describeTable, explain } from './explain.js';
import { conditionWords, reasons, valueWords } from './words.js';

const why = (condition: Condition, inputs: DecisionInputs = anInput()): string[] =>
  reasons(judge(condition, { inputs, roles: ['member'], matches: promptMatcher(inputs.promptHead) }));

describe('the reasons why a condition failed', () => {
  it.each<[Condition, string]>([
    [is('mode', 'crew'), 'mode is chat, wanted one of crew'],
    [is('agent', 'helper'), 'agent is not given, wanted one of helper'],
    [is('role', 'admin', 'guest'), 'role is member, wanted one of admin, guest'],
    [is('dao_id', 'other'), 'dao_id is greenfood-dao, wanted one of other'],
    [is('task_type', 'legal'), 'metadata has no key task_type, wanted one of legal'],
    [is('level', 1), 'metadata level is "1", wanted one of 1'],
    [has('level', 'proposal_id', 'amount'), 'metadata has no key proposal_id, amount'],
    [matches('^vote'), 'prompt does not match /^vote/'],
    [length({ min: 10, max: 20 }), 'prompt has 5 characters, wanted at least 10 and at most 20'],
    [length({ max: 4 }), 'prompt has 5 characters, wanted at most 4'],
    [keySet('DEEPSEEK_API_KEY', false), 'api_key_available DEEPSEEK_API_KEY: not set'],
  ])('are told in words %#', (condition, sentence) => {
    expect(why(condition, anInput({ metadata: { level: '1' } }))).toEqual([sentence]);
  });

  it.each<[Condition, string]>([
    [is('mode', 'chat'), 'mode is chat, which must not be one of chat'],
    [has('level'), 'metadata has level, which it must not'],
    [matches('ell'), 'prompt matches /ell/, which it must not'],
    [length({ min: 2 }), 'prompt has 5 characters, which must not be at least 2'],
    [keySet('SOME_KEY', true), 'api_key_available SOME_KEY: set, which it must not be'],
  ])('are told of a negation %#', (condition, sentence) => {
    const inputs = anInput({ metadata: { level: '1' } });
    expect(why(not(condition), inputs)).toEqual([sentence]);
    expect(why(not(not(not(condition))), inputs)).toEqual([sentence]);
  });

  it('count one character as one', () => {
    expect(why(length({ min: 2 }), anInput({ promptLength: 1 }))).toEqual([
      'prompt has 1 character, wanted at least 2',
    ]);
  });

  it('are one for each thing that would have to be otherwise', () => {
    expect(why(all(is('mode', 'chat'), is('source', 'discord'), is('role', 'admin')))).toEqual([
      'source is telegram, wanted one of discord',
      'role is member, wanted one of admin',
    ]);
    expect(why(not(any(is('mode', 'chat'), is('mode', 'crew'), is('role', 'member'))))).toHaveLength(2);
  });

  it('are one together where one of several things would do', () => {
    expect(why(any(is('source', 'discord'), matches('vote')))).toEqual([
      'none of these holds: (source is telegram, wanted one of discord), (prompt does not match /vote/)',
    ]);
    expect(why(not(all(is('mode', 'chat'), is('role', 'member'))))).toEqual([
      'all of these hold, which they must not: (mode is chat, which must not be one of chat), (role is member, which must not be one of member)',
    ]);
    expect(why(any())).toEqual(['a list of alternatives is empty']);
    expect(why(not(all()))).toEqual(['a condition that always holds is negated']);
  });

  it('are none where it holds', () => {
    expect(why(all(is('mode', 'chat'), not(is('role', 'guest'))))).toEqual([]);
  });
});

describe('words', () => {
  it.each<[unknown, string]>([
    ['legal', 'legal'],
    ['qwen3:8b', 'qwen3:8b'],
    ['голос', 'голос'],
    ['true', '"true"'],
    ['12', '"12"'],
    ['two words', '"two words"'],
    ['', '""'],
    [12, '12'],
    [true, 'true'],
    [null, 'null'],
    [['a'], '["a"]'],
    [undefined, 'nothing'],
    ['x'.repeat(500), `${'x'.repeat(60)}…`],
  ])('for the value %j', (value, words) => {
    expect(valueWords(value)).toBe(words);
  });

  it('say what a condition asks, with brackets where it could be read the wrong way', () => {
    const condition = all(
      is('mode', 'chat'),
      any(is('role', 'admin', 'member'), has('proposal_id', 'amount'), not(all(matches('x'), length({ min: 3 })))),
      keySet('OPENAI_API_KEY', true),
    );
    expect(conditionWords(condition)).toBe(
      'mode = chat and (role in admin, member or metadata has proposal_id, amount or not (prompt matches /x/ and prompt length at least 3)) and OPENAI_API_KEY is set',
    );
    expect([conditionWords(all()), conditionWords(any()), conditionWords(length({}))]).toEqual([
      'always',
      'never',
      'prompt length any',
    ]);
  });
});

const TABLE: RoutingTable = aTable(
  [
    { name: 'crews', priority: 10, condition: is('mode', 'crew'), use: chain('third') },
    { name: 'chosen', priority: 20, use: named('provider', 'second', 'third'), fallbacks: ['first'] },
    { name: 'chat', priority: 30, condition: is('mode', 'chat'), timeoutMs: 3_000 },
    { name: 'rest', priority: 40, condition: is('source', 'telegram') },
  ],
  {
    answers: [{ question: 'help', condition: matches('(?i)help') }],
    defaultRule: aRule({ name: 'default', priority: 1_000, fallbacks: [] }),
  },
);

describe('explain', () => {
  it('says which rule takes a request, and why each other does not', () => {
    expect(explain(TABLE, anInput())).toEqual({
      hash: 'abc123',
      mode: 'chat',
      dao_id: 'greenfood-dao',
      access: { roles: ['member'], required_entitlement: 'chat.write', granted: true },
      decision: {
        allowed: true,
        rule: 'chat',
        providers: ['first', 'second'],
        timeouts_ms: [3_000, 3_000],
        deadline_ms: 120_000,
      },
      known_answer: null,
      rules: [
        {
          rule: 'crews',
          priority: 10,
          default: false,
          outcome: 'condition failed',
          reasons: ['mode is chat, wanted one of crew'],
          providers: ['third', 'second'],
        },
        {
          rule: 'chosen',
          priority: 20,
          default: false,
          outcome: 'provider not allowed',
          reasons: ['metadata has no key provider that names a provider, allowed: second, third'],
          providers: null,
        },
        { rule: 'chat', priority: 30, default: false, outcome: 'taken', reasons: [], providers: ['first', 'second'] },
        {
          rule: 'rest',
          priority: 40,
          default: false,
          outcome: 'a rule before it took the request',
          reasons: [],
          providers: ['first', 'second'],
        },
        {
          rule: 'default',
          priority: null,
          default: true,
          outcome: 'a rule before it took the request',
          reasons: [],
          providers: ['first'],
        },
      ],
    });
  });

  it('names the provider that a request may not choose', () => {
    const { rules } = explain(TABLE, anInput({ metadata: { provider: 'first' } }));
    expect(rules[1]).toMatchObject({
      outcome: 'provider not allowed',
      reasons: ['metadata provider names first, allowed: second, third'],
    });
  });

  it('says what access decides, beside which rule would take the request', () => {
    const told = explain(TABLE, anInput({ access: anAccess(['guest']) }));
    expect(told.access).toEqual({ roles: ['guest'], required_entitlement: 'chat.write', granted: false });
    expect(told.decision).toEqual({
      allowed: false,
      code: 'RBAC_PERMISSION_DENIED',
      detail: { required_entitlement: 'chat.write', roles: ['guest'] },
    });
    expect(told.rules.find(({ outcome }) => outcome === 'taken')?.rule).toBe('chat');
  });

  it('says which question is answered without a model', () => {
    const told = explain(TABLE, anInput({ prompt: 'Help!', access: anAccess(['guest']) }));
    expect(told).toMatchObject({
      known_answer: 'help',
      decision: { allowed: true, rule: 'known-answer', providers: [] },
    });
  });

  it('agrees with the decision, and never tells the prompt', () => {
    const prompts = fc.string({ unit: 'grapheme', minLength: 4 }).map((text) => `secret ${text} 4711`);
    const inputs = fc
      .record({
        prompt: prompts,
        mode: fc.constantFrom('chat' as const, 'crew' as const),
        source: fc.constantFrom('telegram', 'discord', undefined),
        metadata: fc.dictionary(fc.constantFrom('provider', 'x'), fc.constantFrom('second', 'third', 'other', 1)),
        access: fc.constantFrom(anAccess(['guest']), anAccess(['member'])),
      })
      .map(anInput);
    fc.assert(
      fc.property(inputs, (asked) => {
        const told = explain(TABLE, asked);
        const result = decide(TABLE, asked);
        expect(told.decision.allowed).toBe(result.allowed);
        const taken = told.rules.filter(({ outcome }) => outcome === 'taken');
        expect(taken).toHaveLength(1);
        if (result.allowed && result.decision.chain.length > 0) {
          expect(taken[0]).toMatchObject({
            rule: result.decision.rule,
            providers: result.decision.chain.map(({ provider }) => provider),
          });
        }
        for (const one of told.rules) expect(one.reasons.length > 0).toBe(/failed|allowed/.test(one.outcome));
        expect(JSON.stringify(told)).not.toContain('4711');
      }),
    );
  });
});

describe('describeTable', () => {
  it('shows rules, answers and names, and nothing of how providers are reached', () => {
    const table: RoutingTable = {
      ...TABLE,
      rules: [aRule({ name: 'cached', cache: { ttlMs: 60_000, maxEntries: 9 }, timeoutMs: 7_000 })],
      providers: { first: aPolicy({ pool: { name: 'http://gpu:11434', slots: 3, maxWaiting: 9, maxWaitMs: 1 } }) },
      weights: { 'greenfood-dao': 2 },
    };
    const told = describeTable(table);
    expect(told).toMatchObject({
      hash: 'abc123',
      request_timeout_ms: 120_000,
      known_answers: [{ question: 'help', when: 'prompt matches /(?i)help/' }],
      providers: ['first'],
      weights: { 'greenfood-dao': 2 },
    });
    expect(told.rules).toEqual([
      {
        name: 'cached',
        priority: 100,
        default: false,
        when: 'always',
        use: 'first',
        providers: ['first'],
        fallbacks: ['second'],
        timeout_ms: 7_000,
        cache: { ttl_ms: 60_000, max_entries: 9 },
      },
      expect.objectContaining({ name: 'default', default: true, timeout_ms: null, cache: null }),
    ]);
    expect(JSON.stringify(told)).not.toContain('gpu');
    expect(describeTable(TABLE).rules[1]?.use).toBe('metadata provider: second | third');
  });
});
