import { sql } from 'kysely';
import type { AccessFacts } from '../../contracts/access.js';
import type { Decision, Mode } from '../../contracts/request.js';
import { PROMPT_HEAD } from '../../contracts/routing.js';
import type { RecordedDecision } from '../../contracts/whatif.js';
import type { Db } from './database.js';
import { guardStore } from './errors.js';

/** Where a page ended: the last decision that it held, or as much of it as tells its place. */
export type DecisionCursor = Pick<RecordedDecision, 'at' | 'id'>;

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
  },
  was: { allowed: true, decision: row.decision },
});

/** Accepted requests with what was decided about them and on what, newest first, from a moment on, behind the cursor. */
export async function decidedRequests(
  db: Db,
  since: Date,
  after: DecisionCursor | undefined,
  limit: number,
): Promise<RecordedDecision[]> {
  // `left` counts code points, of which each is one UTF-16 unit at least: so it never gives less than is needed.
  const { rows } = await guardStore(() =>
    sql<Row>`
      select
        r.id, r.dao_id, r.received_at, r.mode, r.agent, r.source, r.metadata, r.access, r.decision,
        left(t.prompt, ${PROMPT_HEAD}::int) as head, char_length(t.prompt) as length
      from requests r left join turns t on t.request_id = r.id
      where r.received_at >= ${since} and r.access is not null
        and (${after?.at ?? null}::timestamptz is null
          or (r.received_at, r.id) < (${after?.at ?? null}::timestamptz, ${after?.id ?? ''}::text))
      order by r.received_at desc, r.id desc
      limit ${limit}
    `.execute(db),
  );
  return rows.map(toRecorded);
}
