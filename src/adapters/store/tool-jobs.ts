import { sql } from 'kysely';
import type { ToolRequest, ToolResult, WriteJournal } from '../../contracts/devtools.js';
import { NO_USAGE, type Origin, type Timings } from '../../contracts/request.js';
import { guardStore } from './errors.js';
import { RECORD_COLUMNS, toRecord, TURN_COLUMNS, type RequestRecord } from './request-record.js';
import type { Db } from './tenants.js';
import { usageUpsert } from './usage.repository.js';

/** A request for a tool that somebody has begun to do. */
export interface ToolJob {
  record: RequestRecord;
  request: ToolRequest;
  /** What an earlier run was about to write; null: nothing. */
  journal: WriteJournal | null;
}

/** What a run of a tool came to. */
export interface ToolEnd {
  result: ToolResult;
  /** The request as it is kept from now on: without long texts. Of a step it is kept as it is. */
  kept: object;
  timings: Timings;
  generation: number;
}

const ORIGIN: Origin = { step: 'tool' };

/**
 * Raises the generation of an open request, and reads what is to be done.
 * @returns undefined if the request has ended
 */
export async function claimTool(db: Db, id: string, daoId: string): Promise<ToolJob | undefined> {
  const row = await guardStore(() =>
    db
      .updateTable('requests')
      .from('turns')
      .set((eb) => ({ status: 'running', generation: eb('requests.generation', '+', 1) }))
      .where('requests.id', '=', id)
      .where('requests.dao_id', '=', daoId)
      .where('requests.ended_at', 'is', null)
      .whereRef('turns.request_id', '=', 'requests.id')
      .where('turns.tool', 'is not', null)
      .returning(RECORD_COLUMNS)
      .returning([...TURN_COLUMNS, 'turns.tool', 'turns.journal'])
      .executeTakeFirst(),
  );
  return row?.tool ? { record: toRecord(row), request: row.tool, journal: row.journal } : undefined;
}

/** Whether a run of a tool is the latest one of a request that is open: only then may it change anything. */
export async function isLatestRun(db: Db, id: string, daoId: string, generation: number): Promise<boolean> {
  const row = await guardStore(() =>
    db
      .selectFrom('requests')
      .where('id', '=', id)
      .where('dao_id', '=', daoId)
      .where('generation', '=', generation)
      .where('ended_at', 'is', null)
      .select('id')
      .executeTakeFirst(),
  );
  return row !== undefined;
}

/**
 * Keeps what the latest run of a tool is about to write.
 * @returns false if the request had ended, or if this run is not the latest; then nothing was kept
 */
export async function keepJournal(
  db: Db,
  id: string,
  daoId: string,
  { generation, journal }: { generation: number; journal: WriteJournal },
): Promise<boolean> {
  const result = await guardStore(() =>
    db
      .updateTable('turns')
      .from('requests')
      .set({ journal: JSON.stringify(journal) })
      .whereRef('requests.id', '=', 'turns.request_id')
      .where('requests.id', '=', id)
      .where('requests.dao_id', '=', daoId)
      .where('requests.generation', '=', generation)
      .where('requests.ended_at', 'is', null)
      .executeTakeFirst(),
  );
  return result.numUpdatedRows === 1n;
}

/** @returns false if the request had ended, or if this run is not the latest; then nothing was written */
export async function recordToolResult(db: Db, id: string, daoId: string, end: ToolEnd): Promise<boolean> {
  const { rows } = await guardStore(() =>
    sql<{ id: string }>`
      with request as (
        update requests set
          status = 'completed', timings = ${JSON.stringify(end.timings)}::jsonb,
          origin = ${JSON.stringify(ORIGIN)}::jsonb, ended_at = now()
        where id = ${id} and dao_id = ${daoId} and generation = ${end.generation} and ended_at is null
        returning id, dao_id, key_id, run_id
      ), spent as (
        ${usageUpsert({ provider: ORIGIN.step, usage: NO_USAGE })}
      )
      update turns set
        result = ${JSON.stringify(end.result)}::jsonb,
        tool = case when request.run_id is null then ${JSON.stringify(end.kept)}::jsonb else turns.tool end
      from request where turns.request_id = request.id
      returning turns.request_id as id
    `.execute(db),
  );
  return rows.length === 1;
}
