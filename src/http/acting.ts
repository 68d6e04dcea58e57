import { AppError } from '../errors/app-error.js';
import type { ActingQuery } from '../schemas/common.js';
import type { Named } from '../services/access.service.js';

/**
 * Who acts and where, as the address says, or the body.
 * @throws AppError `BODY_INVALID` where they contradict each other
 */
export function actingIn(query: ActingQuery, body: ActingQuery = {}): Named {
  for (const name of ['dao_id', 'user_id'] as const) {
    if (query[name] !== undefined && body[name] !== undefined && query[name] !== body[name]) {
      throw new AppError('BODY_INVALID', `${name} is one thing in the address and another in the body.`);
    }
  }
  return { daoId: query.dao_id ?? body.dao_id, userId: query.user_id ?? body.user_id };
}
