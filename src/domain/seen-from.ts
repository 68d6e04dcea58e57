import type { Condition, RoutingRule, RoutingTable } from '../contracts/routing.js';

/** What stands for the id of a DAO that is none of the viewer's business. No DAO has such an id. */
export const ANOTHER_DAO = '(another DAO)';

/**
 * A table as the operators of one DAO may see it: ids and weights of other DAOs are hidden. It decides about the
 * requests of this DAO as the whole table does.
 */
export function seenFrom(table: RoutingTable, daoId: string): RoutingTable {
  const rule = <T extends { condition: Condition }>(one: T): T => ({ ...one, condition: hide(one.condition, daoId) });
  return {
    ...table,
    rules: table.rules.map((one): RoutingRule => rule(one)),
    ...(table.defaultRule ? { defaultRule: rule(table.defaultRule) } : {}),
    answers: table.answers.map(rule),
    weights: Object.fromEntries(Object.entries(table.weights).filter(([dao]) => dao === daoId)),
  };
}

function hide(condition: Condition, daoId: string): Condition {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return { ...condition, of: condition.of.map((part) => hide(part, daoId)) };
    case 'not':
      return { ...condition, of: hide(condition.of, daoId) };
    case 'equals': {
      if (condition.key !== 'dao_id') return condition;
      return { ...condition, values: condition.values.map((id) => (id === daoId ? id : ANOTHER_DAO)) };
    }
    default:
      return condition;
  }
}
