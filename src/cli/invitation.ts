import { z } from 'zod';
import type { DagiClient } from './client.js';
import { describeMember, MemberSchema, type InDao } from './member.js';
import { ask, daoOf, invalid, part, quoted, readList, type Told } from './people.js';
import { plain } from './plain-text.js';
import { table } from './table.js';
import { understood } from './understood.js';

const HOUR_MS = 3_600_000;

const InvitationSchema = z.looseObject({
  id: z.string(),
  user_id: z.string().nullable(),
  roles: z.array(z.string()),
  uses_left: z.number(),
  expires_at: z.string(),
  created_by: z.string(),
});
const MadeSchema = InvitationSchema.extend({ secret: z.string().optional() });
const RedeemedSchema = z.looseObject({ dao_id: z.string(), member: MemberSchema });

export interface InviteOptions extends InDao {
  roles: string[];
  /** The only one who can take it, without a secret. */
  user?: string;
  uses?: number;
  /** For how long, in milliseconds. */
  expires?: number;
}

/** `dagi member invite`: invites a named user, or whoever has the secret, which is shown once. */
export async function invite(client: DagiClient, { dao, roles, user, uses, expires }: InviteOptions): Promise<Told> {
  const daoId = await daoOf(client, dao);
  const body = {
    roles,
    ...(user !== undefined && { user_id: user }),
    ...(uses !== undefined && { uses }),
    ...(expires !== undefined && { expires_in_hours: expires / HOUR_MS }),
  };
  const answer = await ask(client, 'POST', `/daos/${part(daoId)}/invitations`, { body });
  const { id, secret, expires_at: until } = understood(MadeSchema, answer);
  const head =
    secret === undefined
      ? `${user ?? ''} is invited, and takes it with: npx dagi member redeem --dao ${quoted(daoId)}\n`
      : `${secret}\n(shown this once: hand it on; it is taken with: npx dagi member redeem SECRET)\n`;
  return { answer, text: plain(`${head}invitation ${id} to ${roles.join(', ')}, good until ${until}\n`) };
}

/** `dagi member invitations`: those that can still be taken. */
export async function listInvitations(
  client: DagiClient,
  { dao, limit }: InDao & { limit?: number } = {},
): Promise<Told> {
  const path = `/daos/${part(await daoOf(client, dao))}/invitations`;
  const listing = { path, name: 'invitations', entry: InvitationSchema, limit };
  const { entries, answer, more } = await readList(client, listing);
  const rows = entries.map((one) => [
    ...[one.id, one.user_id ?? 'who has the secret', one.roles.join(', '), String(one.uses_left)],
    ...[one.expires_at, one.created_by],
  ]);
  return { answer, text: table(['id', 'for', 'roles', 'uses left', 'until', 'by'], rows) + more };
}

/** `dagi member invitations --withdraw`: nobody takes it any more. */
export async function withdrawInvitation(client: DagiClient, id: string, { dao }: InDao = {}): Promise<Told> {
  const path = `/daos/${part(await daoOf(client, dao))}/invitations/${part(id)}`;
  return { answer: await ask(client, 'DELETE', path), text: plain(`withdrawn ${id}\n`) };
}

/**
 * `dagi member redeem`: joins by an invitation, or links an id by a code.
 * @param secret absent: the DAO has invited by name
 * @param options as: who acts, where a gateway key says so
 */
export async function redeem(
  client: DagiClient,
  secret: string | undefined,
  { dao, as }: InDao & { as?: string } = {},
): Promise<Told> {
  if (secret !== undefined && dao !== undefined) throw invalid('A secret says for which DAO it is: leave out --dao.');
  const by = secret === undefined ? { dao_id: await daoOf(client, dao) } : { secret };
  const body = { ...by, ...(as !== undefined && { user_id: as }) };
  const answer = await ask(client, 'POST', '/invitations/redeem', { body });
  const { dao_id: daoId, member } = understood(RedeemedSchema, answer);
  return { answer, text: plain(`in ${daoId}: ${describeMember(member)}`) };
}
