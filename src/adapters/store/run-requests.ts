import { sql, type RawBuilder } from 'kysely';
import type { TaskState } from '../../contracts/crew.js';
import { AppError } from '../../errors/app-error.js';
import { guardStore } from './errors.js';

/** A run of a crew that is about to begin. */
export interface NewRun {
  crew: string;
  hash: string;
  subject: string | null;
  inputs: Readonly<Record<string, unknown>>;
  /** What whoever starts it may. */
  rights: readonly string[];
  /** The run whose outputs it takes over, and those outputs by their tasks. */
  base?: { runId: string; outputs: Readonly<Record<string, unknown>> } | undefined;
}

/** What a step is told that was open when its run ended. */
const STEP_ENDED = JSON.stringify({ code: 'REQUEST_CANCELLED', message: 'The run has ended.' });

/** Parts of the statement that accepts a request by which the run of a crew begins with it. */
export const beginRun = (
  daoId: string,
  { crew, hash, subject, inputs, rights, base }: NewRun,
): RawBuilder<unknown> => sql`, run as (
  insert into crew_runs (run_id, dao_id, crew, hash, subject, inputs, base_run, rights)
  select request.id, ${daoId}, ${crew}, ${hash}, ${subject}, ${JSON.stringify(inputs)}::jsonb,
    ${base?.runId ?? null}, ${JSON.stringify(rights)}::jsonb
  from request
  returning run_id
), reused as (
  insert into crew_tasks (run_id, dao_id, task, state, round, attempt, output, notes, reused_from, ended_at)
  select run.run_id, ${daoId}, taken.key, 'reused', 1, 1, taken.value, '[]'::jsonb, ${base?.runId ?? null}, now()
  from run, jsonb_each(${JSON.stringify(base?.outputs ?? {})}::jsonb) as taken
)`;

/** A guest has one run of a crew about themselves at a time. */
export async function guardRun<T>(statement: () => Promise<T>): Promise<T> {
  try {
    return await guardStore(statement);
  } catch (error) {
    if (Error.isError(error) && error.message.includes('crew_runs_by_guest')) throw new AppError('CREW_RUNNING');
    throw error;
  }
}

/** States in which nothing of a task is done any more. */
export const ENDED_TASKS: readonly TaskState[] = ['completed', 'reused', 'skipped', 'failed', 'cancelled'];

/** Parts of a statement that ends a `request` by which the open steps, gates and tasks of its run end with it. */
export const closingRun = sql`steps as (
  update requests set status = 'cancelled', ended_at = now(), error = ${STEP_ENDED}::jsonb
  from request where requests.run_id = request.id and requests.ended_at is null
), gates as (
  update crew_gates set state = 'closed', decided_at = now(), seen_at = now()
  from request where crew_gates.run_id = request.id and crew_gates.state = 'open'
), tasks as (
  update crew_tasks set state = 'cancelled', ended_at = now()
  from request where crew_tasks.run_id = request.id and not (crew_tasks.state = any (${[...ENDED_TASKS]}::text[]))
)`;

/** Parts of a statement that ends a `request` by which its run ends with it, where it has one. */
export const endingRun = sql`runs as (
  update crew_runs set ended_at = now() from request where crew_runs.run_id = request.id
), ${closingRun}`;
