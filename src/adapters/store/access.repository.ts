import { sql, type RawBuilder } from 'kysely';
import { LRUCache } from 'lru-cache';
import { KEY_SEEN_MS, type AccessFacts, type DaoSeen } from '../../contracts/access.js';
import type { DaoLimits } from '../../contracts/dao.js';
import { GUEST_ROLE } from '../../contracts/access.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** What the rights of one person in one DAO follow from. */
export interface Person {
  dao: { id: string; name: string };
  /** What the platform has given to the DAO. */
  limits: DaoLimits;
  /** Id of the member; null for a guest. */
  member: string | null;
  roles: AccessFacts['roles'];
}

type Known = Pick<Person, 'member' | 'roles'> & { stamp: string };

interface Row {
  id: string;
  name: string;
  limits: DaoLimits;
  stamp: string;
  person: Pick<Person, 'member' | 'roles'> | null;
}

/** Persons whose rights a process remembers. */
const REMEMBERED = 20_000;

/**
 * Who is what in a DAO. What a process remembers of a person is confirmed by the database with each call, in the statement
 * that would fetch it or in the one that found the key: a role that was revoked is gone with the next call, in every
 * process.
 */
export class AccessRepository {
  private readonly known = new LRUCache<string, Known>({ max: REMEMBERED });

  constructor(private readonly tenants: Tenants) {}

  /**
   * Whoever has this id of a platform.
   * @param seen the DAO as this very call saw it: a person who is known as of then need not be asked about again
   * @returns undefined if there is no such DAO
   */
  byUser(daoId: string, userId: string, seen?: DaoSeen): Promise<Person | undefined> {
    const found = sql`
      select i.member_id as id from identities i where i.dao_id = ${daoId} and i.user_id = ${userId}
    `;
    return this.person(daoId, `u ${userId}`, found, seen);
  }

  /** A member by its own id; one that is gone is a guest. For the rest see `byUser`. */
  byMember(daoId: string, memberId: string, seen?: DaoSeen): Promise<Person | undefined> {
    return this.person(daoId, `m ${memberId}`, sql`select ${memberId}::text as id`, seen);
  }

  /** All roles that there are in a DAO. */
  async rolesOf(daoId: string): Promise<AccessFacts['roles']> {
    return guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('roles')
        .where('dao_id', '=', daoId)
        .select(['name', 'entitlements'])
        .orderBy('name')
        .execute(),
    );
  }

  /** Whether a principal rules over the whole installation. */
  async hasPlatformGrant(principal: string): Promise<boolean> {
    const row = await guardStore(() =>
      this.tenants.vital
        .selectFrom('platform_grants')
        .where('principal', '=', principal)
        .select('principal')
        .executeTakeFirst(),
    );
    return row !== undefined;
  }

  async grantPlatform(principal: string): Promise<void> {
    await guardStore(() =>
      this.tenants.all
        .insertInto('platform_grants')
        .values({ principal })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    );
  }

  private async person(
    daoId: string,
    as: string,
    found: RawBuilder<unknown>,
    seen: DaoSeen | undefined,
  ): Promise<Person | undefined> {
    const slot = `${daoId} ${as}`;
    const known = this.known.get(slot);
    if (known && seen?.id === daoId && seen.stamp === known.stamp && performance.now() - seen.at < KEY_SEEN_MS) {
      const { id, name, limits } = seen;
      return { dao: { id, name }, limits, member: known.member, roles: known.roles };
    }
    const row = await guardStore(async () => {
      const query = personUnless(daoId, known?.stamp ?? '', found);
      return (await query.execute(this.tenants.of(daoId))).rows[0];
    });
    if (!row) return undefined;
    const { id, name, limits, stamp } = row;
    const { member, roles } = row.person ?? known ?? NOBODY;
    if (row.person) this.known.set(slot, { member, roles, stamp });
    return { dao: { id, name }, limits, member, roles };
  }
}

const NOBODY = { member: null, roles: [] };

/**
 * A DAO, and a person of it unless the stamp is still the one that is known. A member without roles is a guest, not
 * less.
 */
const personUnless = (daoId: string, stamp: string, found: RawBuilder<unknown>): RawBuilder<Row> => sql<Row>`
  select d.id, d.name, d.limits, d.access_stamp::text as stamp,
    case when d.access_stamp::text = ${stamp} then null else (
      select jsonb_build_object('member', m.id, 'roles', (
        select coalesce(jsonb_agg(jsonb_build_object('name', r.name, 'entitlements', r.entitlements) order by r.name), '[]')
        from roles r
        where r.dao_id = ${daoId} and r.name = any (coalesce(nullif(m.roles, '{}'), array[${GUEST_ROLE}]))
      ))
      from (select 1) one
      left join (${found}) f on true
      left join members m on m.dao_id = ${daoId} and m.id = f.id
    ) end as person
  from daos d
  where d.id = ${daoId}
`;
