import { sql } from 'kysely';
import type { Role } from '../../contracts/dao.js';
import { guardStore } from './errors.js';
import type { Db, Tenants } from './tenants.js';

/** A role as it is kept; who has it, members say. */
export type KeptRole = Omit<Role, 'holders'>;

/** Roles of a DAO: what they give, and how many have them. */
export class RolesRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Roles by name, behind `after`. */
  async page(daoId: string, { after, limit }: { after: string; limit: number }): Promise<KeptRole[]> {
    return guardStore(() =>
      kept(this.tenants.of(daoId), daoId).where('name', '>', after).orderBy('name').limit(limit).execute(),
    );
  }

  async find(daoId: string, name: string): Promise<KeptRole | undefined> {
    return guardStore(() => findRole(this.tenants.of(daoId), daoId, name));
  }

  /** How many members have each role; roles that nobody has are not in it. */
  async holders(daoId: string): Promise<Map<string, number>> {
    const { rows } = await guardStore(() => holdersByRole(daoId).execute(this.tenants.of(daoId)));
    return new Map(rows.map(({ role, holders }) => [role, holders]));
  }

  /** How many members have a role. */
  async holdersOf(daoId: string, name: string): Promise<number> {
    return guardStore(() => countHolders(this.tenants.of(daoId), daoId, name));
  }
}

const kept = (db: Db, daoId: string) =>
  db.selectFrom('roles').where('dao_id', '=', daoId).select(['name', 'entitlements', 'version']);

/** Few combinations of roles are held by many members: those are counted first, and only then taken apart. */
const holdersByRole = (daoId: string) => sql<{ role: string; holders: number }>`
  select held.role, sum(sets.members)::int as holders
  from (select m.roles, count(*) as members from members m where m.dao_id = ${daoId} group by m.roles) sets,
    lateral (select distinct unnest(sets.roles) as role) held
  group by held.role`;

export const findRole = (db: Db, daoId: string, name: string): Promise<KeptRole | undefined> =>
  kept(db, daoId).where('name', '=', name).executeTakeFirst();

export async function countHolders(db: Db, daoId: string, role: string): Promise<number> {
  const row = await db
    .selectFrom('members')
    .where('dao_id', '=', daoId)
    .where(sql<boolean>`${role} = any (members.roles)`)
    .select(sql<number>`count(*)::int`.as('holders'))
    .executeTakeFirstOrThrow();
  return row.holders;
}

/**
 * Creates a role, or changes what one gives. Within an audited change.
 * @returns the role as it is then
 */
export async function putRole(db: Db, daoId: string, name: string, entitlements: string[]): Promise<KeptRole> {
  return db
    .insertInto('roles')
    .values({ dao_id: daoId, name, entitlements, version: firstVersion(daoId) })
    .onConflict((conflict) =>
      conflict.columns(['dao_id', 'name']).doUpdateSet({ entitlements, version: sql<string>`roles.version + 1` }),
    )
    .returning(['name', 'entitlements', 'version'])
    .executeTakeFirstOrThrow();
}

/**
 * A version that no role of this name had: each change of one is a row of the DAO's record, so none has come further
 * than that has. Who saw a role that was deleted since must not take a new one for it.
 */
const firstVersion = (daoId: string) =>
  sql<string>`coalesce((select c.seq from audit_chains c where c.chain = ${daoId}), 0) + 1`;

export async function deleteRole(db: Db, daoId: string, name: string): Promise<void> {
  await db.deleteFrom('roles').where('dao_id', '=', daoId).where('name', '=', name).execute();
}

/** How many invitations that can still be taken up give a role. */
export async function countInvitations(db: Db, daoId: string, role: string): Promise<number> {
  const row = await db
    .selectFrom('invitations')
    .where('dao_id', '=', daoId)
    .where(sql<boolean>`${role} = any (invitations.roles)`)
    .where('uses_left', '>', 0)
    .where('expires_at', '>', sql<Date>`now()`)
    .select(sql<number>`count(*)::int`.as('open'))
    .executeTakeFirstOrThrow();
  return row.open;
}
