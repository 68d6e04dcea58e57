import type { AccessFacts, Entitlement } from '../contracts/access.js';
import type { Decision, Mode, ProviderPolicy, ProviderStep } from '../contracts/request.js';
import type { RoutingTable } from '../contracts/routing.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { resolveRights, type Rights } from './access.js';
import { matchRule } from './routing.js';

/** What the caller asked for, as far as a decision depends on it. */
export interface RequestFacts {
  mode: Mode;
  agent: string | undefined;
  source: string | undefined;
  metadata: Readonly<Record<string, unknown>>;
}

export type DecideResult =
  | { allowed: true; decision: Decision }
  | { allowed: false; code: ErrorCode; rights: Rights; detail: Record<string, unknown> };

/** The entitlement that each mode needs. */
export const MODE_ENTITLEMENTS: Readonly<Record<Mode, Entitlement>> = {
  chat: 'chat.write',
  crew: 'agent.crew',
  devtools: 'agent.devtools',
};

/**
 * Access and route of one request. Pure: the same facts, request and table give the same decision, before the start
 * of a workflow, inside it, or years later over the record.
 */
export function decide(table: RoutingTable, access: AccessFacts, request: RequestFacts): DecideResult {
  const rights = resolveRights(access);
  const needed = MODE_ENTITLEMENTS[request.mode];
  if (!rights.entitlements.includes(needed)) {
    const detail = { required_entitlement: needed, roles: rights.roles };
    return { allowed: false, code: 'RBAC_PERMISSION_DENIED', rights, detail };
  }
  if (request.mode !== 'chat') {
    return { allowed: false, code: 'MODE_UNAVAILABLE', rights, detail: { mode: request.mode } };
  }
  const rule = matchRule(table.rules, { ...request, daoId: access.dao.id, roles: rights.roles });
  if (!rule) return { allowed: false, code: 'NO_ROUTE', rights, detail: { mode: request.mode } };

  const deadlineMs = table.requestTimeoutMs;
  const callMs = Math.min(rule.timeoutMs ?? deadlineMs, deadlineMs);
  const chain = rule.chain.map((provider) => toStep(provider, table.providers[provider], callMs));
  return {
    allowed: true,
    decision: { mode: request.mode, rule: rule.name, chain, ...rights, deadlineMs, configHash: table.hash },
  };
}

function toStep(provider: string, policy: ProviderPolicy | undefined, callMs: number): ProviderStep {
  if (!policy) throw new TypeError(`rule names provider ${provider}, which the loader should have refused`);
  return { provider, ...policy, timeoutMs: Math.min(policy.timeoutMs, callMs) };
}
