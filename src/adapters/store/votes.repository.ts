import { sql, type RawBuilder } from 'kysely';
import type { DaoSettings, LinkedBy } from '../../contracts/dao.js';
import type { Ballot, Elector, ProposalRules } from '../../contracts/proposal.js';
import { guardStore } from './errors.js';
import type { Db, Tenants } from './tenants.js';

/** Somebody who may cast a ballot, or not. */
export interface FoundVoter {
  member: string;
  /** Since when the id that acts is the member's. */
  linkedAt: Date;
  linkedBy: LinkedBy;
  isElector: boolean;
  /** How many ballots the member has cast on the proposal. */
  revisions: number;
}

/** Which ballots to list. */
export interface BallotFilter {
  /** Behind this one. */
  after: { voter: string; revision: number };
  limit: number;
  /** Those that were changed later, too. */
  changed: boolean;
}

const BALLOT = ['member_id as voter', 'revision', 'choice', 'salt', 'commitment', 'cast_at'] as const;

/** Who may vote on proposals, and how they voted. */
export class VotesRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Who may vote on a proposal, by id behind `after`. */
  async electors(daoId: string, n: number, after: string, limit: number): Promise<Elector[]> {
    return guardStore(() => electorsOf(this.tenants.of(daoId), daoId, n, after, limit));
  }

  /** Ballots by voter and revision. */
  async ballots(daoId: string, n: number, { after, limit, changed }: BallotFilter): Promise<Ballot[]> {
    return guardStore(() =>
      ballotsOf(this.tenants.of(daoId), daoId, n)
        .where(sql<boolean>`(b.member_id, b.revision) > (${after.voter}, ${after.revision}::int)`)
        .$if(!changed, (query) => query.where(isLast))
        .limit(limit)
        .execute(),
    );
  }

  /** Everything that is counted: all who may vote, and all ballots. */
  async counted(daoId: string, n: number): Promise<{ electors: Elector[]; ballots: Ballot[] }> {
    return guardStore(() => countedOf(this.tenants.of(daoId), daoId, n));
  }
}

const isLast = sql<boolean>`b.revision = (
  select max(l.revision) from ballots l where l.dao_id = b.dao_id and l.n = b.n and l.member_id = b.member_id
)`;

const ballotsOf = (db: Db, daoId: string, n: number) =>
  db
    .selectFrom('ballots as b')
    .where('b.dao_id', '=', daoId)
    .where('b.n', '=', n)
    .orderBy('b.member_id')
    .orderBy('b.revision')
    .select([...BALLOT]);

async function electorsOf(db: Db, daoId: string, n: number, after = '', limit?: number): Promise<Elector[]> {
  const rows = await db
    .selectFrom('electors')
    .where('dao_id', '=', daoId)
    .where('n', '=', n)
    .where('member_id', '>', after)
    .orderBy('member_id')
    .$if(limit !== undefined, (query) => query.limit(limit ?? 0))
    .select(['member_id as member', 'weight', 'delegate_id as delegate'])
    .execute();
  return rows.map(({ weight, ...rest }) => ({ ...rest, weight: Number(weight) }));
}

/** As `VotesRepository.counted`, within a change. */
export async function countedOf(db: Db, daoId: string, n: number): Promise<{ electors: Elector[]; ballots: Ballot[] }> {
  return { electors: await electorsOf(db, daoId, n), ballots: await ballotsOf(db, daoId, n).execute() };
}

/** Weight of a member's ballot. A role that has no weight counts as one; a member that a table does not list has none. */
function weightIn(weights: ProposalRules['weights'], settings: DaoSettings): RawBuilder<number> {
  switch (weights) {
    case 'equal':
      return sql`1::numeric`;
    case 'by_role':
      return sql`(
        select max(coalesce((${JSON.stringify(settings.role_weights)}::jsonb ->> role)::numeric, 1))
        from unnest(m.roles) role
      )`;
    case 'table':
      return sql`(${JSON.stringify(settings.member_weights)}::jsonb ->> m.id)::numeric`;
  }
}

/**
 * Writes down who may vote on a proposal, in one statement: members with the right, an id and a weight above zero, and
 * to whom they have delegated. A delegation to somebody who may not vote counts for nothing.
 * @returns how many may vote
 */
export async function takeElectorate(
  db: Db,
  daoId: string,
  n: number,
  weights: ProposalRules['weights'],
  settings: DaoSettings,
): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into electors (dao_id, n, member_id, weight, delegate_id)
    select ${daoId}, ${n}::int, v.id, v.weight, d.delegate_id
    from (
      select m.id, round(${weightIn(weights, settings)}, 6) as weight
      from members m
      where m.dao_id = ${daoId}
        and exists (select from identities i where i.dao_id = m.dao_id and i.member_id = m.id)
        and exists (
          select from roles r
          where r.dao_id = m.dao_id and r.name = any (m.roles) and 'proposal.vote' = any (r.entitlements)
        )
    ) v
    left join delegations d on d.dao_id = ${daoId} and d.member_id = v.id
    where v.weight > 0
  `.execute(db);
  await cutDelegations(db, daoId, n);
  return Number(numAffectedRows ?? 0n);
}

/**
 * Looks every delegate up by the whole key. Put as a join, or as a condition, it is planned for the one row that nobody
 * has counted yet, and takes seconds for thousands.
 */
async function cutDelegations(db: Db, daoId: string, n: number): Promise<void> {
  await sql`
    update electors e set delegate_id = (
      select t.member_id from electors t where t.dao_id = e.dao_id and t.n = e.n and t.member_id = e.delegate_id
    )
    where e.dao_id = ${daoId} and e.n = ${n}::int and e.delegate_id is not null
  `.execute(db);
}

/** Who acts under an id of a platform, as a voter on a proposal; undefined: no member. */
export async function findVoter(db: Db, daoId: string, n: number, userId: string): Promise<FoundVoter | undefined> {
  const { rows } = await sql<FoundVoter>`
    select i.member_id as member, i.linked_at as "linkedAt", i.linked_by as "linkedBy",
      e.member_id is not null as "isElector",
      (select count(*)::int from ballots b where b.dao_id = i.dao_id and b.n = ${n}::int and b.member_id = i.member_id)
        as revisions
    from identities i
    left join electors e on e.dao_id = i.dao_id and e.n = ${n}::int and e.member_id = i.member_id
    where i.dao_id = ${daoId} and i.user_id = ${userId}
  `.execute(db);
  return rows[0];
}

/** How and when an id became its member's, and the database's clock; undefined: it is nobody's. */
export async function findLink(
  db: Db,
  daoId: string,
  userId: string,
): Promise<{ linkedAt: Date; linkedBy: LinkedBy; now: Date } | undefined> {
  return db
    .selectFrom('identities')
    .where('dao_id', '=', daoId)
    .where('user_id', '=', userId)
    .select(['linked_at as linkedAt', 'linked_by as linkedBy', sql<Date>`clock_timestamp()`.as('now')])
    .executeTakeFirst();
}

/** The ballot of a voter that a client gave this id. */
export const findBallot = (
  db: Db,
  daoId: string,
  n: number,
  voter: string,
  ballotId: string,
): Promise<Ballot | undefined> =>
  ballotsOf(db, daoId, n).where('b.member_id', '=', voter).where('b.ballot_id', '=', ballotId).executeTakeFirst();

/** Whether anybody has voted on a proposal. */
export async function hasBallots(db: Db, daoId: string, n: number): Promise<boolean> {
  return (await ballotsOf(db, daoId, n).limit(1).executeTakeFirst()) !== undefined;
}

export async function insertBallot(
  db: Db,
  daoId: string,
  n: number,
  { voter, ...ballot }: Ballot,
  ballotId: string | undefined,
): Promise<void> {
  const row = { dao_id: daoId, n, member_id: voter, ballot_id: ballotId ?? null, ...ballot };
  await db.insertInto('ballots').values(row).execute();
}
