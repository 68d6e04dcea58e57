import { sql } from 'kysely';
import type { AccessFacts } from '../../contracts/access.js';
import { GUEST_ROLE } from '../../contracts/access.js';
import type { Db } from './database.js';
import { guardStore } from './errors.js';

export interface NewDao {
  id: string;
  name: string;
  facts: Readonly<Record<string, string>>;
  members: Readonly<Record<string, readonly string[]>>;
}

/** DAOs, roles and members. */
export class AccessRepository {
  constructor(private readonly db: Db) {}

  /**
   * Everything about one person's access to one DAO, in one query.
   * @param platformAdmin whether to look for a platform grant: only for a key's own principal, never for a named user
   * @returns undefined if there is no such DAO
   */
  async facts(daoId: string, userId: string, platformAdmin: boolean): Promise<AccessFacts | undefined> {
    const row = await guardStore(() =>
      this.db
        .selectFrom('daos')
        .leftJoin('members', (join) => join.onRef('members.dao_id', '=', 'daos.id').on('members.user_id', '=', userId))
        .where('daos.id', '=', daoId)
        .select(['daos.id', 'daos.name'])
        .select((eb) => [
          sql<AccessFacts['roles']>`(
            select coalesce(jsonb_agg(jsonb_build_object('name', r.name, 'entitlements', r.entitlements) order by r.name), '[]')
            from roles r
            where r.dao_id = daos.id and r.name = any (coalesce(members.roles, array[${GUEST_ROLE}]))
          )`.as('roles'),
          eb.exists(eb.selectFrom('platform_grants').where('principal', '=', userId).select('principal')).as('granted'),
        ])
        .executeTakeFirst(),
    );
    if (!row) return undefined;
    const { id, name, roles } = row;
    return { dao: { id, name }, roles, platformAdmin: platformAdmin && Boolean(row.granted) };
  }

  /** All roles that there are in a DAO. */
  async rolesOf(daoId: string): Promise<AccessFacts['roles']> {
    return guardStore(() =>
      this.db
        .selectFrom('roles')
        .where('dao_id', '=', daoId)
        .select(['name', 'entitlements'])
        .orderBy('name')
        .execute(),
    );
  }

  /** Creates a DAO with roles and members; one that exists is left as it is. Returns whether it is new. */
  async createDao(dao: NewDao, roles: Readonly<Record<string, readonly string[]>>): Promise<boolean> {
    return this.db.transaction().execute(async (trx) => {
      const created = await trx
        .insertInto('daos')
        .values({ id: dao.id, name: dao.name, facts: JSON.stringify(dao.facts) })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('id')
        .executeTakeFirst();
      if (!created) return false;
      const roleRows = Object.entries(roles).map(([name, list]) => ({ dao_id: dao.id, name, entitlements: [...list] }));
      if (roleRows.length > 0) await trx.insertInto('roles').values(roleRows).execute();
      const memberRows = Object.entries(dao.members).map(([user, list]) => ({
        dao_id: dao.id,
        user_id: user,
        roles: [...list],
      }));
      if (memberRows.length > 0) await trx.insertInto('members').values(memberRows).execute();
      return true;
    });
  }

  /** Whether a principal rules over the whole installation. */
  async hasPlatformGrant(principal: string): Promise<boolean> {
    const row = await guardStore(() =>
      this.db.selectFrom('platform_grants').where('principal', '=', principal).select('principal').executeTakeFirst(),
    );
    return row !== undefined;
  }

  async grantPlatform(principal: string): Promise<void> {
    await this.db
      .insertInto('platform_grants')
      .values({ principal })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}
