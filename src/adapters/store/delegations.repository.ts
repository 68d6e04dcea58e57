import { sql } from 'kysely';
import type { Delegation } from '../../contracts/proposal.js';
import { guardStore } from './errors.js';
import type { Db, Tenants } from './tenants.js';

/** To whom members give their votes. */
export class DelegationsRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Delegations by whose they are, behind `after`. */
  async page(daoId: string, after: string, limit: number): Promise<Delegation[]> {
    return guardStore(() =>
      shown(this.tenants.of(daoId), daoId).where('member_id', '>', after).orderBy('member_id').limit(limit).execute(),
    );
  }

  /** What a member has delegated. */
  async of(daoId: string, member: string): Promise<Delegation | undefined> {
    return guardStore(() => shown(this.tenants.of(daoId), daoId).where('member_id', '=', member).executeTakeFirst());
  }
}

const shown = (db: Db, daoId: string) =>
  db.selectFrom('delegations').where('dao_id', '=', daoId).select(['member_id as from', 'delegate_id as to', 'since']);

/** The delegations that lead on from a member, each link once. */
export async function delegationsFrom(db: Db, daoId: string, member: string): Promise<Map<string, string>> {
  const { rows } = await sql<{ from: string; to: string }>`
    with recursive chain as (
      select member_id, delegate_id from delegations where dao_id = ${daoId} and member_id = ${member}
      union
      select d.member_id, d.delegate_id
      from chain c join delegations d on d.dao_id = ${daoId} and d.member_id = c.delegate_id
    )
    select member_id as "from", delegate_id as "to" from chain
  `.execute(db);
  return new Map(rows.map(({ from, to }) => [from, to]));
}

export async function putDelegation(db: Db, daoId: string, from: string, to: string): Promise<Delegation> {
  return db
    .insertInto('delegations')
    .values({ dao_id: daoId, member_id: from, delegate_id: to })
    .onConflict((conflict) =>
      conflict.columns(['dao_id', 'member_id']).doUpdateSet({ delegate_id: to, since: sql<Date>`clock_timestamp()` }),
    )
    .returning(['member_id as from', 'delegate_id as to', 'since'])
    .executeTakeFirstOrThrow();
}

/** @returns whether there was one */
export async function removeDelegation(db: Db, daoId: string, from: string): Promise<boolean> {
  const result = await db
    .deleteFrom('delegations')
    .where('dao_id', '=', daoId)
    .where('member_id', '=', from)
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}
