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
  room: RoomForRuns;
}

/** Most runs of crews that are open at once. */
export interface RoomForRuns {
  /** Those that one person started. */
  person: number;
  dao: number;
}

/** What a step is told that was open when its run ended. */
const STEP_ENDED = JSON.stringify({ code: 'REQUEST_CANCELLED', message: 'The run has ended.' });

/** Parts of the statement that accepts a request by which the run of a crew begins with it. */
export const beginRun = (
  { daoId, actor }: { daoId: string; actor: string },
  { crew, hash, subject, inputs, rights, base, room }: NewRun,
): RawBuilder<unknown> => sql`, run as (
  insert into crew_runs (run_id, dao_id, crew, hash, subject, inputs, base_run, rights)
  select request.id, ${daoId}, ${crew}, ${hash}, ${subject}, ${JSON.stringify(inputs)}::jsonb,
    ${base?.runId ?? null}, ${JSON.stringify(rights)}::jsonb
  from request where crew_runs_room(
    ${daoId}, ${actor}, ${!rights.includes('agent.crew')}, ${room.person}, ${room.dao}
  )
  returning run_id
), reused as (
  insert into crew_tasks (run_id, dao_id, task, state, round, attempt, output, notes, reused_from, ended_at)
  select run.run_id, ${daoId}, taken.key, 'reused', 1, 1, taken.value, '[]'::jsonb, ${base?.runId ?? null}, now()
  from run, jsonb_each(${JSON.stringify(base?.outputs ?? {})}::jsonb) as taken
)`;

const FULL = { person: 'You have', dao: 'This DAO has' } as const;

/**
 * The statement that begins a run, if it begins one.
 * @throws AppError `CREW_RUNNING`: a guest has one run of a crew about themselves at a time; `CREW_RUNS_OPEN`
 */
export async function guardRun<T>(run: NewRun | undefined, statement: () => Promise<T>): Promise<T> {
  try {
    return await guardStore(statement);
  } catch (error) {
    if (!run || !Error.isError(error)) throw error;
    if (error.message.includes('crew_runs_by_guest')) throw new AppError('CREW_RUNNING');
    const [, limit] = /room for runs: (person|dao)/.exec(error.message) ?? [];
    if (limit !== 'person' && limit !== 'dao') throw error;
    const most = run.room[limit];
    const message = `${FULL[limit]} ${most} open runs of crews, and no more may be: end one, or decide what it asks.`;
    throw new AppError('CREW_RUNS_OPEN', message, { limit, open_crew_runs: most });
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
  update crew_runs set ended_at = now() from request where crew_runs.run_id = request.id returning crew_runs.run_id
), ${closingRun}`;
