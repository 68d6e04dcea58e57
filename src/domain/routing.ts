import type { ConditionValue, RoutingRule } from '../contracts/routing.js';

/** What rules can see of a request. */
export interface RoutingFacts {
  mode: string;
  agent: string | undefined;
  source: string | undefined;
  daoId: string;
  roles: readonly string[];
  metadata: Readonly<Record<string, unknown>>;
}

const isListed = (expected: ConditionValue, actual: unknown): boolean =>
  Array.isArray(expected) ? expected.includes(actual) : expected === actual;

function holds(key: string, expected: ConditionValue, facts: RoutingFacts): boolean {
  switch (key) {
    case 'mode':
    case 'agent':
    case 'source':
      return isListed(expected, facts[key]);
    case 'dao_id':
      return isListed(expected, facts.daoId);
    case 'role':
      return facts.roles.some((role) => isListed(expected, role));
    default:
      return Object.hasOwn(facts.metadata, key) && isListed(expected, facts.metadata[key]);
  }
}

/** The rule that takes the request: lowest priority number first, file order breaks ties. `rules` come sorted. */
export function matchRule(rules: readonly RoutingRule[], facts: RoutingFacts): RoutingRule | undefined {
  return rules.find((rule) => Object.entries(rule.conditions).every(([key, expected]) => holds(key, expected, facts)));
}
