import type { DecisionInputs, Mode, KnownQuestion } from '../contracts/request.js';
import type { ProviderChoice, RoutingRule, RoutingTable } from '../contracts/routing.js';
import { resolveRights } from './access.js';
import { promptMatcher, type Subject } from './conditions.js';
import { decide, knownQuestion, neededFor, type DecideResult } from './decide.js';
import { explainRules, rulesInOrder, type RuleOutcome, type RuleVerdict } from './routing.js';
import { conditionWords, reasons, valueWords } from './words.js';

/** What became of one rule, for people and machines. */
export interface RuleExplanation {
  rule: string;
  /** Null for the default, which comes after all others. */
  priority: number | null;
  /** Whether it is the default, for what no other rule took. */
  default: boolean;
  outcome: RuleOutcome;
  /** Why it could not take the request; empty for one that could. */
  reasons: string[];
  /** The chain that it gives; null if the request names no provider that it allows. */
  providers: string[] | null;
}

/** What was decided. */
export type DecisionExplanation =
  | { allowed: true; rule: string; providers: string[]; timeouts_ms: number[]; deadline_ms: number }
  | { allowed: false; code: string; detail: Record<string, unknown> };

/** Which rule a request takes, and why not each other. The prompt is not part of it. */
export interface Explanation {
  hash: string;
  mode: Mode;
  dao_id: string;
  access: { roles: string[]; required_entitlement: string; granted: boolean };
  decision: DecisionExplanation;
  /** What can be answered without a model. */
  known_answer: KnownQuestion | null;
  rules: RuleExplanation[];
}

/** A rule as a table shows it. */
export interface RuleDescription {
  name: string;
  /** Null for the default, which comes after all others. */
  priority: number | null;
  default: boolean;
  when: string;
  /** Where the first provider comes from. */
  use: string;
  providers: string[];
  fallbacks: string[];
  timeout_ms: number | null;
  cache: { ttl_ms: number; max_entries: number } | null;
}

/** The routing table for people and machines: no addresses, no keys. */
export interface TableDescription {
  hash: string;
  request_timeout_ms: number;
  rules: RuleDescription[];
  /** In the order in which they are tried. */
  known_answers: { question: KnownQuestion; when: string }[];
  providers: string[];
  weights: Record<string, number>;
}

/**
 * Explains what `decide` makes of a request, by the same functions.
 * @param inputs with the head of the prompt
 */
export function explain(table: RoutingTable, inputs: DecisionInputs): Explanation {
  const matches = promptMatcher(inputs.promptHead);
  const rights = resolveRights(inputs.access);
  const { roles, entitlements } = rights;
  const subject: Subject = { inputs, roles, matches };
  const needed = neededFor(inputs);
  return {
    hash: table.hash,
    mode: inputs.mode,
    dao_id: inputs.access.dao.id,
    access: { roles, required_entitlement: needed, granted: entitlements.includes(needed) },
    decision: decisionOf(decide(table, inputs, matches)),
    known_answer: knownQuestion(table, subject, rights) ?? null,
    rules: explainRules(table, subject).map((verdict) => ruleOf(verdict, table, inputs)),
  };
}

function decisionOf(result: DecideResult): DecisionExplanation {
  if (!result.allowed) return { allowed: false, code: result.code, detail: result.detail };
  const { rule, chain, deadlineMs } = result.decision;
  return {
    allowed: true,
    rule,
    providers: chain.map(({ provider }) => provider),
    timeouts_ms: chain.map(({ timeoutMs }) => timeoutMs),
    deadline_ms: deadlineMs,
  };
}

function ruleOf({ rule, outcome, verdict, chain }: RuleVerdict, table: RoutingTable, inputs: DecisionInputs) {
  return {
    rule: rule.name,
    priority: rule === table.defaultRule ? null : rule.priority,
    default: rule === table.defaultRule,
    outcome,
    reasons: [...reasons(verdict), ...choiceReasons(rule.use, inputs, chain)],
    providers: chain ?? null,
  } satisfies RuleExplanation;
}

/** Why the request names no provider that the rule allows. */
function choiceReasons(use: ProviderChoice, { metadata }: DecisionInputs, chain: string[] | undefined): string[] {
  if (use.kind === 'chain' || chain) return [];
  const allowed = `allowed: ${use.allow.join(', ')}`;
  if (!Object.hasOwn(metadata, use.key)) return [`metadata has no key ${use.key} that names a provider, ${allowed}`];
  return [`metadata ${use.key} names ${valueWords(metadata[use.key])}, ${allowed}`];
}

/** The table as it may be shown to operators. */
export function describeTable(table: RoutingTable): TableDescription {
  return {
    hash: table.hash,
    request_timeout_ms: table.requestTimeoutMs,
    rules: rulesInOrder(table).map((rule) => describeRule(rule, rule === table.defaultRule)),
    known_answers: table.answers.map(({ question, condition }) => ({ question, when: conditionWords(condition) })),
    providers: Object.keys(table.providers),
    weights: { ...table.weights },
  };
}

function describeRule(rule: RoutingRule, isDefault: boolean): RuleDescription {
  const { name, priority, condition, use, fallbacks, timeoutMs, cache } = rule;
  return {
    name,
    priority: isDefault ? null : priority,
    default: isDefault,
    when: conditionWords(condition),
    use: use.kind === 'chain' ? use.providers.join(', ') : `metadata ${use.key}: ${use.allow.join(' | ')}`,
    providers: [...(use.kind === 'chain' ? use.providers : use.allow)],
    fallbacks: [...fallbacks],
    timeout_ms: timeoutMs ?? null,
    cache: cache ? { ttl_ms: cache.ttlMs, max_entries: cache.maxEntries } : null,
  };
}
