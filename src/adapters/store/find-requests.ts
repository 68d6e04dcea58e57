import { guardStore } from './errors.js';
import { RECORD_COLUMNS, toRecord, TURN_COLUMNS, type RequestRecord } from './request-record.js';
import type { Db } from './tenants.js';

/** Which open requests to look at. */
export interface OpenFilter {
  receivedBefore: Date;
  /** If given: only those that no call was begun for, or whose deadline was before this. */
  overdueSince?: Date;
}

/** Requests with their turns. */
const withTurn = (db: Db) =>
  db
    .selectFrom('requests')
    .leftJoin('turns', 'turns.request_id', 'requests.id')
    .select(RECORD_COLUMNS)
    .select(TURN_COLUMNS);

/** A request by its id. */
export async function findRequest(db: Db, id: string): Promise<RequestRecord | undefined> {
  const row = await guardStore(() => withTurn(db).where('requests.id', '=', id).executeTakeFirst());
  return row && toRecord(row);
}

/** The request of a DAO that holds an idempotency key. */
export async function findByKey(
  db: Db,
  daoId: string,
  { scope, key }: { scope: string; key: string },
): Promise<RequestRecord | undefined> {
  const row = await guardStore(() =>
    withTurn(db)
      .where('requests.dao_id', '=', daoId)
      .where('requests.idempotency_scope', '=', scope)
      .where('requests.idempotency_key', '=', key)
      .executeTakeFirst(),
  );
  return row && toRecord(row);
}

/** Requests that have not ended, steps of runs aside, oldest first, behind an id. */
export async function openRequests(db: Db, filter: OpenFilter, after: string, limit: number): Promise<RequestRecord[]> {
  const { receivedBefore, overdueSince } = filter;
  const rows = await guardStore(() =>
    withTurn(db)
      .where('requests.ended_at', 'is', null)
      .where('requests.run_id', 'is', null)
      .where('requests.received_at', '<', receivedBefore)
      .where('requests.id', '>', after)
      .$if(overdueSince !== undefined, (query) =>
        query.where((eb) =>
          eb.or([
            eb('requests.status', '=', 'accepted'),
            // A run has no deadline: its gates have.
            eb.and([eb('requests.deadline_at', '<', overdueSince ?? new Date(0)), eb('requests.mode', '<>', 'crew')]),
          ]),
        ),
      )
      .orderBy('requests.id')
      .limit(limit)
      .execute(),
  );
  return rows.map(toRecord);
}
