import type { DecisionInputs } from '../contracts/request.js';
import type { RoutingRule, RoutingTable } from '../contracts/routing.js';
import { holds, judge, type Subject, type Verdict } from './conditions.js';

/** A rule that takes a request, with the providers that it leads to. */
export interface Match {
  rule: RoutingRule;
  chain: string[];
}

/** The chain of a rule for a request; undefined where the request names no provider of the rule's list. */
function chainOf({ use, fallbacks }: RoutingRule, { metadata }: DecisionInputs): string[] | undefined {
  if (use.kind === 'chain') return [...new Set([...use.providers, ...fallbacks])];
  const named = Object.hasOwn(metadata, use.key) ? metadata[use.key] : undefined;
  if (typeof named !== 'string' || !use.allow.includes(named)) return undefined;
  return [...new Set([named, ...fallbacks])];
}

/** Every rule of a table in the order in which they are tried: the default, which is for what no other took, last. */
export const rulesInOrder = ({ rules, defaultRule }: RoutingTable): RoutingRule[] =>
  defaultRule ? [...rules, defaultRule] : [...rules];

function matchOf(rule: RoutingRule, subject: Subject): Match | undefined {
  const chain = holds(rule.condition, subject) ? chainOf(rule, subject.inputs) : undefined;
  return chain && { rule, chain };
}

/** The rule that takes the request: the first in order whose condition holds, else the table's default. */
export function matchRule(table: RoutingTable, subject: Subject): Match | undefined {
  for (const rule of table.rules) {
    const match = matchOf(rule, subject);
    if (match) return match;
  }
  return table.defaultRule && matchOf(table.defaultRule, subject);
}

/**
 * The rule under which a request may ask for a provider by name: the one that takes the request anyway, if it leads there
 * first or as a fallback, or lets metadata name it. What a rule before it would have taken is not open by name either.
 */
export function matchNamed(table: RoutingTable, subject: Subject, provider: string): Match | undefined {
  const rule = rulesInOrder(table).find(
    (one) => holds(one.condition, subject) && (chainOf(one, subject.inputs) ?? reaches(one).includes(provider)),
  );
  return rule && reaches(rule).includes(provider) ? { rule, chain: [provider] } : undefined;
}

/** Every provider to which a rule can lead. */
const reaches = (rule: RoutingRule): string[] => [...firstOf(rule), ...rule.fallbacks];

export const RULE_OUTCOMES = [
  'taken',
  'condition failed',
  'provider not allowed',
  'a rule before it took the request',
] as const;
export type RuleOutcome = (typeof RULE_OUTCOMES)[number];

/** What became of one rule. */
export interface RuleVerdict {
  rule: RoutingRule;
  outcome: RuleOutcome;
  verdict: Verdict;
  /** Where it would lead; undefined if the request names no provider that it allows. */
  chain: string[] | undefined;
}

/** Every rule of the table in order, the default last, with why it takes the request or not. */
export function explainRules(table: RoutingTable, subject: Subject): RuleVerdict[] {
  const taken = matchRule(table, subject)?.rule;
  return rulesInOrder(table).map((rule): RuleVerdict => {
    const verdict = judge(rule.condition, subject);
    const chain = chainOf(rule, subject.inputs);
    return { rule, outcome: outcomeOf(rule === taken, verdict.holds, chain !== undefined), verdict, chain };
  });
}

function outcomeOf(taken: boolean, holding: boolean, allowed: boolean): RuleOutcome {
  if (taken) return 'taken';
  if (!holding) return 'condition failed';
  return allowed ? 'a rule before it took the request' : 'provider not allowed';
}

/** Providers to which a rule can lead first. */
const firstOf = ({ use }: RoutingRule): readonly string[] => (use.kind === 'chain' ? use.providers : use.allow);

/** Providers to which rules lead first, and all to which they lead at all. */
export function providersOf(table: RoutingTable): { first: string[]; all: string[] } {
  const rules = rulesInOrder(table);
  const first = new Set(rules.flatMap((rule) => firstOf(rule).slice(0, rule.use.kind === 'chain' ? 1 : undefined)));
  const all = new Set(rules.flatMap(reaches));
  return { first: [...first], all: [...all] };
}
