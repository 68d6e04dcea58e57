import { sql } from 'kysely';
import type { ModelCall } from '../../contracts/chat.js';
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
