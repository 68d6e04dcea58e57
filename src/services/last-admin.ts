import type { Entitlement } from '../contracts/access.js';
import { rolesIn, someoneHasOneOfEach } from '../adapters/store/members.repository.js';
import type { Db } from '../adapters/store/tenants.js';
import { rolesForAll } from '../domain/member-rules.js';
import { AppError } from '../errors/app-error.js';

/**
 * Runs a part of an audited change that takes something away.
 * @param adminNeeds what somebody in the DAO must be able to do afterwards, if somebody was before
 * @throws AppError `LAST_ADMIN` if nobody were left
 */
export async function keepingAdmin<T>(
  db: Db,
  daoId: string,
  adminNeeds: readonly Entitlement[],
  part: () => Promise<T>,
): Promise<T> {
  const before = await hasAdmin(db, daoId, adminNeeds);
  const result = await part();
  if (before && !(await hasAdmin(db, daoId, adminNeeds))) throw new AppError('LAST_ADMIN');
  return result;
}

async function hasAdmin(db: Db, daoId: string, adminNeeds: readonly Entitlement[]): Promise<boolean> {
  const groups = rolesForAll(adminNeeds, await rolesIn(db, daoId));
  return groups !== undefined && someoneHasOneOfEach(db, daoId, groups);
}
