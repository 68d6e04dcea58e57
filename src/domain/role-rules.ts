import { ENTITLEMENTS, type Entitlement } from '../contracts/access.js';

/** What a role can give: everything but the platform. */
export type RoleEntitlement = Exclude<Entitlement, 'platform.admin'>;

export const ROLE_ENTITLEMENTS = ENTITLEMENTS.filter((one): one is RoleEntitlement => one !== 'platform.admin');

/** Entitlements that a role can give, each once and in the order of the vocabulary; what is unknown is left out. */
export const roleEntitlements = (list: readonly string[]): RoleEntitlement[] =>
  ROLE_ENTITLEMENTS.filter((one) => list.includes(one));

/** What a role gives afterwards that it did not before, and the reverse. */
export interface RoleDifference {
  added: string[];
  removed: string[];
}

export const roleDifference = (before: readonly string[], after: readonly string[]): RoleDifference => ({
  added: after.filter((one) => !before.includes(one)),
  removed: before.filter((one) => !after.includes(one)),
});
