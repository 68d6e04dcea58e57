import { sql, type Selectable } from 'kysely';
import { guardStore } from './errors.js';
import type { InvitationsTable } from './schema.js';
import type { Db, Tenants } from './tenants.js';

/** An invitation, or (with a member) a code that links a second id to that member. */
export type Invitation = Omit<Selectable<InvitationsTable>, 'hash'> & { pending: boolean };

/** What an invitation is made of. */
export interface NewInvitation {
  id: string;
  /** Of the secret; null where a named user needs none. */
  hash: string | null;
  user_id: string | null;
  member_id: string | null;
  roles: string[];
  uses_left: number;
  created_by: string;
  /** How long it can be taken, in seconds. */
  seconds: number;
}

/** By what an invitation is found: the hash of its secret, or whom it names. */
export type InvitationKey = { hash: string } | { userId: string };

/** Ended ones are kept for so long, so that whoever is late hears why, in days. */
const KEPT_DAYS = 30;

const pending = sql<boolean>`uses_left > 0 and expires_at > clock_timestamp()`;
const COLUMNS = [
  'dao_id',
  'id',
  'user_id',
  'member_id',
  'roles',
  'uses_left',
  'expires_at',
  'created_by',
  'created_at',
] as const;

const of = (db: Db, daoId: string) =>
  db
    .selectFrom('invitations')
    .where('dao_id', '=', daoId)
    .select([...COLUMNS])
    .select(pending.as('pending'));

/** Invitations of a DAO. */
export class InvitationsRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Those that can still be taken, by id behind `after`; codes that link ids are their members' own matter. */
  async page(daoId: string, after: string, limit: number): Promise<Invitation[]> {
    return guardStore(() =>
      of(this.tenants.of(daoId), daoId)
        .where('member_id', 'is', null)
        .where(pending)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute(),
    );
  }
}

/** Adds an invitation, and forgets those that ended long ago. */
export async function addInvitation(db: Db, daoId: string, { seconds, ...fields }: NewInvitation): Promise<Invitation> {
  await db
    .deleteFrom('invitations')
    .where('dao_id', '=', daoId)
    .where('expires_at', '<', sql<Date>`now() - make_interval(days => ${KEPT_DAYS})`)
    .execute();
  return db
    .insertInto('invitations')
    .values({ ...fields, dao_id: daoId, expires_at: sql<Date>`clock_timestamp() + make_interval(secs => ${seconds})` })
    .returning([...COLUMNS])
    .returning(pending.as('pending'))
    .executeTakeFirstOrThrow();
}

/** How many invitations of a DAO can be taken at this moment. */
export async function countOpenInvitations(db: Db, daoId: string): Promise<number> {
  const { count } = await db
    .selectFrom('invitations')
    .where('dao_id', '=', daoId)
    .where('member_id', 'is', null)
    .where(pending)
    .select(({ fn }) => fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** The invitation of this secret, or the newest one for this user, those that can still be taken first. */
export function findInvitation(db: Db, daoId: string, key: InvitationKey): Promise<Invitation | undefined> {
  const found =
    'hash' in key ? of(db, daoId).where('hash', '=', key.hash) : of(db, daoId).where('user_id', '=', key.userId);
  return found.orderBy(pending, 'desc').orderBy('created_at', 'desc').limit(1).executeTakeFirst();
}

/** Uses an invitation once. @returns whether it could still be used */
export async function useInvitation(db: Db, daoId: string, id: string): Promise<boolean> {
  const result = await db
    .updateTable('invitations')
    .set({ uses_left: sql<number>`uses_left - 1` })
    .where('dao_id', '=', daoId)
    .where('id', '=', id)
    .where(pending)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** @returns whether it was there */
export async function removeInvitation(db: Db, daoId: string, id: string): Promise<boolean> {
  const result = await db
    .deleteFrom('invitations')
    .where('dao_id', '=', daoId)
    .where('id', '=', id)
    .where('member_id', 'is', null)
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** Takes back the codes by which a member would link another id. */
export async function removeLinkCodes(db: Db, daoId: string, memberId: string): Promise<void> {
  await db.deleteFrom('invitations').where('dao_id', '=', daoId).where('member_id', '=', memberId).execute();
}

/** Takes back named invitations for these users, and everything that a member has invited to. */
export async function removeInvitationsOf(
  db: Db,
  daoId: string,
  userIds: readonly string[],
  memberId: string | undefined,
): Promise<void> {
  await db
    .deleteFrom('invitations')
    .where('dao_id', '=', daoId)
    .where((eb) =>
      eb.or([
        sql<boolean>`user_id = any (${[...userIds]}::text[])`,
        ...(memberId === undefined ? [] : [eb('member_id', '=', memberId), eb('created_by', '=', memberId)]),
      ]),
    )
    .execute();
}
