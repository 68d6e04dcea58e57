import { sql, type RawBuilder } from 'kysely';
import type { AccessFacts } from '../../contracts/access.js';
import type { Decision, Mode } from '../../contracts/request.js';
import { PROMPT_HEAD } from '../../contracts/routing.js';
import type { RecordedDecision } from '../../contracts/whatif.js';
import type { Db } from './tenants.js';
import { guardStore } from './errors.js';

/**
 * A place in the dealt order: the newest decision of each DAO, then the second of each, and so on. So a DAO that has
 * many of them pushes out none of another. What came later than `until` has no part in it: between two pages it would
 * move all others.
 */
export interface DealtPlace {
  /** How many decisions come before. */
  before: number;
  until: Date;
}

/** Where a page ended: the last decision that it held, or as much of it as tells its place. */
export type DecisionCursor = Pick<RecordedDecision, 'at' | 'id'> | DealtPlace;

interface Row {
  id: string;
  dao_id: string;
  received_at: Date;
  mode: Mode;
  agent: string | null;
  source: string | null;
  metadata: Record<string, unknown>;
  access: AccessFacts;
  decision: Decision;
  head: string | null;
  length: number | null;
  model: string | null;
}

/** As much of a prompt as rules look at, exactly as it was seen when the request was decided. */
const headOf = (prompt: string): string => prompt.slice(0, PROMPT_HEAD).toWellFormed();

const toRecorded = (row: Row): RecordedDecision => ({
  id: row.id,
  daoId: row.dao_id,
  at: row.received_at,
  inputs: {
    mode: row.mode,
    agent: row.agent ?? undefined,
    source: row.source ?? undefined,
    metadata: row.metadata,
    promptHead: row.head === null ? undefined : headOf(row.head),
    promptLength: row.length ?? 0,
    access: row.access,
    model: row.model ?? undefined,
    ...(row.decision.crew && { crew: row.decision.crew }),
  },
  was: { allowed: true, decision: row.decision },
});

// `left` counts code points, of which each is one UTF-16 unit at least: so it never gives less than is needed.
const COLUMNS = sql`
  r.id, r.dao_id, r.received_at, r.mode, r.agent, r.source, r.metadata, r.access, r.decision, r.model,
  left(t.prompt, ${PROMPT_HEAD}::int) as head, char_length(t.prompt) as length
`;

/**
 * Accepted requests with what was decided about them and on what, from a moment on, behind the cursor: newest first,
 * or dealt over the DAOs where the cursor is a place in that order.
 */
export async function decidedRequests(
  db: Db,
  since: Date,
  after: DecisionCursor | undefined,
  limit: number,
): Promise<RecordedDecision[]> {
  const query = after && 'before' in after ? dealt(since, after, limit) : newest(since, after, limit);
  const { rows } = await guardStore(() => query.execute(db));
  return rows.map(toRecorded);
}

type Last = Exclude<DecisionCursor, DealtPlace> | undefined;

const newest = (since: Date, after: Last, limit: number): RawBuilder<Row> => sql<Row>`
  select ${COLUMNS}
  from requests r left join turns t on t.request_id = r.id
  where r.received_at >= ${since} and r.access is not null
    and (${after?.at ?? null}::timestamptz is null
      or (r.received_at, r.id) < (${after?.at ?? null}::timestamptz, ${after?.id ?? ''}::text))
  order by r.received_at desc, r.id desc
  limit ${limit}
`;

/** Of each DAO only as many are looked at as could be on the page, and texts only of those that are. */
const dealt = (since: Date, { before, until }: DealtPlace, limit: number): RawBuilder<Row> => sql<Row>`
  with page as materialized (
    select one.id, one.rank
    from daos d cross join lateral (
      select own.id, own.received_at, row_number() over (order by own.received_at desc, own.id desc) as rank
      from (
        select id, received_at from requests
        where dao_id = d.id and received_at >= ${since} and received_at <= ${until} and access is not null
        order by received_at desc, id desc
        limit ${before + limit}
      ) own
    ) one
    order by one.rank, one.received_at desc, one.id desc
    limit ${limit} offset ${before}
  )
  select ${COLUMNS}
  from page p join requests r on r.id = p.id left join turns t on t.request_id = r.id
  order by p.rank, r.received_at desc, r.id desc
`;
