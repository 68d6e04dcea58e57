import type { Explanation, RuleExplanation } from '../domain/explain.js';
import { plain } from './plain-text.js';

/** An explanation for people: what is decided, then every rule in order with why it takes the request or not. */
export function explanationText(told: Explanation): string {
  const width = Math.max(...told.rules.map(({ rule }) => rule.length), 0);
  const { decision } = told;
  const taker = decision.allowed ? decision.rule : undefined;
  const rules = told.rules.flatMap((rule, index) => [ruleLine(rule, index + 1, width, taker), ...reasonLines(rule)]);
  const lines = [...head(told), '', ...rules];
  return plain(`${lines.join('\n')}\n`);
}

function head({ mode, dao_id: daoId, access, decision, known_answer: known, hash }: Explanation): string[] {
  const { roles, required_entitlement: needed, granted } = access;
  return [
    `request    mode ${mode} in ${daoId}, by ${roles.join(', ') || 'nobody'}, under table ${hash}`,
    `access     ${needed} is needed and ${granted ? 'granted' : 'not granted'}`,
    ...(known === null ? [] : [`known as   ${known}: can be answered without a model`]),
    ...decisionLines(decision),
  ];
}

function decisionLines(decision: Explanation['decision']): string[] {
  if (!decision.allowed) return [`decision   refused: ${decision.code}`];
  if (decision.providers.length === 0) return ['decision   answered from the database, without a model'];
  const chain = decision.providers
    .map((name, index) => `${name} (${decision.timeouts_ms[index] ?? '?'} ms)`)
    .join(' → ');
  return [`decision   rule ${decision.rule}: ${chain}, all within ${decision.deadline_ms} ms`];
}

function ruleLine(told: RuleExplanation, place: number, width: number, taker: string | undefined): string {
  const isTaken = told.outcome === 'taken';
  // Access is decided before rules are, and a known answer needs none.
  const outcome = isTaken && told.rule !== taker ? 'would take it' : told.outcome;
  const priority = told.priority === null ? 'default' : `priority ${told.priority}`;
  const leads = told.providers ? `, leads to ${told.providers.join(' → ')}` : '';
  const name = `${String(place).padStart(2)} ${isTaken ? '✓' : '·'} ${told.rule.padEnd(width)}`;
  return `${name}  ${priority}: ${outcome}${leads}`;
}

const reasonLines = ({ reasons }: RuleExplanation): string[] => reasons.map((reason) => `       ${reason}`);
