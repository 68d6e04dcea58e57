import { API_PRINCIPAL_PREFIX } from '../contracts/ids.js';
import type { Actor, CallerKey } from '../contracts/access.js';
import { AppError } from '../errors/app-error.js';

/**
 * Who acts: the named user if the key may name one, else the key's principal.
 * A key's principal (`api:…`) can never be named, the administrator least of all: those rights come with the key alone.
 * @throws AppError `ACTING_NOT_ALLOWED`
 */
export function resolveActor(key: CallerKey, userId: string | undefined): Actor {
  if (userId === undefined || userId === key.principal) return { id: key.principal, own: true };
  if (!key.gateway || userId.startsWith(API_PRINCIPAL_PREFIX)) throw new AppError('ACTING_NOT_ALLOWED');
  return { id: userId, own: false };
}

/**
 * For which DAO: the named one if the key opens it, else the key's own, else the default.
 * A key of one DAO gets the same answer for every other name, so that it learns nothing of them.
 * @throws AppError `DAO_FORBIDDEN`, `DAO_REQUIRED`
 */
export function resolveDao(key: CallerKey, daoId: string | undefined, defaultDao: string | undefined): string {
  if (key.daoId !== null) {
    if (daoId !== undefined && daoId !== key.daoId) throw new AppError('DAO_FORBIDDEN');
    return key.daoId;
  }
  const chosen = daoId ?? defaultDao;
  if (chosen === undefined) throw new AppError('DAO_REQUIRED');
  return chosen;
}
