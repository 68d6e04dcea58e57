import { sql } from 'kysely';
import type { AccessFacts } from '../../contracts/access.js';
import type { ErrorObject } from '../../contracts/bodies.js';
import type { Attempt, Decision, Mode, Origin, Timings, Usage } from '../../contracts/request.js';
import type { RecordedDecision } from '../../contracts/whatif.js';
import type { Db, Tenants } from './tenants.js';
import { guardStore } from './errors.js';
import { decidedRequests, type DecisionCursor } from './recorded-decisions.js';
import { RECORD_COLUMNS, toRecord, type RequestRecord } from './request-record.js';
import { newestTurns, type EarlierTurn } from './session-history.js';
import { usageUpsert, type Spent } from './usage.repository.js';

export type { RequestRecord } from './request-record.js';

/** The idempotency key of a request, and what it belongs to. */
export interface Idempotency {
  scope: string;
  key: string;
  bodyHash: string;
}

export interface NewRequest {
  id: string;
  daoId: string;
  actor: string;
  keyId: string;
  source: string | undefined;
  mode: Mode;
  agent: string | undefined;
  sessionId: string | undefined;
  prompt: string;
  metadata: Readonly<Record<string, unknown>>;
  /** What the decision was made on, beside what stands here anyway. */
  access: AccessFacts;
  decision: Decision;
  timings: Timings;
  receivedAt: Date;
  deadlineAt: Date;
  idempotency: Idempotency | undefined;
}

/** What was asked, of whom. */
export interface AskedQuestion {
  record: RequestRecord;
  prompt: string;
  daoName: string;
  daoFacts: Record<string, string>;
  /** Whether it is a turn of a session. */
  inSession: boolean;
}

/** The same, before anybody has begun to answer it. */
export interface OpenQuestion extends AskedQuestion {
  /** Whether earlier turns of the session were answered, so that it may be about them. */
  followsTurns: boolean;
}

/** What a model needs to answer, gathered from the database. */
export interface GenerationJob extends AskedQuestion {
  /** Earlier turns of the session, newest first. */
  history: EarlierTurn[];
}

/** How a request is claimed. */
export interface Claim {
  /** The provider that is asked now; null where no model is. */
  provider: string | null;
  /** Attempts so far, to be seen by whoever asks meanwhile. */
  attempts: readonly Attempt[];
  /** Most bytes of UTF-8 that the earlier turns of the session may have together. */
  historyBytes: number;
}

export interface Answer {
  text: string;
  finishReason: string;
  /** Null for an answer that no model gave; `origin` says who did. */
  provider: string | null;
  origin: Origin;
  usage: Usage;
  attempts: Attempt[];
  timings: Timings;
  generation: number;
}

export interface Ending {
  status: 'failed' | 'cancelled';
  error: ErrorObject;
  attempts: Attempt[];
  timings: Timings;
}

/** Which open requests to look at. */
export interface OpenFilter {
  receivedBefore: Date;
  /** If given: only those that no call was begun for, or whose deadline was before this. */
  overdueSince?: Date;
}

/** Requests and turns. Every statement that changes an ended request is a no-op: an ending is final. */
export class RequestsRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * Writes request, dialog and turn in one statement.
   * @returns false if the idempotency key is taken; then nothing was written
   */
  async accept(request: NewRequest): Promise<boolean> {
    const { idempotency, decision } = request;
    const { rows } = await guardStore(() =>
      sql<{ id: string }>`
        with request as (
          insert into requests (
            id, dao_id, actor, key_id, source, mode, agent, metadata, access, decision, status, timings,
            idempotency_scope, idempotency_key, body_hash, received_at, deadline_at
          ) values (
            ${request.id}, ${request.daoId}, ${request.actor}, ${request.keyId}, ${request.source ?? null},
            ${request.mode}, ${request.agent ?? null}, ${JSON.stringify(request.metadata)}::jsonb,
            ${JSON.stringify(request.access)}::jsonb, ${JSON.stringify(decision)}::jsonb, 'accepted', ${JSON.stringify(request.timings)}::jsonb,
            ${idempotency?.scope ?? null}, ${idempotency?.key ?? null}, ${idempotency?.bodyHash ?? null},
            ${request.receivedAt}, ${request.deadlineAt}
          )
          on conflict (dao_id, idempotency_scope, idempotency_key) where idempotency_key is not null do nothing
          returning id
        ), dialog as (
          insert into dialogs (id, dao_id, actor, session_id, source)
          select request.id, ${request.daoId}, ${request.actor}, ${request.sessionId ?? null}::text, ${request.source ?? null}
          from request where ${request.sessionId ?? null}::text is not null
          on conflict (dao_id, actor, session_id) do update set source = excluded.source
          returning id
        )
        insert into turns (request_id, dao_id, dialog_id, prompt, created_at)
        select request.id, ${request.daoId}, (select id from dialog), ${request.prompt}, ${request.receivedAt}
        from request
        returning request_id as id
      `.execute(this.tenants.of(request.daoId)),
    );
    return rows.length === 1;
  }

  /** The request that holds an idempotency key, if it is younger than `since`; an older one lets go of the key. */
  async findByIdempotency(daoId: string, { scope, key }: Idempotency, since: Date): Promise<RequestRecord | undefined> {
    const db = this.tenants.of(daoId);
    const released = await guardStore(() =>
      db
        .updateTable('requests')
        .set({ idempotency_key: null })
        .where('dao_id', '=', daoId)
        .where('idempotency_scope', '=', scope)
        .where('idempotency_key', '=', key)
        .where('received_at', '<', since)
        .executeTakeFirst(),
    );
    if (released.numUpdatedRows > 0n) return undefined;
    const row = await guardStore(() =>
      withTurn(db)
        .where('requests.dao_id', '=', daoId)
        .where('requests.idempotency_scope', '=', scope)
        .where('requests.idempotency_key', '=', key)
        .executeTakeFirst(),
    );
    return row && toRecord(row);
  }

  /** A request of one DAO, or (null) of whatever DAO: who may see it is the caller's question. */
  async find(id: string, daoId: string | null): Promise<RequestRecord | undefined> {
    const db = daoId === null ? this.tenants.all : this.tenants.of(daoId);
    const row = await guardStore(() => withTurn(db).where('requests.id', '=', id).executeTakeFirst());
    return row && toRecord(row);
  }

  /**
   * Claims an open request for one run of a model, or for an answer that needs none: from here on the API cannot take
   * it back, and an earlier run can no longer write. Hands over everything that the model needs.
   * @returns undefined if the request has ended
   */
  async claim(id: string, daoId: string, claim: Claim): Promise<GenerationJob | undefined> {
    const db = this.tenants.of(daoId);
    const row = await guardStore(() =>
      db
        .updateTable('requests')
        .from('turns')
        .innerJoin('daos', 'daos.id', 'turns.dao_id')
        .set((eb) => ({
          status: 'running',
          generation: eb('requests.generation', '+', 1),
          provider: claim.provider,
          attempts: JSON.stringify(claim.attempts),
        }))
        .where('requests.id', '=', id)
        .where('requests.dao_id', '=', daoId)
        .where('requests.ended_at', 'is', null)
        .whereRef('turns.request_id', '=', 'requests.id')
        .returning(RECORD_COLUMNS)
        .returning(QUESTION_COLUMNS)
        .executeTakeFirst(),
    );
    if (!row) return undefined;
    const earlier = row.dialog_id !== null && { dialogId: row.dialog_id, daoId, before: row.received_at };
    const history = earlier ? await newestTurns(db, earlier, claim.historyBytes) : [];
    return { ...toQuestion(row), history };
  }

  /** What a request asks, open or ended, without claiming it. */
  async question(id: string, daoId: string): Promise<OpenQuestion | undefined> {
    const row = await guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('requests')
        .innerJoin('turns', 'turns.request_id', 'requests.id')
        .innerJoin('daos', 'daos.id', 'requests.dao_id')
        .where('requests.id', '=', id)
        .where('requests.dao_id', '=', daoId)
        .select(RECORD_COLUMNS)
        .select(QUESTION_COLUMNS)
        .select(
          sql<boolean>`exists (
            select from turns earlier
            where earlier.dialog_id = turns.dialog_id and earlier.dao_id = turns.dao_id
              and earlier.created_at < requests.received_at and earlier.answer is not null
          )`.as('follows_turns'),
        )
        .executeTakeFirst(),
    );
    return row && { ...toQuestion(row), followsTurns: row.follows_turns };
  }

  /**
   * Ends a request with the answer of its latest run, and adds up what that used, in one statement.
   * @returns false if it had ended, or if this run is not the latest; then nothing was written
   */
  async recordAnswer(id: string, daoId: string, answer: Answer): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql<{ id: string }>`
        with request as (
          update requests set
            status = 'completed', provider = ${answer.provider}, usage = ${JSON.stringify(answer.usage)}::jsonb,
            attempts = ${JSON.stringify(answer.attempts)}::jsonb, timings = ${JSON.stringify(answer.timings)}::jsonb,
            origin = ${JSON.stringify(answer.origin)}::jsonb, ended_at = now()
          where id = ${id} and dao_id = ${daoId} and generation = ${answer.generation} and ended_at is null
          returning id, dao_id, key_id
        ), spent as (
          ${usageUpsert({ provider: answer.provider ?? answer.origin.step, usage: answer.usage })}
        )
        update turns set answer = ${answer.text}, finish_reason = ${answer.finishReason}
        from request where turns.request_id = request.id
        returning turns.request_id as id
      `.execute(this.tenants.of(daoId)),
    );
    return rows.length === 1;
  }

  /**
   * Adds up what a run used that gave no answer, of a request that is open or has ended. It answered nothing, so it is no
   * request more. Not to be repeated: it would count again. Does nothing if the answer of this very run was recorded.
   */
  async recordSpent(id: string, daoId: string, generation: number, spent: Omit<Spent, 'requests'>): Promise<void> {
    await guardStore(() =>
      sql`
        with request as (
          select dao_id, key_id from requests
          where id = ${id} and dao_id = ${daoId} and not (status = 'completed' and generation = ${generation})
        )
        ${usageUpsert({ ...spent, requests: 0 })}
      `.execute(this.tenants.of(daoId)),
    );
  }

  /** Ends a request without an answer. Returns false if it had ended already. */
  async recordEnding(id: string, daoId: string, ending: Ending): Promise<boolean> {
    const result = await guardStore(() =>
      this.tenants
        .of(daoId)
        .updateTable('requests')
        .set({
          status: ending.status,
          error: JSON.stringify(ending.error),
          attempts: JSON.stringify(ending.attempts),
          timings: JSON.stringify(ending.timings),
          ended_at: new Date(),
        })
        .where('id', '=', id)
        .where('dao_id', '=', daoId)
        .where('ended_at', 'is', null)
        .executeTakeFirst(),
    );
    return result.numUpdatedRows === 1n;
  }

  /**
   * Takes back a request whose start was refused, and frees its idempotency key.
   * @returns false if a call was begun for it although it should not have been: then it goes on
   */
  async refuse(id: string, daoId: string, error: ErrorObject): Promise<boolean> {
    const result = await guardStore(() =>
      this.tenants
        .of(daoId)
        .updateTable('requests')
        .set({ status: 'failed', error: JSON.stringify(error), ended_at: new Date(), idempotency_key: null })
        .where('id', '=', id)
        .where('dao_id', '=', daoId)
        .where('status', '=', 'accepted')
        .executeTakeFirst(),
    );
    return result.numUpdatedRows === 1n;
  }

  /** Requests that have not ended, oldest first, behind the id `after`. Ids are ordered by time. */
  async findOpen(filter: OpenFilter, after: string, limit: number): Promise<RequestRecord[]> {
    const { receivedBefore, overdueSince } = filter;
    const rows = await guardStore(() =>
      withTurn(this.tenants.all)
        .where('requests.ended_at', 'is', null)
        .where('requests.received_at', '<', receivedBefore)
        .where('requests.id', '>', after)
        .$if(overdueSince !== undefined, (query) =>
          query.where((eb) =>
            eb.or([
              eb('requests.status', '=', 'accepted'),
              eb('requests.deadline_at', '<', overdueSince ?? new Date(0)),
            ]),
          ),
        )
        .orderBy('requests.id')
        .limit(limit)
        .execute(),
    );
    return rows.map(toRecord);
  }

  /**
   * Accepted requests with what was decided about them and on what, newest first, from a moment on, behind the cursor.
   * @param daoId of this DAO alone; absent: of all
   */
  decided(since: Date, after: DecisionCursor | undefined, limit: number, daoId?: string): Promise<RecordedDecision[]> {
    const db = daoId === undefined ? this.tenants.all : this.tenants.of(daoId);
    return decidedRequests(db, since, after, limit);
  }
}

const withTurn = (db: Db) =>
  db
    .selectFrom('requests')
    .leftJoin('turns', 'turns.request_id', 'requests.id')
    .select(RECORD_COLUMNS)
    .select(['turns.answer', 'turns.finish_reason']);

const QUESTION_COLUMNS = [
  'turns.answer',
  'turns.finish_reason',
  'turns.prompt',
  'turns.dialog_id',
  'daos.name as dao_name',
  'daos.facts as dao_facts',
] as const;

type QuestionRow = Parameters<typeof toRecord>[0] & {
  prompt: string;
  dialog_id: string | null;
  dao_name: string;
  dao_facts: Record<string, string>;
};

const toQuestion = (row: QuestionRow): AskedQuestion => ({
  record: toRecord(row),
  prompt: row.prompt,
  daoName: row.dao_name,
  daoFacts: row.dao_facts,
  inSession: row.dialog_id !== null,
});
