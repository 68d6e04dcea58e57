import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { CrewData, CrewDefinition } from '../../contracts/crew.js';
import type { GateOrder, GateView, TaskProgress } from '../../contracts/crew-run.js';
import type { ErrorObject } from '../../contracts/bodies.js';
import { stepRequestId } from '../../contracts/ids.js';
import { NO_USAGE, type Decision, type RequestStatus, type Timings, type Usage } from '../../contracts/request.js';
import { guardStore } from './errors.js';
import { closingRun, ENDED_TASKS } from './run-requests.js';
import { insertStep, type NewStep, type RunPlace } from './crew-steps.js';
import { loadProgress, type RunProgress } from './crew-progress.js';
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
export interface LoadedRun extends RunHead, RunProgress {
  status: RequestStatus;
  handoffs: number;
  /** What turns used that gave no answer. */
  lost: { tokens: number; usd: number };
}

/** What of a run changes in one advance. */
export interface RunChanges {
  tasks: Readonly<Record<string, TaskProgress>>;
  steps: readonly NewStep[];
  gates: readonly GateOrder[];
  handoffs: number;
  /** Whether its workflow has yet to begin: until then it is not under way. */
  ahead?: boolean;
}

/** How a run ends. */
export type RunEnd =
  | { status: 'completed'; data: CrewData; timings: Timings; usage: Usage | null }
  | { status: 'failed' | 'cancelled'; error: ErrorObject; timings: Timings; usage: Usage | null };

/** Tasks in these states are at work for the first time. */
const BEGUN = ['running', 'asking', 'waiting_approval', 'returned'];

/** By which name runs are counted, as answers are by their providers. */
const COUNTED_AS = 'crew';

/** Most runs whose heads are kept in memory: a look at a run that is under way need not read them again. */
const KEPT_HEADS = 500;

/** Runs of crews: read and changed as a whole, one change at a time. */
export class CrewRunsRepository {
  private readonly heads = new LRUCache<string, RunHead>({ max: KEPT_HEADS });

  /** @param changed called after each change of a DAO's run */
  constructor(
    private readonly tenants: Tenants,
    private readonly changed: (daoId: string) => void = () => undefined,
  ) {}

  /** What of a run never changes; undefined: there is none, or it had ended before anybody asked here. */
  async head(runId: string, daoId: string): Promise<RunHead | undefined> {
    const known = this.heads.get(runId);
    if (known?.daoId === daoId) return known;
    const row = await guardStore(() => headRow(this.tenants.of(daoId), runId, daoId));
    if (!row) return undefined;
    const head = headOf(row);
    this.heads.set(runId, head);
    return head;
  }

  /** How a run ended that is not open any more; one that is nowhere counts as cancelled. */
  async endOf(
    runId: string,
    daoId: string,
    db = this.tenants.of(daoId),
  ): Promise<'completed' | 'failed' | 'cancelled'> {
    const row = await guardStore(() =>
      db.selectFrom('requests').where('id', '=', runId).where('dao_id', '=', daoId).select('status').executeTakeFirst(),
    );
    return row?.status === 'completed' || row?.status === 'failed' ? row.status : 'cancelled';
  }

  /**
   * Changes a run while nobody else can.
   * @param change undefined for a run that has ended
   */
  async locked<T>(head: RunHead, change: (db: Db, run: LoadedRun | undefined, now: Date) => Promise<T>): Promise<T> {
    const result = await guardStore(() =>
      this.tenants
        .of(head.daoId)
        .transaction()
        .execute(async (db) => {
          const found = await lockRun(db, head);
          if (!found) this.heads.delete(head.runId);
          const run = found && { ...head, ...standOf(found), ...(await loadProgress(db, head)) };
          return change(db, run, found?.now ?? new Date());
        }),
    );
    this.changed(head.daoId);
    return result;
  }
}

const openRun = (db: Db, runId: string, daoId: string) =>
  db
    .selectFrom('crew_runs as run')
    .innerJoin('requests as request', 'request.id', 'run.run_id')
    .where('run.run_id', '=', runId)
    .where('run.dao_id', '=', daoId)
    .where('run.ended_at', 'is', null)
    .where('request.ended_at', 'is', null);

const lockRun = (db: Db, { runId, daoId }: RunPlace) =>
  openRun(db, runId, daoId)
    .select(['run.handoffs', 'run.lost_tokens', 'run.lost_usd', 'request.status'])
    .select(sql<Date>`date_trunc('milliseconds', clock_timestamp())`.as('now'))
    .forUpdate(['run'])
    .executeTakeFirst();

const standOf = (row: NonNullable<Awaited<ReturnType<typeof lockRun>>>) => ({
  status: row.status,
  handoffs: row.handoffs,
  lost: { tokens: Number(row.lost_tokens), usd: Number(row.lost_usd) },
});

const headRow = (db: Db, runId: string, daoId: string) =>
  openRun(db, runId, daoId)
    .innerJoin('crew_versions as version', (join) =>
      join
        .onRef('version.dao_id', '=', 'run.dao_id')
        .onRef('version.crew', '=', 'run.crew')
        .onRef('version.hash', '=', 'run.hash'),
    )
    .select([
      ...(['run.run_id', 'run.dao_id', 'run.crew', 'run.subject', 'run.inputs', 'run.base_run', 'run.rights'] as const),
      ...(['version.definition', 'request.actor', 'request.key_id', 'request.received_at'] as const),
    ])
    .executeTakeFirst();

function headOf(row: NonNullable<Awaited<ReturnType<typeof headRow>>>): RunHead {
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

/** Writes what changes. What was decided at the gates of the run, as it was loaded, is seen by then. */
export async function applyChanges(db: Db, run: LoadedRun, changes: RunChanges): Promise<void> {
  await putTasks(db, run, changes.tasks);
  for (const step of changes.steps) await insertStep(db, run, step);
  for (const gate of changes.gates) await insertGate(db, run, gate);
  await seeGates(db, run);
  await handOff(db, run, changes);
  if (!changes.ahead) await beginWork(db, run);
}

/** Gates that were decided when the run was loaded: one that is decided at this moment is for the next look. */
async function seeGates(db: Db, { runId, daoId, gates }: LoadedRun): Promise<void> {
  const decided = [...gates.values()].filter(({ state }) => state !== 'open').map(({ id }) => id);
  if (decided.length === 0) return;
  await db
    .updateTable('crew_gates')
    .set({ seen_at: sql<Date>`now()` })
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .where('id', 'in', decided)
    .where('seen_at', 'is', null)
    .execute();
}

async function handOff(db: Db, run: LoadedRun, { handoffs }: Pick<RunChanges, 'handoffs'>): Promise<void> {
  if (handoffs === run.handoffs) return;
  const { runId, daoId } = run;
  await db.updateTable('crew_runs').set({ handoffs }).where('run_id', '=', runId).where('dao_id', '=', daoId).execute();
}

async function beginWork(db: Db, { runId, daoId, status }: LoadedRun): Promise<void> {
  if (status !== 'accepted') return;
  await db
    .updateTable('requests')
    .set({ status: 'running' })
    .where('id', '=', runId)
    .where('dao_id', '=', daoId)
    .execute();
}

async function putTasks(db: Db, { runId, daoId }: RunPlace, tasks: RunChanges['tasks']): Promise<void> {
  const rows = Object.entries(tasks).map(([task, progress]) => ({
    ...{ run_id: runId, dao_id: daoId, task },
    ...taskRow(progress),
  }));
  if (rows.length === 0) return;
  await db
    .insertInto('crew_tasks')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['run_id', 'task']).doUpdateSet((eb) => ({
        state: eb.ref('excluded.state'),
        round: eb.ref('excluded.round'),
        attempt: eb.ref('excluded.attempt'),
        output: eb.ref('excluded.output'),
        problem: eb.ref('excluded.problem'),
        notes: eb.ref('excluded.notes'),
        returned: eb.ref('excluded.returned'),
        ended_at: eb.ref('excluded.ended_at'),
        began_at: sql<Date>`coalesce(crew_tasks.began_at, excluded.began_at)`,
      })),
    )
    .execute();
}

const taskRow = ({ state, round, attempt, output, problem, notes, returned }: TaskProgress) => ({
  ...{ state, round, attempt, problem, notes: JSON.stringify(notes) },
  output: output && JSON.stringify(output),
  returned: returned && JSON.stringify(returned),
  began_at: BEGUN.includes(state) ? sql<Date>`now()` : null,
  ended_at: ENDED_TASKS.includes(state) ? sql<Date>`now()` : null,
});

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

/**
 * Steps that have not ended, after these were written down for a run.
 * @param run as it was before
 */
export async function openStepsOf(db: Db, run: LoadedRun, written: readonly NewStep[]): Promise<OpenStep[]> {
  // Nearly always there is nothing else than what was just written.
  if ([...run.steps.values()].some(({ state }) => state === 'open')) return readOpenSteps(db, run);
  return written
    .filter(({ refused }) => !refused)
    .map(({ key, about, decision, deadlineAt }) => ({
      ...{ requestId: stepRequestId(run.runId, key), decision, deadlineAt },
      label: about.label,
    }))
    .toSorted((one, other) => (one.requestId < other.requestId ? -1 : 1));
}

async function readOpenSteps(db: Db, { runId, daoId }: RunPlace): Promise<OpenStep[]> {
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
