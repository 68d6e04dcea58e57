import { sql } from 'kysely';
import { v4 as uuid } from 'uuid';
import type { LinkedBy, Member } from '../../contracts/dao.js';
import { API_PRINCIPAL_PREFIX } from '../../contracts/ids.js';
import { guardStore } from './errors.js';
import type { Db, Tenants } from './tenants.js';

/** Which members to list. */
export interface MemberFilter {
  /** Behind this id. */
  after: string;
  limit: number;
  role?: string | undefined;
  /** Only whoever a platform knows by this id. */
  userId?: string | undefined;
}

/** Who belongs to a DAO, and by which ids platforms know them. */
export class MembersRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Members by id. */
  async page(daoId: string, { after, limit, role, userId }: MemberFilter): Promise<Member[]> {
    return guardStore(() =>
      shown(this.tenants.of(daoId), daoId)
        .where('id', '>', after)
        .$if(role !== undefined, (query) => query.where(sql<boolean>`${role} = any (members.roles)`))
        .$if(userId !== undefined, (query) => query.where('id', '=', memberWith(daoId, userId ?? '')))
        .orderBy('id')
        .limit(limit)
        .execute(),
    );
  }

  async byId(daoId: string, id: string): Promise<Member | undefined> {
    return guardStore(() => memberById(this.tenants.of(daoId), daoId, id));
  }
}

const userIds = sql<string[]>`(
  select coalesce(array_agg(i.user_id order by i.linked_at, i.user_id), '{}')
  from identities i where i.dao_id = members.dao_id and i.member_id = members.id
)`;

const shown = (db: Db, daoId: string) =>
  db
    .selectFrom('members')
    .where('dao_id', '=', daoId)
    .select(['id', 'name', 'roles', 'version', 'created_at', userIds.as('user_ids')]);

/** The member whom a platform knows by an id. */
const memberWith = (daoId: string, userId: string) => sql<string>`(
  select i.member_id from identities i where i.dao_id = ${daoId} and i.user_id = ${userId}
)`;

export const memberByUser = (db: Db, daoId: string, userId: string): Promise<Member | undefined> =>
  shown(db, daoId).where('id', '=', memberWith(daoId, userId)).executeTakeFirst();

export const memberById = (db: Db, daoId: string, id: string): Promise<Member | undefined> =>
  shown(db, daoId).where('id', '=', id).executeTakeFirst();

/** A person who was not there, under the id of a platform that nobody of the DAO has. @returns the member's id */
export async function addMember(
  db: Db,
  daoId: string,
  { userId, roles, name = null }: { userId: string; roles: string[]; name?: string | null },
): Promise<string> {
  const id = `p_${uuid().replaceAll('-', '')}`;
  await db.insertInto('members').values({ dao_id: daoId, id, name, roles }).execute();
  await linkIdentity(db, daoId, id, userId);
  return id;
}

/** @param linkedBy on whose word it is the member's */
export async function linkIdentity(
  db: Db,
  daoId: string,
  memberId: string,
  userId: string,
  linkedBy: LinkedBy = 'join',
): Promise<void> {
  // The time after whatever this waited for: a proposal that opened meanwhile opened before.
  const linkedAt = sql<Date>`clock_timestamp()`;
  const row = { dao_id: daoId, user_id: userId, member_id: memberId, linked_at: linkedAt, linked_by: linkedBy };
  await db.insertInto('identities').values(row).execute();
}

/** @returns whether the member had this id */
export async function unlinkIdentity(db: Db, daoId: string, memberId: string, userId: string): Promise<boolean> {
  const result = await db
    .deleteFrom('identities')
    .where('dao_id', '=', daoId)
    .where('member_id', '=', memberId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

export async function updateMember(
  db: Db,
  daoId: string,
  id: string,
  changes: { roles?: string[]; name?: string | null },
): Promise<void> {
  await db
    .updateTable('members')
    .set({ ...changes, version: sql<string>`version + 1` })
    .where('dao_id', '=', daoId)
    .where('id', '=', id)
    .execute();
}

export async function removeMember(db: Db, daoId: string, id: string): Promise<void> {
  await db.deleteFrom('members').where('dao_id', '=', daoId).where('id', '=', id).execute();
}

/** The roles that there are in a DAO. */
export const rolesIn = (db: Db, daoId: string): Promise<{ name: string; entitlements: string[] }[]> =>
  db.selectFrom('roles').where('dao_id', '=', daoId).select(['name', 'entitlements']).orderBy('name').execute();

/**
 * Whether a member who can act has one role at least of each group. A key's own principal is nobody who can: with the
 * key it is gone.
 */
export async function someoneHasOneOfEach(
  db: Db,
  daoId: string,
  groups: readonly (readonly string[])[],
): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`select exists (
    select from members m
    where m.dao_id = ${daoId} and ${sql.join(
      groups.map((roles) => sql`m.roles && ${[...roles]}::text[]`),
      sql` and `,
    )} and exists (
      select from identities i
      where i.dao_id = m.dao_id and i.member_id = m.id and not starts_with(i.user_id, ${API_PRINCIPAL_PREFIX})
    )
  ) as found`.execute(db);
  return rows[0]?.found === true;
}

/** Roles of these members, by id; those who are not there are not in it. */
export async function rolesOfMembers(db: Db, daoId: string, ids: readonly string[]): Promise<Map<string, string[]>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('members')
    .where('dao_id', '=', daoId)
    .where('id', 'in', [...ids])
    .select(['id', 'roles'])
    .execute();
  return new Map(rows.map(({ id, roles }) => [id, roles]));
}
