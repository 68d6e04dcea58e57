import { jsonArrayFrom } from 'kysely/helpers/postgres';
import type { ErrorObject } from '../../contracts/bodies.js';
import type { GateView, StepFailure, StepView, TaskProgress } from '../../contracts/crew-run.js';
import type { RunPlace } from './crew-steps.js';
import type { Db } from './tenants.js';

/** How far a run has come. */
export interface RunProgress {
  tasks: Record<string, TaskProgress>;
  steps: Map<string, StepView>;
  gates: Map<string, GateView>;
}

/** Reads how far a run has come, in one statement: it is asked before each step. */
export async function loadProgress(db: Db, place: RunPlace): Promise<RunProgress> {
  const row = await db
    .selectNoFrom([
      jsonArrayFrom(tasksOf(db, place)).as('tasks'),
      jsonArrayFrom(stepsOf(db, place)).as('steps'),
      jsonArrayFrom(gatesOf(db, place)).as('gates'),
    ])
    .executeTakeFirstOrThrow();
  return {
    tasks: Object.fromEntries(row.tasks.map(({ task, ...progress }) => [task, progress])),
    steps: new Map(row.steps.map((step) => [step.step ?? '', toStep(step)])),
    gates: new Map(
      row.gates.map(({ remind_at, expires_at, reminded_at, ...gate }) => [
        gate.id,
        { ...gate, remindAt: new Date(remind_at), expiresAt: new Date(expires_at), reminded: reminded_at !== null },
      ]),
    ),
  };
}

const tasksOf = (db: Db, { runId, daoId }: RunPlace) =>
  db
    .selectFrom('crew_tasks')
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .select(['task', 'state', 'round', 'attempt', 'output', 'problem', 'notes', 'returned']);

const stepsOf = (db: Db, { runId, daoId }: RunPlace) =>
  db
    .selectFrom('requests')
    .innerJoin('turns', 'turns.request_id', 'requests.id')
    .where('requests.run_id', '=', runId)
    .where('requests.dao_id', '=', daoId)
    .select([
      ...(['requests.step', 'requests.mode', 'requests.status', 'requests.error', 'requests.usage'] as const),
      ...(['requests.timings', 'requests.ended_at', 'turns.answer', 'turns.finish_reason', 'turns.parts'] as const),
      'turns.result',
    ]);

const gatesOf = (db: Db, { runId, daoId }: RunPlace) =>
  db
    .selectFrom('crew_gates')
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .select(['id', 'kind', 'state', 'task', 'comment', 'output', 'remind_at', 'expires_at', 'reminded_at']);

interface Row {
  step: string | null;
  mode: string;
  status: string;
  error: ErrorObject | null;
  usage: StepView['usage'];
  timings: { llm?: number; tool?: number };
  ended_at: string | null;
  answer: string | null;
  finish_reason: string | null;
  parts: { toolCalls?: StepView['toolCalls'] } | null;
  result: unknown;
}

const toStep = (row: Row): StepView => ({
  key: row.step ?? '',
  kind: row.mode === 'devtools' ? 'tool' : 'model',
  state: row.ended_at === null ? 'open' : row.status === 'completed' ? 'done' : 'failed',
  text: row.answer ?? '',
  toolCalls: row.parts?.toolCalls ?? [],
  isCut: row.finish_reason === 'length',
  result: row.result,
  failure: row.error && failureOf(row.error),
  usage: row.usage,
  ms: row.timings.llm ?? row.timings.tool ?? 0,
  endedAt: row.ended_at === null ? null : new Date(row.ended_at),
});

function failureOf({ code, message, reason, retry_after_s: after }: ErrorObject): StepFailure {
  return {
    code,
    reason: typeof reason === 'string' ? reason : message,
    ...(typeof after === 'number' && { retryAfterMs: after * 1_000 }),
  };
}
