import { ENTITLEMENTS, GUEST_ROLE, isEntitlement, type AccessFacts, type Entitlement } from '../contracts/access.js';

/** What a person is and may do in one DAO. */
export interface Rights {
  roles: string[];
  entitlements: Entitlement[];
}

const notGuest = (role: string): boolean => role !== GUEST_ROLE;

/**
 * Resolves fetched facts into rights: the union over all roles, as far as the key lets it through; unknown users are
 * guests, and nothing is guessed.
 */
export function resolveRights(facts: AccessFacts): Rights {
  const granted = new Set(facts.roles.flatMap((role) => role.entitlements).filter(isEntitlement));
  // A role can never grant the platform: only the grant that stands beside the DAOs does.
  granted.delete('platform.admin');
  if (facts.platformAdmin) ENTITLEMENTS.forEach((entitlement) => granted.add(entitlement));
  const { within } = facts;
  const names = facts.roles.map((role) => role.name);
  return {
    roles: facts.platformAdmin
      ? [...new Set(['admin', ...names])].filter(notGuest)
      : names.length > 0
        ? names
        : [GUEST_ROLE],
    entitlements: ENTITLEMENTS.filter((one) => granted.has(one) && (within?.includes(one) ?? true)),
  };
}

/**
 * Whether somebody is an admin who may look at what others do. The role alone is not enough: a key, or the DAO, may have
 * taken from it what its name promises.
 */
export const administers = ({ roles, entitlements }: Rights): boolean =>
  roles.includes('admin') && entitlements.includes('ops.read');
