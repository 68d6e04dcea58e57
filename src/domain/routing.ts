import type { DecisionInputs } from '../contracts/request.js';
import type { RoutingRule, RoutingTable } from '../contracts/routing.js';
import { holds, judge, type Verdict } from './conditions.js';

/** A rule that takes a request, with the providers that it leads to. */
export interface Match {
  rule: RoutingRule;
  chain: string[];
}

/** The chain of a rule for a request; undefined where the request names no provider of the rule's list. */
function chainOf(rule: RoutingRule, { metadata }: DecisionInputs): string[] | undefined {
  const { use, fallbacks } = rule;
  if (use.kind === 'chain') return [...new Set([...use.providers, ...fallbacks])];
  const named = Object.hasOwn(metadata, use.key) ? metadata[use.key] : undefined;
  if (typeof named !== 'string' || !use.allow.includes(named)) return undefined;
  return [...new Set([named, ...fallbacks])];
}

function matchOf(rule: RoutingRule, inputs: DecisionInputs, roles: readonly string[]): Match | undefined {
  const chain = holds(rule.condition, inputs, roles) ? chainOf(rule, inputs) : undefined;
  return chain && { rule, chain };
}

/** The rule that takes the request: the first in order whose condition holds, else the table's default. */
export function matchRule(table: RoutingTable, inputs: DecisionInputs, roles: readonly string[]): Match | undefined {
  for (const rule of table.rules) {
    const match = matchOf(rule, inputs, roles);
    if (match) return match;
  }
  return table.defaultRule && matchOf(table.defaultRule, inputs, roles);
}

/** What became of one rule: it took the request, its condition failed, or an earlier rule was first. */
export interface RuleVerdict {
  rule: RoutingRule;
  outcome: 'taken' | 'condition failed' | 'provider not allowed' | 'a rule before it took the request';
  verdict: Verdict;
  chain: string[] | undefined;
}

/** Every rule of the table in order, the default last, with why it takes the request or not. */
export function explainRules(
  table: RoutingTable,
  inputs: DecisionInputs,
  roles: readonly string[],
): { taken: Match | undefined; rules: RuleVerdict[] } {
  const taken = matchRule(table, inputs, roles);
  const all = [...table.rules, ...(table.defaultRule ? [table.defaultRule] : [])];
  const rules = all.map((rule): RuleVerdict => {
    const verdict = judge(rule.condition, inputs, roles);
    const chain = chainOf(rule, inputs);
    if (rule === taken?.rule) return { rule, outcome: 'taken', verdict, chain };
    if (!verdict.holds) return { rule, outcome: 'condition failed', verdict, chain };
    if (!chain) return { rule, outcome: 'provider not allowed', verdict, chain };
    return { rule, outcome: 'a rule before it took the request', verdict, chain };
  });
  return { taken, rules };
}

/** Providers to which a rule can lead first. */
const firstOf = ({ use }: RoutingRule): readonly string[] => (use.kind === 'chain' ? use.providers : use.allow);

/** Providers to which rules lead first, and all to which they lead at all. */
export function providersOf(table: RoutingTable): { first: string[]; all: string[] } {
  const rules = [...table.rules, ...(table.defaultRule ? [table.defaultRule] : [])];
  const first = new Set(rules.flatMap((rule) => firstOf(rule).slice(0, rule.use.kind === 'chain' ? 1 : undefined)));
  const all = new Set(rules.flatMap((rule) => [...firstOf(rule), ...rule.fallbacks]));
  return { first: [...first], all: [...all] };
}
