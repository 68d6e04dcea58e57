import { z } from 'zod';
import type { DagiClient } from './client.js';
import { ask, query, type Told } from './people.js';
import { plain } from './plain-text.js';
import { understood } from './understood.js';

const ResolutionSchema = z.looseObject({
  dao_id: z.string(),
  user_id: z.string(),
  member: z.string().nullable(),
  roles: z.array(z.string()),
  entitlements: z.array(z.string()),
});

/**
 * `dagi resolve`: what somebody is in a DAO, and may do there.
 * @param user absent: whoever the key stands for, as far as the key lets through
 */
export async function resolveUser(
  client: DagiClient,
  user: string | undefined,
  { dao }: { dao?: string } = {},
): Promise<Told> {
  const answer = await ask(client, 'GET', `/rbac/resolve${query({ dao_id: dao, user_id: user })}`);
  const { dao_id: daoId, user_id: userId, member, roles, entitlements } = understood(ResolutionSchema, answer);
  const lines = [
    `${userId} in ${daoId}`,
    `member  ${member ?? 'no'}`,
    `roles   ${roles.join(', ') || 'none'}`,
    `may     ${entitlements.join(', ') || 'nothing'}`,
  ];
  return { answer, text: plain(`${lines.join('\n')}\n`) };
}
