import { sql } from 'kysely';
import type { Role } from '../../contracts/dao.js';
import { guardStore } from './errors.js';
import type { Db, Tenants } from './tenants.js';

/** Roles of a DAO: what they give, and how many have them. */
export class RolesRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Roles by name, behind `after`. */
  async page(daoId: string, { after, limit }: { after: string; limit: number }): Promise<Role[]> {
    return guardStore(() =>
      shown(this.tenants.of(daoId), daoId).where('roles.name', '>', after).orderBy('roles.name').limit(limit).execute(),
    );
  }

  async find(daoId: string, name: string): Promise<Role | undefined> {
    return guardStore(() => findRole(this.tenants.of(daoId), daoId, name));
  }
}

/** Members are counted once for all roles: a DAO may have many of them. */
const shown = (db: Db, daoId: string) =>
  db
    .selectFrom('roles')
    .leftJoin(
      sql<{ role: string; holders: number }>`(
        select role, count(distinct m.id)::int as holders
        from members m, unnest(m.roles) role where m.dao_id = ${daoId} group by role
      )`.as('held'),
      'held.role',
      'roles.name',
    )
    .where('roles.dao_id', '=', daoId)
    .select([
      'roles.name',
      'roles.entitlements',
      'roles.version',
      sql<number>`coalesce(held.holders, 0)`.as('holders'),
    ]);

export const findRole = (db: Db, daoId: string, name: string): Promise<Role | undefined> =>
  shown(db, daoId).where('roles.name', '=', name).executeTakeFirst();

/** Creates a role, or changes what one gives. */
export async function putRole(db: Db, daoId: string, name: string, entitlements: string[]): Promise<void> {
  await db
    .insertInto('roles')
    .values({ dao_id: daoId, name, entitlements })
    .onConflict((conflict) =>
      conflict.columns(['dao_id', 'name']).doUpdateSet({ entitlements, version: sql<string>`roles.version + 1` }),
    )
    .execute();
}

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
