import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readEnv } from '../../config/env.js';
import { buildFromText } from '../../config/loader.js';
import { anAccess, anInput } from '../../test/factories/routing.js';
import type { DecisionInputs } from '../contracts/request.js';
import { decide } from './decide.js';
import { explain } from './explain.js';

/*
 * The language against a plain reading of it. The reference below knows profiles as they are written and docs/routing.md,
 * and nothing of how the product compiles and evaluates them.
 */

type Raw = Record<string, unknown>;
/** A request as somebody sends it. */
interface Asked {
  mode: 'chat' | 'crew' | 'devtools';
  agent: string | undefined;
  source: string | undefined;
  metadata: Raw;
  prompt: string;
  daoId: string;
  roles: string[];
}

const SET = { SET_KEY: 'a secret', OTHER_KEY: 'x' };
const VARIABLES = ['SET_KEY', 'OTHER_KEY', 'EMPTY_KEY', 'UNSET_KEY'];
/** Patterns in the syntax of profiles, and what they find. */
const PATTERNS: Record<string, (text: string) => boolean> = {
  vote: (text) => text.includes('vote'),
  '(?i)VOTE': (text) => text.toLowerCase().includes('vote'),
  '^vote': (text) => text.startsWith('vote'),
  vote$: (text) => text.endsWith('vote'),
  '^$': (text) => text === '',
  '[0-9]{2}': (text) => /[0-9][0-9]/.test(text),
  'help|роль': (text) => text.includes('help') || text.includes('роль'),
  '.': (text) => Array.from(text).some((one) => one !== '\n'),
  '^(a+)+$': (text) => text !== '' && Array.from(text).every((one) => one === 'a'),
};
const PROVIDERS: Record<string, { timeout?: number }> = { p1: {}, p2: { timeout: 5_000 }, p3: { timeout: 90_000 } };
const ALIASES: Record<string, string> = { fast: 'p2', good: 'p3' };

const oneOf = (wanted: unknown, found: unknown): boolean =>
  Array.isArray(wanted) ? wanted.some((one) => one === found) : wanted === found;

function holdsOf(conditions: Raw, asked: Asked): boolean {
  for (const [key, value] of Object.entries(conditions)) {
    if (!keyHolds(key, value, asked)) return false;
  }
  return true;
}

/** What each key of conditions asks. */
const KEY_HOLDS: Record<string, (value: unknown, asked: Asked) => boolean> = {
  and: (value, asked) => (value as Raw[]).filter((one) => !holdsOf(one, asked)).length === 0,
  or: (value, asked) => (value as Raw[]).filter((one) => holdsOf(one, asked)).length > 0,
  not: (value, asked) => !holdsOf(value as Raw, asked),
  mode: (value, asked) => oneOf(value, asked.mode),
  agent: (value, asked) => asked.agent !== undefined && oneOf(value, asked.agent),
  source: (value, asked) => asked.source !== undefined && oneOf(value, asked.source),
  dao_id: (value, asked) => oneOf(value, asked.daoId),
  role: (value, asked) => asked.roles.some((role) => oneOf(value, role)),
  metadata_has: (value, asked) => (value as string[]).every((one) => Object.keys(asked.metadata).includes(one)),
  prompt_matches: (value, asked) => PATTERNS[value as string]!(asked.prompt.slice(0, 16_384)),
  prompt_length: (value, asked) => {
    const { min, max } = value as { min?: number; max?: number };
    const characters = Array.from(asked.prompt).length;
    return !(min !== undefined && characters < min) && !(max !== undefined && characters > max);
  },
  api_key_available: (value) => Object.keys(SET).includes(value as string),
};

function keyHolds(key: string, value: unknown, asked: Asked): boolean {
  if (Object.keys(KEY_HOLDS).includes(key)) return KEY_HOLDS[key]!(value, asked);
  return Object.keys(asked.metadata).includes(key) && oneOf(value, asked.metadata[key]);
}

/** Where a rule leads, or nothing if the request may not choose as it does. */
function chainOf(rule: Raw, asked: Asked): string[] | undefined {
  let first: unknown;
  if (rule.use_provider !== undefined) first = rule.use_provider;
  else if (rule.use_llm !== undefined) first = ALIASES[rule.use_llm as string];
  else {
    const key = rule.use_metadata as string;
    first = Object.keys(asked.metadata).includes(key) ? asked.metadata[key] : undefined;
    if (!(rule.allow as unknown[]).includes(first)) return undefined;
  }
  const chain = [first as string];
  for (const next of [rule.fallback_provider ?? []].flat() as string[]) {
    if (Object.keys(PROVIDERS).includes(next) && !chain.includes(next)) chain.push(next);
  }
  return chain;
}

type Decided = { rule: string; chain: [string, number][]; answer: unknown } | 'no route';

function reference(profile: Raw, asked: Asked): Decided {
  const known = (profile.answers as Raw[]).filter((one) => holdsOf(one.conditions as Raw, asked));
  const answer = known[0]?.question;
  const total = (profile.limits as { request_timeout_ms: number }).request_timeout_ms;
  const rules = (profile.routing_rules as Raw[]).map((rule, place) => ({ rule, place }));
  rules.sort((a, b) => priorityOf(a.rule) - priorityOf(b.rule) || a.place - b.place);
  const last: Raw[] = profile.default ? [{ name: 'default', ...(profile.default as Raw) }] : [];
  for (const rule of [...rules.map((one) => one.rule), ...last]) {
    const chain = holdsOf((rule.conditions ?? {}) as Raw, asked) ? chainOf(rule, asked) : undefined;
    if (chain) {
      const capped = chain.map((name): [string, number] => {
        const limits = [PROVIDERS[name]?.timeout ?? 60_000, (rule.timeout_ms as number | undefined) ?? Infinity, total];
        return [name, Math.min(...limits)];
      });
      return { rule: rule.name as string, chain: capped, answer };
    }
  }
  return answer === undefined ? 'no route' : { rule: 'known-answer', chain: [], answer };
}

const priorityOf = (rule: Raw): number => (rule.priority as number | undefined) ?? 100;

const inputsOf = ({ daoId, roles, ...asked }: Asked): DecisionInputs => {
  const access = anAccess([], {
    dao: { id: daoId, name: 'A DAO' },
    roles: roles.map((name) => ({ name, entitlements: ['chat.read', 'chat.write'] })),
  });
  return anInput({ ...asked, access });
};

const KEYS = ['task_type', 'level', 'urgent', 'constructor', 'provider'];
const VALUES = ['legal', '1', 1, 0, true, 'true', 'p1', 'p2', ''];
const optional = { nil: undefined, freq: 3 };
const some = <T>(...values: T[]): fc.Arbitrary<T | T[]> =>
  fc.oneof(fc.constantFrom(...values), fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }));

const LEAVES: Record<string, fc.Arbitrary<unknown>> = {
  mode: some('chat', 'crew', 'devtools'),
  agent: some('helper', 'other'),
  source: some('telegram', 'discord'),
  dao_id: some('greenfood-dao', 'other-dao'),
  role: some('member', 'admin', 'guest'),
  task_type: some('legal', '1'),
  level: some<unknown>(...VALUES),
  constructor: some<unknown>(...VALUES),
  metadata_has: fc.subarray(KEYS, { minLength: 1, maxLength: 2 }),
  prompt_matches: fc.constantFrom(...Object.keys(PATTERNS)),
  prompt_length: fc.constantFrom({ min: 3 }, { max: 3 }, { min: 1, max: 5 }, { min: 0 }),
  api_key_available: fc.constantFrom(...VARIABLES),
};

/** Conditions of one or two keys: with many nothing would ever hold. */
function conditionsOf(depth: number): fc.Arbitrary<Raw> {
  const inner = depth > 0 ? conditionsOf(depth - 1) : undefined;
  const keys = {
    ...LEAVES,
    ...(inner && {
      and: fc.array(inner, { minLength: 1, maxLength: 2 }),
      or: fc.array(inner, { minLength: 1, maxLength: 3 }),
      not: inner,
    }),
  };
  return fc
    .shuffledSubarray(Object.entries(keys), { maxLength: 2 })
    .chain((chosen) => fc.tuple(...chosen.map(([key, value]) => value.map((one): [string, unknown] => [key, one]))))
    .map((entries): Raw => Object.fromEntries(entries));
}
const conditions = conditionsOf(3);

const choice: fc.Arbitrary<Raw> = fc.oneof(
  fc.constantFrom(...Object.keys(PROVIDERS)).map((use_provider) => ({ use_provider })),
  fc.constantFrom(...Object.keys(ALIASES)).map((use_llm) => ({ use_llm })),
  fc.record({
    use_metadata: fc.constantFrom('provider', 'task_type', 'constructor'),
    allow: fc.subarray(Object.keys(PROVIDERS), { minLength: 1 }),
  }),
);
const action = fc
  .tuple(
    choice,
    fc.record(
      {
        fallback_provider: some('p1', 'p2', 'p3', 'not-there'),
        timeout_ms: fc.constantFrom(1_000, 30_000, 100_000),
      },
      { requiredKeys: [] },
    ),
  )
  .map((parts): Raw => Object.assign({}, ...parts) as Raw);
const rules = fc
  .array(fc.tuple(fc.option(fc.integer({ min: -1, max: 3 }), optional), fc.option(conditions, optional), action), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) =>
    parts.map(([priority, asked, does], index): Raw => ({
      name: `rule-${index}`,
      ...(priority === undefined ? {} : { priority }),
      ...(asked === undefined ? {} : { conditions: asked }),
      ...does,
    })),
  );
const answers = fc
  .uniqueArray(fc.constantFrom('help', 'dao', 'roles'), { maxLength: 2 })
  .chain((questions) =>
    fc.tuple(...questions.map((question) => fc.record({ question: fc.constant(question), conditions }))),
  );
const profiles = fc
  .record({ rules, answers, last: fc.option(action, optional), total: fc.constantFrom(20_000, 80_000) })
  .map((parts): Raw => ({
    version: '1',
    environment: 'staging',
    llm_providers: Object.entries(PROVIDERS).map(([name, { timeout }]) => ({
      name,
      type: 'openai-compatible',
      config: {
        base_url: 'http://127.0.0.1:9/v1',
        model: 'm',
        ...(timeout === undefined ? {} : { timeout_ms: timeout }),
      },
    })),
    llm_aliases: ALIASES,
    routing_rules: parts.rules,
    answers: parts.answers,
    ...(parts.last ? { default: parts.last } : {}),
    limits: { request_timeout_ms: parts.total },
  }));

/** A prompt that reaches to the end of what rules look at, or just over it. Short where a failure is printed. */
const expanded = (asked: Asked): Asked => ({ ...asked, prompt: asked.prompt.replace(/^LONG /, 'a'.repeat(16_380)) });

const requests: fc.Arbitrary<Asked> = fc.record({
  mode: fc.constant('chat' as const),
  agent: fc.constantFrom(undefined, 'helper', 'other'),
  source: fc.constantFrom(undefined, 'telegram', 'discord'),
  metadata: fc.dictionary(fc.constantFrom(...KEYS), fc.constantFrom<unknown>(...VALUES, null, ['legal'])),
  prompt: fc.oneof(
    fc.constantFrom('', 'vote', 'How do I Vote?', 'votes 12', 'help me', 'роль', '🍅🍅🍅', '\n', 'aaaa', 'a vote'),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.constantFrom('LONG vote', 'LONG  12'),
  ),
  daoId: fc.constantFrom('greenfood-dao', 'other-dao'),
  roles: fc.subarray(['member', 'admin', 'contributor'], { minLength: 1 }),
});

const ENV = readEnv({});
const tableOf = (profile: Raw) => buildFromText(JSON.stringify(profile), '/profile.yml', ENV, SET).routing;

describe('the rule language', () => {
  it('is what a plain reading of the profile says, over 1,500 tables and 6,000 requests', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(profiles, fc.array(requests, { minLength: 4, maxLength: 4 }), (profile, all) => {
        const table = tableOf(profile);
        for (const asked of all.map(expanded)) {
          const result = decide(table, inputsOf(asked));
          const decided: Decided = result.allowed
            ? {
                rule: result.decision.rule,
                chain: result.decision.chain.map((one) => [one.provider, one.timeoutMs]),
                answer: result.decision.answer,
              }
            : 'no route';
          if (!result.allowed) expect(result.code).toBe('NO_ROUTE');
          expect(decided).toEqual(reference(profile, asked));
          seen.add(decided === 'no route' ? decided : decided.rule);
        }
      }),
      { numRuns: 1_500 },
    );
    // A generator that always led to the first rule would prove nothing.
    expect([...seen].toSorted()).toEqual(
      expect.arrayContaining(['default', 'known-answer', 'no route', 'rule-0', 'rule-2', 'rule-4']),
    );
  });

  it('is explained as it decides: each rule that would take a request says so, each other says why not', () => {
    fc.assert(
      fc.property(profiles, requests, (profile, short) => {
        const asked = expanded(short);
        const { rules: told } = explain(tableOf(profile), inputsOf(asked));
        const decided = reference(profile, asked);
        expect(told.find(({ outcome }) => outcome === 'taken')?.rule).toBe(
          decided === 'no route' || decided.rule === 'known-answer' ? undefined : decided.rule,
        );
        const raw = new Map((profile.routing_rules as Raw[]).map((rule) => [rule.name, rule]));
        for (const one of told.filter((each) => !each.default)) {
          const rule = raw.get(one.rule)!;
          const could = holdsOf((rule.conditions ?? {}) as Raw, asked) && chainOf(rule, asked) !== undefined;
          expect([one.rule, one.reasons.length === 0]).toEqual([one.rule, could]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('looks at each mode as it is asked', () => {
    fc.assert(
      fc.property(conditions, requests, fc.constantFrom('crew' as const, 'devtools' as const), (asks, short, mode) => {
        const asked = expanded(short);
        const profile = { version: '1', routing_rules: [{ name: 'r', conditions: asks, use_provider: 'embedded' }] };
        const told = explain(tableOf(profile), inputsOf({ ...asked, mode })).rules[0];
        expect(told?.outcome).toBe(holdsOf(asks, { ...asked, mode }) ? 'taken' : 'condition failed');
      }),
      { numRuns: 100 },
    );
  });
});
