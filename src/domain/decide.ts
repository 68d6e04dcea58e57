import type { Entitlement } from '../contracts/access.js';
import type { Decision, DecisionInputs, Mode, ProviderPolicy, ProviderStep } from '../contracts/request.js';
import { PROMPT_HEAD, type KnownQuestion, type RoutingTable } from '../contracts/routing.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { resolveRights, type Rights } from './access.js';
import { holds } from './conditions.js';
import { matchRule } from './routing.js';

export type DecideResult =
  | { allowed: true; decision: Decision }
  | { allowed: false; code: ErrorCode; rights: Rights; detail: Record<string, unknown> };

/** The entitlement that each mode needs. */
export const MODE_ENTITLEMENTS: Readonly<Record<Mode, Entitlement>> = {
  chat: 'chat.write',
  crew: 'agent.crew',
  devtools: 'agent.devtools',
};

/** Rule of a question that is answered without a model, for those who may not ask one. */
const NO_MODEL_RULE = 'known-answer';

/** What a decision depends on of a prompt. */
export function promptInputs(prompt: string): Pick<DecisionInputs, 'promptHead' | 'promptLength'> {
  let promptLength = 0;
  for (const _point of prompt) promptLength += 1;
  return { promptHead: prompt.slice(0, PROMPT_HEAD).toWellFormed(), promptLength };
}

/**
 * Access and route of one request. Pure: the same inputs and table give the same decision, before the start of a
 * workflow, in front of a new profile, or years later over the record.
 */
export function decide(table: RoutingTable, inputs: DecisionInputs): DecideResult {
  const { mode, access } = inputs;
  const rights = resolveRights(access);
  const answer = mode === 'chat' ? knownQuestion(table, inputs, rights.roles) : undefined;
  const needed = MODE_ENTITLEMENTS[mode];
  if (!rights.entitlements.includes(needed)) {
    if (answer && rights.entitlements.includes('chat.read')) return allow(table, inputs, rights, { answer });
    const detail = { required_entitlement: needed, roles: rights.roles };
    return { allowed: false, code: 'RBAC_PERMISSION_DENIED', rights, detail };
  }
  if (mode !== 'chat') return { allowed: false, code: 'MODE_UNAVAILABLE', rights, detail: { mode } };

  const match = matchRule(table, inputs, rights.roles);
  if (!match) return { allowed: false, code: 'NO_ROUTE', rights, detail: { mode } };
  const { rule } = match;
  const callMs = Math.min(rule.timeoutMs ?? table.requestTimeoutMs, table.requestTimeoutMs);
  const chain = match.chain.map((provider) => toStep(provider, table.providers[provider], callMs));
  return allow(table, inputs, rights, {
    rule: rule.name,
    chain,
    ...(rule.cache ? { cache: rule.cache } : {}),
    ...(answer ? { answer } : {}),
  });
}

function allow(
  table: RoutingTable,
  { mode, access }: DecisionInputs,
  rights: Rights,
  part: Partial<Decision>,
): DecideResult {
  const weight = table.weights[access.dao.id];
  const decision: Decision = {
    mode,
    rule: NO_MODEL_RULE,
    chain: [],
    ...rights,
    deadlineMs: table.requestTimeoutMs,
    ...(weight === undefined ? {} : { weight }),
    ...part,
    configHash: table.hash,
  };
  return { allowed: true, decision };
}

/** The question that the database can answer, if the prompt is one. */
function knownQuestion(
  table: RoutingTable,
  inputs: DecisionInputs,
  roles: readonly string[],
): KnownQuestion | undefined {
  return table.answers.find(({ condition }) => holds(condition, inputs, roles))?.question;
}

function toStep(provider: string, policy: ProviderPolicy | undefined, callMs: number): ProviderStep {
  if (!policy) throw new TypeError(`rule names provider ${provider}, which the loader should have refused`);
  return { provider, ...policy, timeoutMs: Math.min(policy.timeoutMs, callMs) };
}
