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
import { ENTITLEMENTS, type AccessFacts, type Entitlement } from '../contracts/access.js';
import {
  MODES,
  type CallShape,
  type CrewChoice,
  type Decision,
  type DecisionInputs,
  type Mode,
} from '../contracts/request.js';
import type { Condition, KnownAnswer, RoutingRule, RoutingTable } from '../contracts/routing.js';
import { ERRORS } from '../errors/catalogue.js';
import { MODE_ENTITLEMENTS } from '../contracts/request.js';
import { decide, decideStep } from './decide.js';

const withRights = (entitlements: string[], platformAdmin = false): AccessFacts =>
  anAccess([], { roles: [{ name: 'member', entitlements }], platformAdmin });

const decided = (table: RoutingTable, inputs: DecisionInputs = anInput()): Decision => {
  const result = decide(table, inputs);
  if (!result.allowed) throw new Error(`refused: ${result.code}`);
  return result.decision;
};

const timeoutsOf = (part: Partial<RoutingRule>, requestTimeoutMs = 120_000): number[] =>
  decided(aTable([part], { requestTimeoutMs })).chain.map((step) => step.timeoutMs);

const ANSWERS: KnownAnswer[] = [
  { question: 'help', condition: matches('(?i)\\bhelp\\b') },
  { question: 'dao', condition: matches('(?i)this dao') },
];

describe('decide', () => {
  it('allows a chat with the rule, its chain, the rights, the budget and the hash of the configuration', () => {
    expect(decide(aTable(), anInput({ access: withRights(['chat.read', 'chat.write']) }))).toEqual({
      allowed: true,
      decision: {
        mode: 'chat',
        rule: 'chat',
        chain: [
          { provider: 'first', ...aPolicy() },
          { provider: 'second', ...aPolicy({ timeoutMs: 5_000 }) },
        ],
        roles: ['member'],
        entitlements: ['chat.read', 'chat.write'],
        deadlineMs: 120_000,
        configHash: 'abc123',
      },
    });
  });

  it.each(MODES)('refuses mode %s to whoever lacks its entitlement, and says which', (mode) => {
    const others = ENTITLEMENTS.filter((name) => name !== MODE_ENTITLEMENTS[mode]);
    expect(decide(aTable(), anInput({ mode, access: withRights(others) }))).toMatchObject({
      allowed: false,
      code: 'RBAC_PERMISSION_DENIED',
      detail: { required_entitlement: MODE_ENTITLEMENTS[mode], roles: ['member'] },
    });
  });

  it('asks for chat.write, agent.crew and agent.devtools', () => {
    expect(MODE_ENTITLEMENTS).toEqual({ chat: 'chat.write', crew: 'agent.crew', devtools: 'agent.devtools' });
  });

  it('judges access before it looks at routes', () => {
    expect(decide(aTable([]), anInput({ access: withRights(['chat.read']) }))).toMatchObject({
      code: 'RBAC_PERMISSION_DENIED',
    });
  });

  it('finds no route where no rule takes the request', () => {
    const table = aTable([{ condition: is('source', 'discord') }]);
    expect(decide(table, anInput())).toMatchObject({ allowed: false, code: 'NO_ROUTE', detail: { mode: 'chat' } });
  });

  it('lets rules see the DAO and the roles that were resolved', () => {
    const table = aTable([{ condition: all(is('dao_id', 'greenfood-dao'), is('role', 'member')) }]);
    const elsewhere = anAccess(['member'], { dao: { id: 'other', name: 'Other' } });
    expect(decide(table, anInput()).allowed).toBe(true);
    expect(decide(table, anInput({ access: elsewhere })).allowed).toBe(false);
    expect(decide(table, anInput({ access: anAccess(['contributor']) })).allowed).toBe(false);
  });

  describe('of a turn of an agent', () => {
    const asked = (...shapes: CallShape[]): Decision['chain'] => {
      const providers = Object.fromEntries(shapes.map((shape) => [shape, aPolicy({ shape })]));
      const table = aTable([{ use: chain(...shapes), fallbacks: [] }], { providers });
      const about = { crew: 'planning', agent: 'planner', provider: undefined };
      return decideStep(table, withRights(['chat.read', 'chat.write', 'agent.crew']), about)?.chain ?? [];
    };

    it('makes a call that others can be beside of what is local for a chat', () => {
      expect(asked('local', 'eager', 'queue').map(({ shape }) => shape)).toEqual(['eager', 'eager', 'queue']);
    });
  });

  describe('of a crew', () => {
    const crew = { id: 'planning', version: '0123456789abcdef' };
    const asked = (one: CrewChoice | undefined, entitlements: Entitlement[]) =>
      decide(aTable([]), anInput({ mode: 'crew', access: withRights(entitlements), ...(one && { crew: one }) }));

    it('needs no provider, and has no deadline that a person could miss', () => {
      const result = asked(crew, ['agent.crew']);
      expect(result).toMatchObject({ allowed: true, decision: { mode: 'crew', rule: 'crew', crew, chain: [] } });
      expect(result.allowed && result.decision.deadlineMs).toBeGreaterThan(300 * 86_400_000);
    });

    it('says so where there is no such crew', () => {
      expect(asked(undefined, ['agent.crew'])).toMatchObject({ allowed: false, code: 'CREW_NOT_FOUND' });
    });

    it('lets guests start those alone that are open to them', () => {
      expect(asked({ ...crew, guests: true }, ['chat.read']).allowed).toBe(true);
      expect(asked(crew, ['chat.read'])).toMatchObject({
        code: 'RBAC_PERMISSION_DENIED',
        detail: { required_entitlement: 'agent.crew' },
      });
    });
  });

  describe('of a tool', () => {
    const asked = (metadata: Record<string, unknown>, access = withRights(['agent.devtools'])) =>
      decide(aTable([]), anInput({ mode: 'devtools', prompt: '', metadata, access }));

    it('asks no rule, needs no provider, and names the tool', () => {
      const result = asked({ tool: 'fs_read' });
      const decision = { mode: 'devtools', rule: 'devtools', tool: 'fs_read', chain: [], deadlineMs: 120_000 };
      expect(result).toMatchObject({ allowed: true, decision });
    });

    it.each([
      ['run_tests', 900_000],
      ['notebook_execute', 900_000],
      ['fs_search', 120_000],
      ['git_log', 120_000],
    ])('gives %s %d ms', (tool, deadlineMs) => {
      expect(asked({ tool })).toMatchObject({ decision: { tool, deadlineMs } });
    });

    it.each([[{}], [{ tool: 'fs_format' }], [{ tool: 7 }], [{ tool: 'constructor' }]])(
      'refuses %j, in which no tool is named',
      (metadata) => {
        const detail = { tool: (metadata as { tool?: unknown }).tool ?? null };
        expect(asked(metadata)).toMatchObject({ allowed: false, code: 'BODY_INVALID', detail });
      },
    );

    it('looks at rights before it looks at names', () => {
      const denied = { code: 'RBAC_PERMISSION_DENIED', detail: { required_entitlement: 'agent.devtools' } };
      for (const tool of ['fs_read', 'fs_format']) {
        expect(asked({ tool }, withRights(['chat.write', 'agent.crew']))).toMatchObject(denied);
      }
    });
  });

  it('caps each call by its provider, its rule and the whole request', () => {
    expect(timeoutsOf({})).toEqual([60_000, 5_000]);
    expect(timeoutsOf({ timeoutMs: 20_000 })).toEqual([20_000, 5_000]);
    expect(timeoutsOf({ timeoutMs: 3_000 })).toEqual([3_000, 3_000]);
    expect(timeoutsOf({ timeoutMs: 20_000 }, 2_000)).toEqual([2_000, 2_000]);
  });

  it('carries the cache of the rule and the weight of the DAO, where there are any', () => {
    const cache = { ttlMs: 60_000, maxEntries: 10 };
    const table = aTable([{ cache }], { weights: { 'greenfood-dao': 3 } });
    expect(decided(table)).toMatchObject({ cache, weight: 3 });
    expect(decided(aTable())).not.toHaveProperty('weight');
    expect(decided(aTable())).not.toHaveProperty('cache');
  });

  it('takes the weight that the platform gave to the DAO before that of the table', () => {
    const access = anAccess(['member'], { dao: { id: 'greenfood-dao', name: 'GreenFood DAO', weight: 0.5 } });
    expect(decided(aTable([{}], { weights: { 'greenfood-dao': 3 } }), anInput({ access })).weight).toBe(0.5);
    expect(decided(aTable(), anInput({ access })).weight).toBe(0.5);
  });

  it('gives no weight to a DAO whose id every object inherits', () => {
    const access = anAccess(['member'], { dao: { id: 'constructor', name: 'Odd' } });
    expect(decided(aTable(), anInput({ access }))).not.toHaveProperty('weight');
  });

  it.each(['missing', 'constructor'])('does not hide that a rule names a provider that is not there: %s', (missing) => {
    const table = aTable([{ use: { kind: 'chain', providers: [missing] } }]);
    expect(() => decide(table, anInput())).toThrow(missing);
  });

  it('does not guess what an erased prompt said', () => {
    const erased = anInput({ promptHead: undefined });
    expect(() => decide(aTable([{ condition: matches('x') }]), erased)).toThrow('erased');
    expect(decide(aTable(), erased).allowed).toBe(true);
  });
});

describe('a question that is answered without a model', () => {
  const table = aTable([{}], { answers: ANSWERS });
  const guest = anAccess(['guest']);

  it('is answered to those who may read and not ask a model', () => {
    expect(decided(table, anInput({ prompt: 'HELP me', access: guest }))).toMatchObject({
      rule: 'known-answer',
      chain: [],
      answer: 'help',
      roles: ['guest'],
    });
  });

  it('is no door for another question, another mode, or those who may not even read', () => {
    const refused = [
      anInput({ prompt: 'Write a poem', access: guest }),
      anInput({ prompt: 'help', mode: 'crew', access: guest }),
      anInput({ prompt: 'help', mode: 'devtools', access: guest }),
      anInput({ prompt: 'help', access: withRights([]) }),
    ];
    for (const inputs of refused) expect(decide(table, inputs)).toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
  });

  it('goes to a model for those who may ask one, and stands by for when none answers', () => {
    expect(decided(table, anInput({ prompt: 'help' }))).toMatchObject({
      rule: 'chat',
      answer: 'help',
      chain: [{ provider: 'first' }, { provider: 'second' }],
    });
    expect(decided(table, anInput({ prompt: 'Write a poem' }))).not.toHaveProperty('answer');
  });

  it('is not refused to those who may do more and find no rule', () => {
    const routeless = aTable([], { answers: ANSWERS });
    expect(decided(routeless, anInput({ prompt: 'help' }))).toMatchObject({ rule: 'known-answer', answer: 'help' });
    expect(decide(routeless, anInput())).toMatchObject({ code: 'NO_ROUTE' });
  });

  it('is the first that the table names', () => {
    expect(decided(table, anInput({ prompt: 'help: what is this dao?' })).answer).toBe('help');
  });
});

describe('every decision', () => {
  const anyKey = fc.constantFrom('mode', 'agent', 'source', 'dao_id', 'role', 'task_type', '__proto__');
  const anyValue = fc.oneof(fc.constantFrom('chat', 'member', 'x'), fc.integer({ min: 0, max: 3 }), fc.boolean());
  const anyLeaf: fc.Arbitrary<Condition> = fc.oneof(
    fc.tuple(anyKey, fc.array(anyValue)).map(([key, values]) => is(key, ...values)),
    fc.array(fc.constantFrom('task_type', '__proto__', 'x')).map((keys) => has(...keys)),
    fc.constantFrom('a', '^.$', '(a|b)+').map(matches),
    fc.record({ min: fc.nat(20) }).map(length),
    fc.boolean().map((available) => keySet('SOME_KEY', available)),
  );
  const { condition: anyCondition } = fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3 },
      anyLeaf,
      fc.array(tie('condition'), { maxLength: 3 }).map((of) => all(...of)),
      fc.array(tie('condition'), { maxLength: 3 }).map((of) => any(...of)),
      tie('condition').map(not),
    ),
  }));
  const anyRule: fc.Arbitrary<Partial<RoutingRule>> = fc.record({
    name: fc.string({ minLength: 1 }),
    condition: anyCondition,
    use: fc.oneof(
      fc.constantFrom('first', 'second').map((name): RoutingRule['use'] => ({ kind: 'chain', providers: [name] })),
      fc.constant(named('provider', 'third')),
    ),
    fallbacks: fc.subarray(['first', 'second', 'third']),
    timeoutMs: fc.integer({ min: 1, max: 200_000 }),
  });
  const anyTable = fc
    .tuple(fc.array(anyRule), fc.option(anyRule), fc.subarray(ANSWERS))
    .map(([rules, last, answers]) => aTable(rules, { answers, ...(last ? { defaultRule: aRule(last) } : {}) }));
  const anyAccess = fc
    .tuple(fc.array(fc.oneof(fc.constantFrom(...ENTITLEMENTS), fc.string())), fc.boolean())
    .map(([entitlements, platform]) => withRights(entitlements, platform));
  const anyInput = fc
    .record({
      mode: fc.constantFrom<Mode>(...MODES),
      agent: fc.option(fc.string(), { nil: undefined }),
      source: fc.option(fc.string(), { nil: undefined }),
      metadata: fc.dictionary(fc.string(), fc.jsonValue()),
      prompt: fc.oneof(fc.string(), fc.constantFrom('help', 'what is this dao')),
      access: anyAccess,
    })
    .map(anInput);

  const check = (property: (table: RoutingTable, inputs: DecisionInputs) => void): void => {
    fc.assert(fc.property(anyTable, anyInput, property), { numRuns: 300 });
  };

  it('is exactly one result of the catalogue, by a rule of the table', () => {
    check((table, inputs) => {
      const result = decide(table, inputs);
      if (!result.allowed) expect(Object.keys(ERRORS)).toContain(result.code);
      else {
        const names = [...table.rules, ...(table.defaultRule ? [table.defaultRule] : [])].map(({ name }) => name);
        expect([...names, 'known-answer']).toContain(result.decision.rule);
      }
    });
  });

  it('is the same again, and changes nothing that it was given', () => {
    check((table, inputs) => {
      const before = structuredClone({ table, inputs });
      const first = structuredClone(decide(table, inputs));
      expect(decide(table, inputs)).toEqual(first);
      expect({ table, inputs }).toEqual(before);
    });
  });

  it('is no refusal for somebody with more rights where it was none for less', () => {
    check((table, inputs) => {
      const modest = { ...inputs, access: withRights(['chat.read']) };
      if (decide(table, modest).allowed) {
        expect(decide(table, { ...inputs, access: withRights([...ENTITLEMENTS]) }).allowed).toBe(true);
      }
    });
  });

  it('needs the entitlement, or is an answer without a model; and no call outlives the request', () => {
    check((table, inputs) => {
      const result = decide(table, inputs);
      if (!result.allowed) return;
      const { entitlements, chain, answer, deadlineMs } = result.decision;
      if (chain.length > 0) expect(entitlements).toContain(MODE_ENTITLEMENTS[inputs.mode]);
      else expect([entitlements.includes('chat.read'), answer === undefined]).toEqual([true, false]);
      for (const step of chain) expect(step.timeoutMs).toBeLessThanOrEqual(deadlineMs);
    });
  });
});
