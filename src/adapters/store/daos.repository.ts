import { sql } from 'kysely';
import type { Dao, DaoLimits, DaoProfile, DaoSettings } from '../../contracts/dao.js';
import { guardStore } from './errors.js';
import { addMember } from './members.repository.js';
import type { Db, Tenants } from './tenants.js';

export interface NewDao {
  id: string;
  name: string;
  facts: Readonly<Record<string, string>>;
  profile?: DaoProfile;
  /** Roles by the ids of platforms. */
  members: Readonly<Record<string, readonly string[]>>;
}

/** What becomes of a DAO: whole values, merged by whoever read the old ones. */
export interface DaoChanges {
  name?: string;
  facts?: Record<string, string>;
  profile?: DaoProfile;
  settings?: DaoSettings;
  limits?: DaoLimits;
}

const COLUMNS = ['id', 'name', 'facts', 'profile', 'settings', 'limits', 'version', 'created_at'] as const;

/** DAOs themselves. */
export class DaosRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Creates a DAO with roles and members; one that exists is left as it is. Returns whether it is new. */
  async create(dao: NewDao, roles: Readonly<Record<string, readonly string[]>>): Promise<boolean> {
    return guardStore(() => this.tenants.all.transaction().execute((db) => createDao(db, dao, roles)));
  }

  async find(daoId: string): Promise<Dao | undefined> {
    return guardStore(() => findDao(this.tenants.of(daoId), daoId));
  }

  /** All DAOs by id, behind `after`. */
  async page(after: string, limit: number): Promise<Dao[]> {
    return guardStore(() =>
      this.tenants.all
        .selectFrom('daos')
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .select([...COLUMNS])
        .execute(),
    );
  }
}

/** As `DaosRepository.create`, within a transaction that reaches all DAOs. */
export async function createDao(
  db: Db,
  { id, name, facts, profile = {}, members }: NewDao,
  roles: Readonly<Record<string, readonly string[]>>,
): Promise<boolean> {
  const created = await db
    .insertInto('daos')
    .values({ id, name, facts: JSON.stringify(facts), profile: JSON.stringify(profile) })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!created) return false;
  const rows = Object.entries(roles).map(([role, list]) => ({ dao_id: id, name: role, entitlements: [...list] }));
  if (rows.length > 0) await db.insertInto('roles').values(rows).execute();
  for (const [userId, list] of Object.entries(members)) await addMember(db, id, { userId, roles: [...list] });
  return true;
}

export const findDao = (db: Db, daoId: string): Promise<Dao | undefined> =>
  db
    .selectFrom('daos')
    .where('id', '=', daoId)
    .select([...COLUMNS])
    .executeTakeFirst();

/** @returns the DAO as it is now */
export async function updateDao(db: Db, daoId: string, { name, ...documents }: DaoChanges): Promise<Dao> {
  const texts = Object.fromEntries(Object.entries(documents).map(([key, value]) => [key, JSON.stringify(value)]));
  return db
    .updateTable('daos')
    .set({ ...(name !== undefined && { name }), ...texts, version: sql<string>`version + 1` })
    .where('id', '=', daoId)
    .returning([...COLUMNS])
    .executeTakeFirstOrThrow();
}
