import { sql } from 'kysely';
import type { ModelCall } from '../../contracts/chat.js';
import type { StepFailure, StepView } from '../../contracts/crew-run.js';
import { stepRequestId } from '../../contracts/ids.js';
import type { Decision } from '../../contracts/request.js';
import type { ErrorObject } from '../../contracts/bodies.js';
import { FIRST_GENERATION } from '../../contracts/running-call.js';
import type { Db } from './tenants.js';

/** A run, by the ids under which its rows stand. */
export interface RunPlace {
  runId: string;
  daoId: string;
}

/** A step that is about to be done: a turn of a model, or a use of a tool. */
export interface NewStep {
  key: string;
  /** Whom and what it is about, for people. */
  about: Readonly<{ crew: string; task: string; agent: string; label: string }>;
  decision: Decision;
  deadlineAt: Date;
  /** Why it is not done at all. */
  refused?: ErrorObject;
  work: { call: ModelCall } | { tool: { tool: string; params: Readonly<Record<string, unknown>> } };
  /** The provider whose call begins at once: the row belongs to that call from the start. */
  begunAt?: string | undefined;
}

/** Steps of a run by their keys. */
export async function stepsOf(db: Db, { runId, daoId }: RunPlace): Promise<Map<string, StepView>> {
  const rows = await db
    .selectFrom('requests')
    .innerJoin('turns', 'turns.request_id', 'requests.id')
    .where('requests.run_id', '=', runId)
    .where('requests.dao_id', '=', daoId)
    .select([
      ...(['requests.step', 'requests.mode', 'requests.status', 'requests.error', 'requests.usage'] as const),
      ...(['requests.timings', 'requests.ended_at', 'turns.answer', 'turns.finish_reason', 'turns.parts'] as const),
      'turns.result',
    ])
    .execute();
  return new Map(rows.map((row) => [row.step ?? '', toStep(row)]));
}

interface Row {
  step: string | null;
  mode: string;
  status: string;
  error: ErrorObject | null;
  usage: StepView['usage'];
  timings: { llm?: number; tool?: number };
  ended_at: Date | null;
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
  endedAt: row.ended_at,
});

function failureOf({ code, message, reason, retry_after_s: after }: ErrorObject): StepFailure {
  return {
    code,
    reason: typeof reason === 'string' ? reason : message,
    ...(typeof after === 'number' && { retryAfterMs: after * 1_000 }),
  };
}

/** Writes a step down, once. */
export async function insertStep(
  db: Db,
  { runId, daoId, actor, keyId }: RunPlace & { actor: string; keyId: string },
  { key, about, decision, deadlineAt, work, refused, begunAt }: NewStep,
): Promise<void> {
  const id = stepRequestId(runId, key);
  await sql`
    with request as (
      insert into requests (
        id, dao_id, actor, key_id, mode, metadata, decision, status, error, ended_at, timings, received_at, deadline_at,
        run_id, step, generation, provider
      ) values (
        ${id}, ${daoId}, ${actor}, ${keyId}, ${decision.mode}, ${JSON.stringify(about)}::jsonb,
        ${JSON.stringify(decision)}::jsonb, ${refused ? 'failed' : 'accepted'},
        ${refused ? JSON.stringify(refused) : null}::jsonb, ${refused ? sql`now()` : null}, '{}'::jsonb, now(),
        ${deadlineAt}, ${runId}, ${key}, ${begunAt === undefined ? 0 : FIRST_GENERATION}, ${begunAt ?? null}
      )
      on conflict do nothing
      returning id, received_at
    )
    insert into turns (request_id, dao_id, prompt, created_at, call, tool)
    select request.id, ${daoId}, '', request.received_at,
      ${'call' in work ? JSON.stringify(work.call) : null}::jsonb,
      ${'tool' in work ? JSON.stringify(work.tool) : null}::jsonb
    from request
  `.execute(db);
}

/** The conversation that a turn of a model was asked with. */
export async function callOf(db: Db, { runId, daoId }: RunPlace, key: string): Promise<ModelCall | null> {
  const row = await db
    .selectFrom('turns')
    .where('request_id', '=', stepRequestId(runId, key))
    .where('dao_id', '=', daoId)
    .select('call')
    .executeTakeFirst();
  return row?.call ?? null;
}
