import { sql } from 'kysely';
import type { GateDecision, GateKind, GateState } from '../../contracts/crew.js';
import type { GateRules } from '../../contracts/crew-run.js';
import type { SeenGate, SeenRun } from '../../contracts/crew-view.js';
import type { RecordedRun } from './crew-views.repository.js';
import { guardStore } from './errors.js';
import type { RunPlace } from './crew-steps.js';
import type { Db, Tenants } from './tenants.js';

/** A decided gate is looked for so long after it was decided whose run has not seen it, in seconds. */
const UNSEEN_SECONDS = 5;
const MOST = 200;

/** A gate while nobody else can change it. */
export interface GateNow {
  id: string;
  kind: GateKind;
  task: string | null;
  state: GateState;
  shown: Record<string, unknown>;
  rules: GateRules;
  revision: number;
  /** As people have changed it; null: as it was made. */
  output: Record<string, unknown> | null;
  askedAt: Date;
  expiresAt: Date;
  now: Date;
  /** Of what is shown now. */
  decisions: (GateDecision & { member: string })[];
}

/** An open gate, with as much of its run as tells who may decide. */
export type OpenGate = SeenGate & {
  run: Pick<SeenRun, 'run_id' | 'crew' | 'started_by' | 'starter' | 'subject'> &
    Pick<RecordedRun, 'answers' | 'subject_member'>;
};

/** Whoever asks what is asked of them. */
export interface GateReader {
  actor: string;
  member: string | undefined;
  roles: readonly string[];
}

export type GatePlace = RunPlace & { gate: string };

/** Who is asked what by runs of crews. */
export class CrewGatesRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Open gates of a DAO that somebody may decide by their roles, or as whoever started the run; the oldest first. */
  async open(daoId: string, { actor, member, roles }: GateReader): Promise<OpenGate[]> {
    const theirs = sql<boolean>`(gate.rules -> 'roles' ?| ${roles}::text[] or (gate.kind = 'question'
      and (request.actor = ${actor} or identity.member_id = ${member ?? null})))`;
    const own = sql<boolean>`(gate.kind = 'approval' and not (gate.rules ->> 'self')::boolean
      and coalesce(${member ?? null} in (identity.member_id, about.member_id, key.owner), false))`;
    const rows = await guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('crew_gates as gate')
        .innerJoin('crew_runs as run', 'run.run_id', 'gate.run_id')
        .innerJoin('requests as request', 'request.id', 'run.run_id')
        .leftJoin('identities as identity', (join) =>
          join.onRef('identity.dao_id', '=', 'run.dao_id').onRef('identity.user_id', '=', 'request.actor'),
        )
        .leftJoin('identities as about', (join) =>
          join.onRef('about.dao_id', '=', 'run.dao_id').onRef('about.user_id', '=', 'run.subject'),
        )
        .leftJoin('api_keys as key', 'key.id', 'request.key_id')
        .where('gate.dao_id', '=', daoId)
        .where('gate.state', '=', 'open')
        .where('run.ended_at', 'is', null)
        .where(theirs)
        .where((eb) => eb.not(own))
        .orderBy('gate.asked_at')
        .limit(MOST)
        .select([
          ...(['gate.id', 'gate.kind', 'gate.task', 'gate.state', 'gate.ask', 'gate.shown', 'gate.rules'] as const),
          ...(['gate.revision', 'gate.asked_at', 'gate.remind_at', 'gate.reminded_at', 'gate.expires_at'] as const),
          ...(['gate.decided_at', 'about.member_id as subject_member'] as const),
          ...(['run.run_id', 'run.crew', 'run.subject', 'request.actor', 'identity.member_id', 'key.owner'] as const),
        ])
        .execute(),
    );
    return rows.map(
      ({ run_id, crew, subject, subject_member, actor, member_id: starter, owner: answers, ...gate }) => ({
        ...gate,
        decisions: [],
        run: { run_id, crew, subject, subject_member, started_by: actor, starter, answers },
      }),
    );
  }

  /** Runs of all DAOs that have not seen what was decided, or whose time has come and gone. */
  async unseen(): Promise<{ crew: string; runId: string }[]> {
    const late = sql<Date>`now() - make_interval(secs => ${UNSEEN_SECONDS})`;
    const rows = await guardStore(() =>
      this.tenants.all
        .selectFrom('crew_gates as gate')
        .innerJoin('crew_runs as run', 'run.run_id', 'gate.run_id')
        .where('run.ended_at', 'is', null)
        .where((eb) =>
          eb.or([
            eb.and([eb('gate.state', '<>', 'open'), eb('gate.seen_at', 'is', null), eb('gate.decided_at', '<', late)]),
            eb.and([eb('gate.state', '=', 'open'), eb('gate.expires_at', '<', late)]),
          ]),
        )
        .limit(MOST)
        .select(['run.crew', 'run.run_id'])
        .distinct()
        .execute(),
    );
    return rows.map(({ crew, run_id }) => ({ crew, runId: run_id }));
  }
}

/** A gate, locked until the end of the transaction. */
export async function gateNow(db: Db, { runId, daoId, gate: id }: GatePlace): Promise<GateNow | undefined> {
  const row = await db
    .selectFrom('crew_gates')
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .where('id', '=', id)
    .select(['id', 'kind', 'task', 'state', 'shown', 'rules', 'revision', 'output', 'asked_at', 'expires_at'])
    .select(sql<Date>`date_trunc('milliseconds', clock_timestamp())`.as('now'))
    .forUpdate()
    .executeTakeFirst();
  if (!row) return undefined;
  const decisions = await db
    .selectFrom('crew_decisions')
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .where('gate', '=', id)
    .where('revision', '=', row.revision)
    .orderBy('decided_at')
    .select(['member_id', 'decision', 'comment'])
    .execute();
  const { asked_at: askedAt, expires_at: expiresAt, ...gate } = row;
  return {
    ...gate,
    ...{ askedAt, expiresAt },
    decisions: decisions.map(({ member_id: member, decision, comment }) => ({
      ...{ member, decision },
      ...(comment !== null && { comment }),
    })),
  };
}

/** The member who answers for the key with which a run was started, or `platform`; undefined: the key opens all DAOs. */
export async function keyOwnerOf(db: Db, { runId, daoId }: RunPlace): Promise<string | undefined> {
  const row = await db
    .selectFrom('requests')
    .innerJoin('api_keys as key', 'key.id', 'requests.key_id')
    .where('requests.id', '=', runId)
    .where('requests.dao_id', '=', daoId)
    .select('key.owner')
    .executeTakeFirst();
  return row?.owner;
}

/** A decision of a person, as it is written down. */
export interface NewDecision {
  revision: number;
  member: string;
  made: GateDecision;
  /** The output as they changed it, and what is shown from now on. */
  changed: { output: Record<string, unknown>; shown: Record<string, unknown> } | undefined;
}

/** Writes down what a person decided; where they changed what is shown, that is another revision of it. */
export async function decideGate(
  db: Db,
  { runId, daoId, gate }: GatePlace,
  { revision, member, made, changed }: NewDecision,
): Promise<void> {
  await db
    .insertInto('crew_decisions')
    .values({
      ...{ run_id: runId, dao_id: daoId, gate, revision, member_id: member, decision: made.decision },
      comment: made.comment ?? null,
      output: changed ? JSON.stringify(changed.output) : null,
    })
    .execute();
  if (!changed) return;
  await db
    .updateTable('crew_gates')
    .set({ revision, output: JSON.stringify(changed.output), shown: JSON.stringify(changed.shown) })
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .where('id', '=', gate)
    .execute();
}

/** Closes a gate with what was decided. */
export async function closeGate(
  db: Db,
  { runId, daoId, gate }: GatePlace,
  { state, comment, output }: { state: GateState; comment: string | null; output: Record<string, unknown> | null },
): Promise<void> {
  await db
    .updateTable('crew_gates')
    .set({ state, comment, output: output && JSON.stringify(output), decided_at: sql<Date>`now()` })
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .where('id', '=', gate)
    .execute();
}
