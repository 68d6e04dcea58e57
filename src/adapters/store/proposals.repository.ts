import { sql } from 'kysely';
import type {
  ActionProblem,
  Proposal,
  ProposalAction,
  ProposalReview,
  ProposalRules,
  ProposalSummary,
  Stage,
  Tally,
} from '../../contracts/proposal.js';
import { guardStore } from './errors.js';
import type { Db, Tenants } from './tenants.js';

/** Which proposals to list. */
export interface ProposalFilter {
  /** Those with a lower number; undefined: from the newest one on. */
  below?: number | undefined;
  limit: number;
  stage?: string | undefined;
}

/** What a new proposal says. */
export interface NewProposal {
  author: string;
  title: string;
  text: string;
  actions: readonly ProposalAction[];
  review: ProposalReview | null;
}

/** What becomes of a proposal. */
export interface ProposalChanges {
  title?: string;
  text?: string;
  actions?: readonly ProposalAction[];
  stage?: Stage;
  rules?: ProposalRules;
  opened_at?: Date;
  closes_at?: Date;
  closed_at?: Date;
  execute_at?: Date | null;
  ended_at?: Date;
  due_at?: Date | null;
  result?: Tally;
  failure?: ActionProblem;
  veto_reason?: string;
  review?: ProposalReview | null;
}

/** A proposal, and the database's clock when it was read. */
export interface ProposalNow {
  proposal: Proposal;
  now: Date;
}

const SUMMARY = [
  'n',
  'author',
  'title',
  'stage',
  'rules',
  'created_at',
  'opened_at',
  'closes_at',
  'closed_at',
  'execute_at',
  'ended_at',
  'result',
  'failure',
  'veto_reason',
  'version',
] as const;

const WHOLE = [...SUMMARY, 'text', 'actions', 'review'] as const;

/** Whole milliseconds: that is what a `Date` can say, and comparisons must not depend on what it leaves out. */
const NOW = sql<Date>`date_trunc('milliseconds', clock_timestamp())`;

/** Proposals of DAOs. */
export class ProposalsRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Proposals, the newest ones first. */
  async page(daoId: string, { below, limit, stage }: ProposalFilter): Promise<ProposalSummary[]> {
    return guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('proposals')
        .where('dao_id', '=', daoId)
        .$if(below !== undefined, (query) => query.where('n', '<', below ?? 0))
        .$if(stage !== undefined, (query) => query.where(sql<boolean>`stage = ${stage}`))
        .orderBy('n', 'desc')
        .limit(limit)
        .select([...SUMMARY])
        .execute(),
    );
  }

  async find(daoId: string, n: number): Promise<Proposal | undefined> {
    return guardStore(async () => (await proposalNow(this.tenants.of(daoId), daoId, n))?.proposal);
  }

  /** Proposals of all DAOs for which a clock should have done something so long ago, the longest first. */
  async overdue(seconds: number, limit: number): Promise<{ daoId: string; n: number }[]> {
    return guardStore(() =>
      this.tenants.all
        .selectFrom('proposals')
        .where('due_at', '<', sql<Date>`now() - make_interval(secs => ${seconds})`)
        .orderBy('due_at')
        .limit(limit)
        .select(['dao_id as daoId', 'n'])
        .execute(),
    );
  }
}

/**
 * A proposal as it is, and the database's clock. Within an audited change nobody else can change the proposal after
 * this, and the clock was read when that was so already.
 */
export async function proposalNow(db: Db, daoId: string, n: number): Promise<ProposalNow | undefined> {
  const row = await db
    .selectFrom('proposals')
    .where('dao_id', '=', daoId)
    .where('n', '=', n)
    .select([...WHOLE, NOW.as('now')])
    .executeTakeFirst();
  if (!row) return undefined;
  const { now, ...proposal } = row;
  return { proposal, now };
}

/** Adds a draft under the DAO's next number. Within an audited change. */
export async function insertProposal(
  db: Db,
  daoId: string,
  { actions, review, ...draft }: NewProposal,
): Promise<ProposalNow> {
  const next = sql<number>`(select coalesce(max(p.n), 0) + 1 from proposals p where p.dao_id = ${daoId})`;
  const { now, ...proposal } = await db
    .insertInto('proposals')
    .values({
      ...{ dao_id: daoId, n: next, ...draft, stage: 'draft' },
      actions: JSON.stringify(actions),
      review: review && JSON.stringify(review),
    })
    .returning([...WHOLE, NOW.as('now')])
    .executeTakeFirstOrThrow();
  return { proposal, now };
}

/** How many proposals of an author are open. */
export async function countOpenBy(db: Db, daoId: string, author: string): Promise<number> {
  const row = await db
    .selectFrom('proposals')
    .where('dao_id', '=', daoId)
    .where('author', '=', author)
    .where('stage', '=', 'open')
    .select(sql<number>`count(*)::int`.as('open'))
    .executeTakeFirstOrThrow();
  return row.open;
}

/** @returns the proposal as it is then */
export async function updateProposal(db: Db, daoId: string, n: number, changes: ProposalChanges): Promise<Proposal> {
  const { actions, rules, result, failure, review, ...plain } = changes;
  const given = Object.entries({ actions, rules, result, failure, review }).filter(([, value]) => value !== undefined);
  return db
    .updateTable('proposals')
    .set({
      ...plain,
      ...Object.fromEntries(given.map(([name, value]) => [name, value === null ? null : JSON.stringify(value)])),
      version: sql<string>`version + 1`,
    })
    .where('dao_id', '=', daoId)
    .where('n', '=', n)
    .returning([...WHOLE])
    .executeTakeFirstOrThrow();
}

/** Members by the ids of platforms; ids that are nobody's are not in it. */
export async function membersOfUsers(db: Db, daoId: string, users: readonly string[]): Promise<Map<string, string>> {
  if (users.length === 0) return new Map();
  const rows = await db
    .selectFrom('identities')
    .where('dao_id', '=', daoId)
    .where('user_id', 'in', [...users])
    .select(['user_id', 'member_id'])
    .execute();
  return new Map(rows.map(({ user_id, member_id }) => [user_id, member_id]));
}
