import { sql, type RawBuilder } from 'kysely';
import { withoutWords, type Forgotten } from './forgotten.js';
import type { Db } from './tenants.js';

type Whose = Omit<Forgotten, 'pseudonym'>;

/** Runs that a person started or that are about them, and those that went on from such a one with what it held. */
const runsOf = ({ daoId, userIds }: Whose): RawBuilder<string> => sql`
  with recursive theirs as (
    select run.run_id from crew_runs as run join requests on requests.id = run.run_id
    where run.dao_id = ${daoId}
      and (requests.actor = any (${[...userIds]}::text[]) or run.subject = any (${[...userIds]}::text[]))
    union
    select run.run_id from crew_runs as run join theirs on theirs.run_id = run.base_run where run.dao_id = ${daoId}
  )
  select run_id from theirs`;

/** Gates of others' runs at which a member said something, which may have gone on to whoever works for the run. */
const commentedBy = ({ daoId, pseudonym }: Forgotten): RawBuilder<unknown> => sql`
  select gate.run_id, gate.id, gate.task from crew_gates as gate
  where gate.dao_id = ${daoId} and exists (
    select from crew_decisions as made
    where made.dao_id = ${daoId} and made.run_id = gate.run_id and made.gate = gate.id
      and made.member_id = ${pseudonym} and made.comment is not null
  )`;

/** Runs that have not ended and hold a person's words, the oldest first. */
export async function openRunsOf(db: Db, forgotten: Forgotten, limit: number): Promise<string[]> {
  const { rows } = await sql<{ run_id: string }>`
    select run_id from crew_runs
    where dao_id = ${forgotten.daoId} and ended_at is null and (
      run_id in (${runsOf(forgotten)}) or run_id in (select run_id from (${commentedBy(forgotten)}) as commented)
    )
    order by run_id limit ${limit}
  `.execute(db);
  return rows.map(({ run_id }) => run_id);
}

/**
 * Erases what runs of crews hold of a person: all words of their own and of those about them, and what they said at gates
 * of others. To be done while requests still say who sent them. What a run was, used and came to stays for statistics.
 */
export async function eraseCrews(db: Db, forgotten: Forgotten): Promise<void> {
  await eraseComments(db, forgotten);
  await eraseTurns(db, forgotten);
  await eraseRuns(db, forgotten);
}

/** What a member said at gates, there and where it was handed on to: as notes, and in what models were told. */
async function eraseComments(db: Db, forgotten: Forgotten): Promise<void> {
  const { daoId, userIds, pseudonym } = forgotten;
  const commented = commentedBy(forgotten);
  await sql`
    with commented as (${commented}), gates as (
      update crew_gates as gate set comment = null from commented
      where gate.dao_id = ${daoId} and gate.run_id = commented.run_id and gate.id = commented.id
    ), tasks as (
      update crew_tasks as task set notes = '[]' from commented
      where task.dao_id = ${daoId} and task.run_id = commented.run_id and task.task = commented.task
    )
    update turns set call = null from commented, requests as step
    where step.dao_id = ${daoId} and step.run_id = commented.run_id and step.metadata->>'task' = commented.task
      and turns.dao_id = ${daoId} and turns.request_id = step.id
  `.execute(db);
  // Whoever is no member answers questions of their own run under the id that they came with.
  await sql`
    update crew_decisions set comment = null, output = null, member_id = ${pseudonym}
    where dao_id = ${daoId} and (member_id = ${pseudonym} or member_id = any (${[...userIds]}::text[]))
  `.execute(db);
}

/** What the steps of runs were asked and gave, and the words of their errors. */
async function eraseTurns(db: Db, forgotten: Forgotten): Promise<void> {
  const { daoId } = forgotten;
  const requests = sql`
    select id from requests where dao_id = ${daoId} and coalesce(run_id, id) in (${runsOf(forgotten)})`;
  await sql`delete from turns where dao_id = ${daoId} and request_id in (${requests})`.execute(db);
  await sql`
    update requests set metadata = '{}', error = ${withoutWords}
    where dao_id = ${daoId} and id in (${requests})
  `.execute(db);
}

async function eraseRuns(db: Db, forgotten: Forgotten): Promise<void> {
  const { daoId, userIds, pseudonym } = forgotten;
  await sql`
    with theirs as (${runsOf(forgotten)}), tasks as (
      update crew_tasks set output = null, problem = null, notes = '[]', returned = null
      where dao_id = ${daoId} and run_id in (select run_id from theirs)
    ), gates as (
      update crew_gates set ask = '', shown = '{}', comment = null, output = null
      where dao_id = ${daoId} and run_id in (select run_id from theirs)
    ), decisions as (
      update crew_decisions set comment = null, output = null
      where dao_id = ${daoId} and run_id in (select run_id from theirs)
    )
    update crew_runs set inputs = '{}', result = null,
      subject = case when subject = any (${[...userIds]}::text[]) then ${pseudonym} else subject end
    where dao_id = ${daoId} and run_id in (select run_id from theirs)
  `.execute(db);
}
