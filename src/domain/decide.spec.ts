import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ENTITLEMENTS, type AccessFacts } from '../contracts/access.js';
import { MODES, type Mode } from '../contracts/request.js';
import type { ProviderPolicy } from '../contracts/request.js';
import type { RoutingRule, RoutingTable } from '../contracts/routing.js';
import { ERRORS } from '../errors/catalogue.js';
import { decide, MODE_ENTITLEMENTS, type RequestFacts } from './decide.js';

const policy = (timeoutMs = 60_000): ProviderPolicy => ({
  shape: 'eager',
  queue: 'orchestrator',
  timeoutMs,
  queueTimeoutMs: 15_000,
  maxTokens: 200,
  maxAttempts: 2,
  retryDelayMs: 1_000,
});

const table = (rules: Partial<RoutingRule>[] = [{}], requestTimeoutMs = 120_000): RoutingTable => ({
  rules: rules.map((part) => ({ name: 'chat', priority: 100, conditions: {}, chain: ['first', 'second'], ...part })),
  providers: { first: policy(), second: policy(5_000) },
  requestTimeoutMs,
  hash: 'abc123',
});

const access = (entitlements: string[], platformAdmin = false): AccessFacts => ({
  dao: { id: 'greenfood-dao', name: 'GreenFood DAO' },
  roles: [{ name: 'member', entitlements }],
  platformAdmin,
});

const request = (part: Partial<RequestFacts> = {}): RequestFacts => ({
  mode: 'chat',
  agent: undefined,
  source: undefined,
  metadata: {},
  ...part,
});

const mayChat = access(['chat.read', 'chat.write']);

const timeoutsOf = (part: Partial<RoutingRule>, requestTimeoutMs?: number): number[] => {
  const result = decide(table([part], requestTimeoutMs), mayChat, request());
  if (!result.allowed) throw new Error(`refused: ${result.code}`);
  return result.decision.chain.map((step) => step.timeoutMs);
};

describe('decide', () => {
  it('allows a chat with the rule, its chain, the rights, the budget and the hash of the configuration', () => {
    expect(decide(table(), mayChat, request())).toEqual({
      allowed: true,
      decision: {
        mode: 'chat',
        rule: 'chat',
        chain: [
          { provider: 'first', ...policy() },
          { provider: 'second', ...policy(5_000) },
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
    expect(decide(table(), access(others), request({ mode }))).toMatchObject({
      allowed: false,
      code: 'RBAC_PERMISSION_DENIED',
      detail: { required_entitlement: MODE_ENTITLEMENTS[mode], roles: ['member'] },
    });
  });

  it('asks for chat.write, agent.crew and agent.devtools', () => {
    expect(MODE_ENTITLEMENTS).toEqual({ chat: 'chat.write', crew: 'agent.crew', devtools: 'agent.devtools' });
  });

  it('judges access before it looks at routes', () => {
    expect(decide(table([]), access(['chat.read']), request())).toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
  });

  it('finds no route where no rule takes the request', () => {
    const result = decide(table([{ conditions: { source: 'discord' } }]), mayChat, request({ source: 'telegram' }));
    expect(result).toMatchObject({ allowed: false, code: 'NO_ROUTE', detail: { mode: 'chat' } });
  });

  it('lets rules see the DAO and the roles that were resolved', () => {
    const rules = [{ conditions: { dao_id: 'greenfood-dao', role: 'member' } }];
    expect(decide(table(rules), mayChat, request()).allowed).toBe(true);
    expect(decide(table(rules), { ...mayChat, dao: { id: 'other', name: 'Other' } }, request()).allowed).toBe(false);
  });

  it.each(['crew', 'devtools'] as const)('says that mode %s is not available', (mode) => {
    const result = decide(table(), access([], true), request({ mode }));
    expect(result).toMatchObject({ allowed: false, code: 'MODE_UNAVAILABLE', detail: { mode } });
  });

  it('caps each call by its provider, its rule and the whole request', () => {
    expect(timeoutsOf({})).toEqual([60_000, 5_000]);
    expect(timeoutsOf({ timeoutMs: 20_000 })).toEqual([20_000, 5_000]);
    expect(timeoutsOf({ timeoutMs: 3_000 })).toEqual([3_000, 3_000]);
    expect(timeoutsOf({ timeoutMs: 20_000 }, 2_000)).toEqual([2_000, 2_000]);
  });

  it('does not hide that a rule names a provider that is not there', () => {
    expect(() => decide(table([{ chain: ['missing'] }]), mayChat, request())).toThrow('missing');
  });

  const anyTable = fc
    .array(
      fc.record({
        name: fc.string({ minLength: 1 }),
        conditions: fc.dictionary(
          fc.constantFrom('mode', 'agent', 'source', 'dao_id', 'role', 'task_type', '__proto__'),
          fc.oneof(fc.constantFrom('chat', 'member', 'x'), fc.integer(), fc.boolean(), fc.array(fc.string())),
        ),
        chain: fc.array(fc.constantFrom('first', 'second')),
        timeoutMs: fc.integer({ min: 1, max: 200_000 }),
      }),
    )
    .map((rules) => table(rules));
  const anyAccess = fc
    .tuple(fc.array(fc.oneof(fc.constantFrom(...ENTITLEMENTS), fc.string())), fc.boolean())
    .map(([entitlements, platform]) => access(entitlements, platform));
  const anyRequest = fc.record({
    mode: fc.constantFrom<Mode>(...MODES),
    agent: fc.option(fc.string(), { nil: undefined }),
    source: fc.option(fc.string(), { nil: undefined }),
    metadata: fc.dictionary(fc.string(), fc.jsonValue()),
  });

  it('gives every request exactly one result of the catalogue', () => {
    fc.assert(
      fc.property(anyTable, anyAccess, anyRequest, (rules, facts, asked) => {
        const result = decide(rules, facts, asked);
        if (!result.allowed) expect(Object.keys(ERRORS)).toContain(result.code);
        else expect(rules.rules.map(({ name }) => name)).toContain(result.decision.rule);
      }),
    );
  });

  it('gives the same result again, and changes nothing that it was given', () => {
    fc.assert(
      fc.property(anyTable, anyAccess, anyRequest, (rules, facts, asked) => {
        const before = structuredClone({ rules, facts, asked });
        const first = structuredClone(decide(rules, facts, asked));
        expect(decide(rules, facts, asked)).toEqual(first);
        expect({ rules, facts, asked }).toEqual(before);
      }),
    );
  });

  it('allows nothing without the entitlement, and no call that outlives the request', () => {
    fc.assert(
      fc.property(anyTable, anyAccess, anyRequest, (rules, facts, asked) => {
        const result = decide(rules, facts, asked);
        if (!result.allowed) return;
        expect(result.decision.entitlements).toContain(MODE_ENTITLEMENTS[asked.mode]);
        for (const step of result.decision.chain)
          expect(step.timeoutMs).toBeLessThanOrEqual(result.decision.deadlineMs);
      }),
    );
  });
});
