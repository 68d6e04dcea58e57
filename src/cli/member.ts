import { z } from 'zod';
import type { DagiClient } from './client.js';
import { CliError } from './failure.js';
import { ask, daoOf, invalid, part, query, readList, type Told } from './people.js';
import { plain } from './plain-text.js';
import { table } from './table.js';
import { understood } from './understood.js';

/** Whoever acts. */
const ME = 'me';
/** What a key is told for which "me" is nobody. */
const STANDS_FOR_NOBODY = new Set(['QUERY_INVALID', 'MEMBER_NOT_FOUND']);

/** A member, as far as it is printed. By which ids platforms know them is not for everybody. */
export const MemberSchema = z.looseObject({
  id: z.string(),
  name: z.string().nullable(),
  roles: z.array(z.string()),
  user_ids: z.array(z.string()).optional(),
  version: z.string(),
});
type Member = z.infer<typeof MemberSchema>;

const CodeSchema = z.looseObject({ code: z.string(), expires_at: z.string() });
const RemainsSchema = z.looseObject({ id: z.string(), requests: z.number() });

/** In which DAO; absent: in that of the key. */
export interface InDao {
  dao?: string;
}

export interface ListMembersOptions extends InDao {
  role?: string;
  user?: string;
  limit?: number;
}

export interface ChangeMemberOptions extends InDao {
  roles?: string[];
  /** False: the name is taken away. */
  name?: string | false;
  ifVersion?: string;
}

/** `dagi member list`: who belongs to a DAO, as what. */
export async function listMembers(client: DagiClient, options: ListMembersOptions = {}): Promise<Told> {
  const { dao, role, user, limit } = options;
  const path = await pathOf(client, dao);
  const filter = { role, user_id: user };
  const listing = { path, name: 'members', entry: MemberSchema, filter, limit };
  const { entries, answer, more } = await readList(client, listing);
  const rows = entries.map((one) => [
    ...[one.id, one.name ?? '', one.roles.join(', ')],
    ...[one.user_ids?.join(', ') ?? '', one.version],
  ]);
  return { answer, text: table(['id', 'name', 'roles', 'known as', 'version'], rows) + more };
}

/** `dagi member add`: makes a user a member; who is one with just these roles stays as they are. */
export async function addMember(
  client: DagiClient,
  user: string,
  { dao, roles, name }: InDao & { roles: string[]; name?: string },
): Promise<Told> {
  const body = { user_id: user, roles, ...(name !== undefined && { name }) };
  return told(await ask(client, 'POST', await pathOf(client, dao), { body }));
}

/** `dagi member change`: gives a member other roles, or another name. @throws CliError if neither is named */
export async function changeMember(client: DagiClient, who: string, options: ChangeMemberOptions): Promise<Told> {
  const { dao, roles, name, ifVersion } = options;
  if (roles === undefined && name === undefined) throw invalid('Say what to change: --roles, --name or --no-name.');
  const body = { ...(roles && { roles }), ...(name !== undefined && { name: name === false ? null : name }) };
  return told(await ask(client, 'PATCH', await memberPath(client, dao, who), { body, version: ifVersion }));
}

/** `dagi member remove`: ends a membership, and what keys and invitations of the member gave. */
export async function removeMember(
  client: DagiClient,
  who: string,
  { dao, ifVersion }: InDao & { ifVersion?: string } = {},
): Promise<Told> {
  const daoId = await daoOf(client, dao);
  const target = isRef(who) ? `/${part(who)}` : query({ user_id: who });
  const answer = await ask(client, 'DELETE', `${await pathOf(client, daoId)}${target}`, { version: ifVersion });
  return { answer, text: plain(`removed ${who} from ${daoId}\n`) };
}

/**
 * `dagi member link`: gives a member another id; without one, tells whoever acts a code by which to link it themselves.
 * @param options as: who acts, where a gateway key says so
 */
export async function linkMember(
  client: DagiClient,
  who: string,
  user: string | undefined,
  { dao, as }: InDao & { as?: string } = {},
): Promise<Told> {
  if (user === undefined) return linkCode(client, who, { dao, as });
  if (as !== undefined) throw invalid('--as is for a code: leave it out, or leave out the other id.');
  const path = await memberPath(client, dao, who);
  return told(await ask(client, 'POST', `${path}/ids`, { body: { user_id: user } }));
}

/** `dagi member unlink`: takes an id off a member. */
export async function unlinkMember(client: DagiClient, who: string, user: string, { dao }: InDao = {}): Promise<Told> {
  const path = await memberPath(client, dao, who);
  return told(await ask(client, 'DELETE', `${path}/ids/${part(user)}`));
}

/**
 * `dagi member forget`: erases what the DAO knows of somebody.
 * @param options yes: that it is meant; as: who acts, where a gateway key says so, who need not be a member
 * @throws CliError `NOT_CONFIRMED`, and those of the answer
 */
export async function forgetMember(
  client: DagiClient,
  who: string,
  { dao, as, yes = false }: InDao & { as?: string; yes?: boolean } = {},
): Promise<Told> {
  if (as !== undefined && who !== ME) throw invalid(`--as says who "me" is: npx dagi member forget me --as ${as}.`);
  const daoId = await daoOf(client, dao);
  if (!yes) {
    const sentence = `What ${daoId} knows of ${as ?? who} would be erased: dialogs, ids, name, keys. There is no way back.`;
    throw new CliError('NOT_CONFIRMED', `${sentence} Nothing was done; say it again with --yes if that is meant.`);
  }
  const path = await memberPath(client, daoId, who);
  const answer = await askAbout(client, `${path}/forget`, { who, as });
  const { id, requests } = understood(RemainsSchema, answer);
  return { answer, text: plain(`forgotten; what is left is called ${id}, in ${requests} requests\n`) };
}

async function linkCode(
  client: DagiClient,
  who: string,
  { dao, as }: { dao: string | undefined; as: string | undefined },
): Promise<Told> {
  if (who !== ME) throw invalid('A code is for "me" alone; name the other id, and it is linked at once.');
  const answer = await askAbout(client, `${await pathOf(client, dao)}/me/link`, { who, as });
  const { code, expires_at: until } = understood(CodeSchema, answer);
  const how = 'the other id redeems it: npx dagi member redeem CODE';
  return { answer, text: plain(`${code}\n(shown this once, good until ${until}; ${how})\n`) };
}

/** Posts for oneself; a key that stands for nobody is told how to say who that is. */
async function askAbout(
  client: DagiClient,
  path: string,
  { who, as }: { who: string; as: string | undefined },
): Promise<unknown> {
  try {
    return await ask(client, 'POST', `${path}${query({ user_id: as })}`);
  } catch (error) {
    if (!(error instanceof CliError) || who !== ME || as !== undefined || !STANDS_FOR_NOBODY.has(error.code))
      throw error;
    const sentence = `${error.message} "me" is whom the key stands for: use a key of your own, or --as USER.`;
    throw new CliError(error.code, sentence, error.detail, { cause: error });
  }
}

const pathOf = async (client: DagiClient, dao: string | undefined): Promise<string> =>
  `/daos/${part(await daoOf(client, dao))}/members`;

/** Members are named by their own ids, `p_…`, or by an id of a platform. */
const isRef = (who: string): boolean => who === ME || who.startsWith('p_');

async function memberPath(client: DagiClient, dao: string | undefined, who: string): Promise<string> {
  const daoId = await daoOf(client, dao);
  const path = await pathOf(client, daoId);
  if (isRef(who)) return `${path}/${part(who)}`;
  const filter = { user_id: who };
  const { entries } = await readList(client, { path, name: 'members', entry: MemberSchema, filter, limit: 1 });
  const [member] = entries;
  if (!member) {
    const sentence = `${who} is no member of ${daoId}: see who is with "npx dagi member list".`;
    throw new CliError('MEMBER_NOT_FOUND', sentence);
  }
  return `${path}/${part(member.id)}`;
}

/** A member in a line. */
export function describeMember({ id, name, roles, user_ids: ids, version }: Member): string {
  const called = name === null ? '' : ` (${name})`;
  const known = ids ? `, known as ${ids.join(', ')}` : '';
  return plain(`${id}${called}: ${roles.join(', ')}${known}, version ${version}\n`);
}

function told(answer: unknown): Told {
  return { answer, text: describeMember(understood(MemberSchema, answer)) };
}
