import { sql, type RawBuilder } from 'kysely';
import type { News } from '../../contracts/news.js';

/** The same as `CrewGatesRepository.open` shows them: those who may decide at a gate. A guest is named by their id. */
const deciders = (
  daoId: string,
  run: string,
  gate: string,
  { undecided }: { undecided: boolean },
): RawBuilder<unknown> => sql`
  with gate as (
    select g.kind, g.rules, request.actor, starter.member_id as starter, about.member_id as subject, key.owner
    from crew_gates g
    join crew_runs run on run.dao_id = g.dao_id and run.run_id = g.run_id
    join requests request on request.id = g.run_id
    left join identities starter on starter.dao_id = g.dao_id and starter.user_id = request.actor
    left join identities about on about.dao_id = g.dao_id and about.user_id = run.subject
    left join api_keys key on key.id = request.key_id
    where g.dao_id = ${daoId} and g.run_id = ${run} and g.id = ${gate} and (g.state = 'open' or not ${undecided}::boolean)
  ), people as (
    select m.id as who from members m, gate
    where m.dao_id = ${daoId}
      and exists (select from jsonb_array_elements_text(gate.rules -> 'roles') role where role = any (m.roles))
      and not (gate.kind = 'approval' and not (gate.rules ->> 'self')::boolean
        and coalesce(m.id in (gate.starter, gate.subject, gate.owner), false))
    union
    select coalesce(gate.starter, gate.actor) from gate where gate.kind = 'question'
  )
  select who from people where not ${undecided}::boolean or not exists (
    select from crew_decisions made join crew_gates g on g.run_id = made.run_id and g.id = made.gate
    where made.dao_id = ${daoId} and made.run_id = ${run} and made.gate = ${gate} and made.member_id = people.who
      and made.revision = g.revision
  )`;

const electors = (daoId: string, n: number): RawBuilder<unknown> =>
  sql`select member_id as who from electors where dao_id = ${daoId} and n = ${n}`;

/** A statement that names whom news is for, as members, or by the id of a platform where they are none. */
export function recipientsOf(news: News): RawBuilder<unknown> {
  const { daoId } = news;
  switch (news.kind) {
    case 'gate_asked':
    case 'gate_reminded':
      return deciders(daoId, news.data.run, news.data.gate, { undecided: true });
    case 'gate_expired':
      return deciders(daoId, news.data.run, news.data.gate, { undecided: false });
    case 'run_ended':
      return sql`
        select coalesce(i.member_id, run.subject) as who from crew_runs run
        left join identities i on i.dao_id = run.dao_id and i.user_id = run.subject
        where run.dao_id = ${daoId} and run.run_id = ${news.data.run} and run.subject is not null`;
    case 'proposal_opened':
      return electors(daoId, news.data.n);
    case 'proposal_reminder':
      return sql`${electors(daoId, news.data.n)} and not exists (
        select from ballots b where b.dao_id = electors.dao_id and b.n = electors.n and b.member_id = electors.member_id
      )`;
    case 'proposal_closed':
    case 'proposal_vetoed':
    case 'proposal_failed':
      return sql`${electors(daoId, news.data.n)}
        union select author from proposals where dao_id = ${daoId} and n = ${news.data.n}`;
    case 'role_given':
      return sql`select ${news.data.member}::text as who`;
    case 'invitation_redeemed':
      return sql`select ${news.data.by}::text as who`;
  }
}

/** A statement that names those for whom a message about news still is, whatever has become of what it tells. */
export function holdersOf(news: News): RawBuilder<unknown> {
  const { daoId } = news;
  switch (news.kind) {
    case 'gate_asked':
    case 'gate_reminded':
    case 'gate_expired':
      return deciders(daoId, news.data.run, news.data.gate, { undecided: false });
    default:
      return sql`select id as who from members where dao_id = ${daoId}`;
  }
}
