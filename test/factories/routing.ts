import { loadDefaultRoles } from '../../config/seed.js';
import type { AccessFacts } from '../../src/contracts/access.js';
import type { DecisionInputs, ProviderPolicy } from '../../src/contracts/request.js';
import type { Condition, RoutingRule, RoutingTable, Scalar } from '../../src/contracts/routing.js';
import { promptInputs } from '../../src/domain/decide.js';

/** Conditions, as short as a profile writes them. */
export const all = (...of: Condition[]): Condition => ({ kind: 'all', of });
export const any = (...of: Condition[]): Condition => ({ kind: 'any', of });
export const not = (of: Condition): Condition => ({ kind: 'not', of });
export const is = (key: string, ...values: Scalar[]): Condition => ({ kind: 'equals', key, values });
export const has = (...keys: string[]): Condition => ({ kind: 'metadata_has', keys });
export const matches = (pattern: string): Condition => ({ kind: 'prompt_matches', pattern });
export const length = (limits: { min?: number; max?: number }): Condition => ({ kind: 'prompt_length', ...limits });
export const keySet = (variable: string, available: boolean): Condition => ({
  kind: 'api_key_available',
  variable,
  available,
});

export const aPolicy = (changes: Partial<ProviderPolicy> = {}): ProviderPolicy => ({
  shape: 'eager',
  queue: 'orchestrator',
  timeoutMs: 60_000,
  queueTimeoutMs: 15_000,
  maxTokens: 200,
  maxAttempts: 2,
  retryDelayMs: 1_000,
  ...changes,
});

export const chain = (...providers: string[]): RoutingRule['use'] => ({ kind: 'chain', providers });
export const named = (key: string, ...allow: string[]): RoutingRule['use'] => ({ kind: 'metadata', key, allow });

/** A rule that takes every request to provider `first`, then `second`. */
export const aRule = (changes: Partial<RoutingRule> = {}): RoutingRule => ({
  name: 'chat',
  priority: 100,
  condition: all(),
  use: chain('first'),
  fallbacks: ['second'],
  ...changes,
});

/** A table with providers `first`, `second` (which answers within five seconds) and `third`. */
export const aTable = (rules: Partial<RoutingRule>[] = [{}], changes: Partial<RoutingTable> = {}): RoutingTable => ({
  rules: rules.map(aRule),
  answers: [],
  providers: { first: aPolicy(), second: aPolicy({ timeoutMs: 5_000 }), third: aPolicy() },
  requestTimeoutMs: 120_000,
  weights: {},
  hash: 'abc123',
  ...changes,
});

const DEFAULT_ROLES = loadDefaultRoles();

/** What the database knows of somebody with these roles, as every new DAO defines them. */
export const anAccess = (roles: string[] = ['member'], changes: Partial<AccessFacts> = {}): AccessFacts => ({
  dao: { id: 'greenfood-dao', name: 'GreenFood DAO' },
  roles: roles.map((name) => ({ name, entitlements: [...(DEFAULT_ROLES[name] ?? [])] })),
  platformAdmin: false,
  ...changes,
});

/** A member's chat. `prompt` becomes the head and the length. */
export const anInput = ({
  prompt = 'Hello',
  ...changes
}: Partial<DecisionInputs> & { prompt?: string } = {}): DecisionInputs => ({
  mode: 'chat',
  agent: undefined,
  source: 'telegram',
  metadata: {},
  ...promptInputs(prompt),
  access: anAccess(),
  ...changes,
});
