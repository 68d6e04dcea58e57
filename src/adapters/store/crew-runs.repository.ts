import { sql } from 'kysely';
import type { CrewData, CrewDefinition } from '../../contracts/crew.js';
import type { GateOrder, GateView, StepView, TaskProgress } from '../../contracts/crew-run.js';
import type { ErrorObject } from '../../contracts/bodies.js';
import { NO_USAGE, type Decision, type RequestStatus, type Timings, type Usage } from '../../contracts/request.js';
import { guardStore } from './errors.js';
import { closingRun, ENDED_TASKS } from './run-requests.js';
import { insertStep, stepsOf, type NewStep, type RunPlace } from './crew-steps.js';
import type { Db, Tenants } from './tenants.js';
import { usageUpsert } from './usage.repository.js';

/** What of a run never changes. */
export interface RunHead {
  runId: string;
  daoId: string;
  /** Whoever started it, and by which key. */
  actor: string;
  keyId: string;
  receivedAt: Date;
  crew: string;
  definition: CrewDefinition;
  subject: string | null;
  inputs: Record<string, unknown>;
  baseRun: string | null;
  /** What whoever started it might then. */
  rights: string[];
}

/** A run of a crew as it is recorded, with all that its advance depends on. */
export interface LoadedRun extends RunHead {
  status: RequestStatus;
  handoffs: number;
  /** What turns used that gave no answer. */
  lost: { tokens: number; usd: number };
  tasks: Record<string, TaskProgress>;
  steps: Map<string, StepView>;
  gates: Map<string, GateView>;
}

/** What of a run changes in one advance. */
export interface RunChanges {
  tasks: Readonly<Record<string, TaskProgress>>;
  steps: readonly NewStep[];
  gates: readonly GateOrder[];
  handoffs: number;
}

/** How a run ends. */
export type RunEnd =
  | { status: 'completed'; data: CrewData; timings: Timings; usage: Usage | null }
  | { status: 'failed' | 'cancelled'; error: ErrorObject; timings: Timings; usage: Usage | null };

/** Tasks in these states are at work for the first time. */
const BEGUN = ['running', 'asking', 'waiting_approval', 'returned'];

/** By which name runs are counted, as answers are by their providers. */
const COUNTED_AS = 'crew';

/** Runs of crews: read and changed as a whole, one change at a time. */
export class CrewRunsRepository {
  constructor(private readonly tenants: Tenants) {}

  /** What of an open run never changes; undefined: it has ended, or there is none. */
  async head(runId: string, daoId: string): Promise<RunHead | undefined> {
    const row = await guardStore(() => openRun(this.tenants.of(daoId), runId, daoId).executeTakeFirst());
    return row && headOf(row);
  }

  /**
   * Changes a run while nobody else can.
   * @param change undefined for a run that has ended, or is none
   */
  async locked<T>(
    runId: string,
    daoId: string,
    change: (db: Db, run: LoadedRun | undefined, now: Date) => Promise<T>,
  ): Promise<T> {
    return guardStore(() =>
      this.tenants
        .of(daoId)
        .transaction()
        .execute(async (db) => {
          const found = await lockRun(db, runId, daoId);
          return change(db, found && (await loadedRun(db, found)), found?.now ?? new Date());
        }),
    );
  }
}

const lockRun = (db: Db, runId: string, daoId: string) =>
  openRun(db, runId, daoId).forUpdate(['run']).executeTakeFirst();

const openRun = (db: Db, runId: string, daoId: string) =>
  db
    .selectFrom('crew_runs as run')
    .innerJoin('requests as request', 'request.id', 'run.run_id')
    .innerJoin('crew_versions as version', (join) =>
      join
        .onRef('version.dao_id', '=', 'run.dao_id')
        .onRef('version.crew', '=', 'run.crew')
        .onRef('version.hash', '=', 'run.hash'),
    )
    .where('run.run_id', '=', runId)
    .where('run.dao_id', '=', daoId)
    .where('run.ended_at', 'is', null)
    .where('request.ended_at', 'is', null)
    .select([
      ...(['run.run_id', 'run.dao_id', 'run.crew', 'run.subject', 'run.inputs', 'run.base_run', 'run.rights'] as const),
      ...(['run.handoffs', 'run.lost_tokens', 'run.lost_usd', 'version.definition'] as const),
      ...(['request.actor', 'request.key_id', 'request.status', 'request.received_at'] as const),
      sql<Date>`date_trunc('milliseconds', clock_timestamp())`.as('now'),
    ]);

type Locked = NonNullable<Awaited<ReturnType<typeof lockRun>>>;

function headOf(row: Locked): RunHead {
  return {
    runId: row.run_id,
    daoId: row.dao_id,
    actor: row.actor,
    keyId: row.key_id,
    receivedAt: row.received_at,
    crew: row.crew,
    definition: row.definition,
    subject: row.subject,
    inputs: row.inputs,
    baseRun: row.base_run,
    rights: row.rights,
  };
}

async function loadedRun(db: Db, row: Locked): Promise<LoadedRun> {
  const head = headOf(row);
  return {
    ...head,
    status: row.status,
    handoffs: row.handoffs,
    lost: { tokens: Number(row.lost_tokens), usd: Number(row.lost_usd) },
    tasks: await tasksOf(db, head),
    steps: await stepsOf(db, head),
    gates: await gatesOf(db, head),
  };
}

async function tasksOf(db: Db, { runId, daoId }: RunPlace): Promise<Record<string, TaskProgress>> {
  const rows = await db
    .selectFrom('crew_tasks')
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .select(['task', 'state', 'round', 'attempt', 'output', 'problem', 'notes', 'returned'])
    .execute();
  return Object.fromEntries(rows.map(({ task, ...progress }) => [task, progress]));
}

async function gatesOf(db: Db, { runId, daoId }: RunPlace): Promise<Map<string, GateView>> {
  const rows = await db
    .selectFrom('crew_gates')
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .select(['id', 'kind', 'state', 'task', 'comment', 'output', 'remind_at', 'expires_at', 'reminded_at'])
    .execute();
  return new Map(
    rows.map(({ remind_at, expires_at, reminded_at, ...gate }) => [
      gate.id,
      { ...gate, remindAt: remind_at, expiresAt: expires_at, reminded: reminded_at !== null },
    ]),
  );
}

/** Writes what changes, all that was decided is seen by then. */
export async function applyChanges(db: Db, run: LoadedRun, changes: RunChanges): Promise<void> {
  const { runId, daoId } = run;
  for (const [task, progress] of Object.entries(changes.tasks)) await putTask(db, run, task, progress);
  for (const step of changes.steps) await insertStep(db, run, step);
  for (const gate of changes.gates) await insertGate(db, run, gate);
  await db
    .updateTable('crew_gates')
    .set({ seen_at: sql<Date>`now()` })
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .where('state', '<>', 'open')
    .where('seen_at', 'is', null)
    .execute();
  await db
    .updateTable('crew_runs')
    .set({ handoffs: changes.handoffs })
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .execute();
  if (run.status !== 'accepted') return;
  await db
    .updateTable('requests')
    .set({ status: 'running' })
    .where('id', '=', runId)
    .where('dao_id', '=', daoId)
    .execute();
}

async function putTask(db: Db, { runId, daoId }: RunPlace, task: string, progress: TaskProgress): Promise<void> {
  const { state, round, attempt, output, problem, notes, returned } = progress;
  const values = {
    ...{ state, round, attempt, problem, notes: JSON.stringify(notes) },
    output: output && JSON.stringify(output),
    returned: returned && JSON.stringify(returned),
    ended_at: ENDED_TASKS.includes(state) ? sql<Date>`now()` : null,
  };
  const begun = BEGUN.includes(state) ? sql<Date>`now()` : null;
  await db
    .insertInto('crew_tasks')
    .values({ run_id: runId, dao_id: daoId, task, ...values, began_at: begun })
    .onConflict((conflict) =>
      conflict
        .columns(['run_id', 'task'])
        .doUpdateSet({ ...values, began_at: sql<Date>`coalesce(crew_tasks.began_at, excluded.began_at)` }),
    )
    .execute();
}

async function insertGate(db: Db, { runId, daoId }: RunPlace, gate: GateOrder): Promise<void> {
  const { id, kind, task, ask, shown, roles, count, self, remindAfterS, expiresAfterS } = gate;
  const after = (seconds: number) => sql<Date>`now() + make_interval(secs => ${seconds})`;
  await db
    .insertInto('crew_gates')
    .values({
      ...{ run_id: runId, dao_id: daoId, id, kind, task, ask },
      shown: JSON.stringify(shown),
      rules: JSON.stringify({ roles, count, self }),
      remind_at: after(remindAfterS),
      expires_at: after(expiresAfterS),
    })
    .onConflict((conflict) => conflict.columns(['run_id', 'id']).doNothing())
    .execute();
}

/** Ends a run with its request, its open steps, gates and tasks, and counts it. */
export async function endRun(db: Db, { runId, daoId }: RunPlace, end: RunEnd): Promise<void> {
  const done = end.status === 'completed';
  await sql`
    with request as (
      update requests set
        status = ${end.status}, error = ${done ? null : JSON.stringify(end.error)}::jsonb,
        timings = ${JSON.stringify(end.timings)}::jsonb, usage = ${end.usage && JSON.stringify(end.usage)}::jsonb,
        ended_at = now()
      where id = ${runId} and dao_id = ${daoId} and ended_at is null
      returning id, dao_id, key_id
    ), spent as (
      ${usageUpsert({ provider: COUNTED_AS, usage: NO_USAGE, requests: done ? 1 : 0 })}
    ), turn as (
      update turns set result = ${done ? JSON.stringify(end.data) : null}::jsonb
      from request where turns.request_id = request.id
    ), ${closingRun}
    update crew_runs set ended_at = now(), result = ${done ? JSON.stringify(end.data) : null}::jsonb
    from request where crew_runs.run_id = request.id
  `.execute(db);
}

/** A step that has not ended. */
export interface OpenStep {
  requestId: string;
  decision: Decision;
  deadlineAt: Date;
  label: string;
}

export async function openStepsOf(db: Db, { runId, daoId }: RunPlace): Promise<OpenStep[]> {
  const rows = await db
    .selectFrom('requests')
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .where('ended_at', 'is', null)
    .orderBy('id')
    .select(['id', 'decision', 'deadline_at', sql<string>`metadata->>'label'`.as('label')])
    .execute();
  return rows.map(({ id, decision, deadline_at, label }) => ({
    requestId: id,
    decision,
    deadlineAt: deadline_at,
    label,
  }));
}

/**
 * Does what time does to gates: one that is due is reminded of, one that has expired is closed as such.
 * @returns all gates as they stand then
 */
export async function passTime(db: Db, run: LoadedRun, now: Date): Promise<Map<string, GateView>> {
  const gates = new Map(run.gates);
  for (const gate of run.gates.values()) {
    if (gate.state !== 'open') continue;
    const expired = now >= gate.expiresAt;
    if (!expired && (gate.reminded || now < gate.remindAt)) continue;
    const change = expired ? { state: 'expired' as const, decided_at: now } : { reminded_at: now };
    await db
      .updateTable('crew_gates')
      .set(change)
      .where('run_id', '=', run.runId)
      .where('dao_id', '=', run.daoId)
      .where('id', '=', gate.id)
      .where('state', '=', 'open')
      .execute();
    gates.set(gate.id, expired ? { ...gate, state: 'expired' } : { ...gate, reminded: true });
  }
  return gates;
}
