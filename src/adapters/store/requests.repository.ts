import { sql } from 'kysely';
import type { ErrorObject } from '../../contracts/bodies.js';
import type { Attempt, Decision, Mode, Timings, Usage } from '../../contracts/request.js';
import type { Db } from './database.js';
import { guardStore } from './errors.js';
import { RECORD_COLUMNS, toRecord, type RequestRecord } from './request-record.js';

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
  decision: Decision;
  timings: Timings;
  receivedAt: Date;
  deadlineAt: Date;
  idempotency: Idempotency | undefined;
}

/** What a model needs to answer, gathered from the database. */
export interface GenerationJob {
  record: RequestRecord;
  prompt: string;
  daoName: string;
  daoFacts: Record<string, string>;
  /** Earlier turns of the session, newest first. */
  history: { prompt: string; answer: string }[];
}

export interface Answer {
  text: string;
  finishReason: string;
  provider: string;
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

/** Most turns of a session that are read; how many of them reach the model is decided by their length. */
const HISTORY_TURNS = 40;

/** Requests and turns. Every statement that changes an ended request is a no-op: an ending is final. */
export class RequestsRepository {
  constructor(private readonly db: Db) {}

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
            id, dao_id, actor, key_id, source, mode, agent, metadata, decision, status, timings,
            idempotency_scope, idempotency_key, body_hash, received_at, deadline_at
          ) values (
            ${request.id}, ${request.daoId}, ${request.actor}, ${request.keyId}, ${request.source ?? null},
            ${request.mode}, ${request.agent ?? null}, ${JSON.stringify(request.metadata)}::jsonb,
            ${JSON.stringify(decision)}::jsonb, 'accepted', ${JSON.stringify(request.timings)}::jsonb,
            ${idempotency?.scope ?? null}, ${idempotency?.key ?? null}, ${idempotency?.bodyHash ?? null},
            ${request.receivedAt}, ${request.deadlineAt}
          )
          on conflict (idempotency_scope, idempotency_key) where idempotency_key is not null do nothing
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
      `.execute(this.db),
    );
    return rows.length === 1;
  }

  /** The request that holds an idempotency key, if it is younger than `since`; an older one lets go of the key. */
  async findByIdempotency({ scope, key }: Idempotency, since: Date): Promise<RequestRecord | undefined> {
    const released = await guardStore(() =>
      this.db
        .updateTable('requests')
        .set({ idempotency_key: null })
        .where('idempotency_scope', '=', scope)
        .where('idempotency_key', '=', key)
        .where('received_at', '<', since)
        .executeTakeFirst(),
    );
    if (released.numUpdatedRows > 0n) return undefined;
    const row = await guardStore(() =>
      this.withTurn()
        .where('requests.idempotency_scope', '=', scope)
        .where('requests.idempotency_key', '=', key)
        .executeTakeFirst(),
    );
    return row && toRecord(row);
  }

  /** A request, of whatever DAO: who may see it is the caller's question. */
  async find(id: string): Promise<RequestRecord | undefined> {
    const row = await guardStore(() => this.withTurn().where('requests.id', '=', id).executeTakeFirst());
    return row && toRecord(row);
  }

  /**
   * Claims an open request for one run of a model: from here on the API cannot take it back, and an earlier run can no
   * longer write. Hands over everything that the model needs.
   * @param attempts failed attempts so far, to be seen by whoever asks meanwhile
   * @param historyBytes most bytes of UTF-8 that the earlier turns of the session may have together
   * @returns undefined if the request has ended
   */
  async claim(
    id: string,
    daoId: string,
    attempts: readonly Attempt[],
    historyBytes: number,
  ): Promise<GenerationJob | undefined> {
    const row = await guardStore(() =>
      this.db
        .updateTable('requests')
        .from('turns')
        .innerJoin('daos', 'daos.id', 'turns.dao_id')
        .set((eb) => ({
          status: 'running',
          generation: eb('requests.generation', '+', 1),
          attempts: JSON.stringify(attempts),
        }))
        .where('requests.id', '=', id)
        .where('requests.dao_id', '=', daoId)
        .where('requests.ended_at', 'is', null)
        .whereRef('turns.request_id', '=', 'requests.id')
        .returning(RECORD_COLUMNS)
        .returning(['turns.answer', 'turns.finish_reason', 'turns.prompt', 'turns.dialog_id'])
        .returning(['daos.name as dao_name', 'daos.facts as dao_facts'])
        .executeTakeFirst(),
    );
    if (!row) return undefined;
    const { prompt, dialog_id, dao_name: daoName, dao_facts: daoFacts } = row;
    const turns = dialog_id === null ? undefined : this.earlierTurns(dialog_id, daoId, row.received_at);
    const history = turns ? await this.newest(turns, historyBytes) : [];
    return { record: toRecord(row), prompt, daoName, daoFacts, history };
  }

  private earlierTurns(dialogId: string, daoId: string, before: Date) {
    return this.db
      .selectFrom('turns')
      .where('dialog_id', '=', dialogId)
      .where('dao_id', '=', daoId)
      .where('created_at', '<', before)
      .where('answer', 'is not', null)
      .orderBy('created_at', 'desc')
      .limit(HISTORY_TURNS)
      .select(['prompt', 'answer', 'created_at']);
  }

  /** The newest turns that fit together. The lengths are known without the texts, so what is too long is never read. */
  private async newest(
    turns: ReturnType<RequestsRepository['earlierTurns']>,
    bytes: number,
  ): Promise<GenerationJob['history']> {
    const sum = sql<number>`sum(octet_length(prompt) + octet_length(answer))
      over (order by created_at desc rows unbounded preceding)`;
    const measured = this.db.selectFrom(turns.as('turn')).selectAll().select(sum.as('bytes'));
    const rows = await guardStore(() =>
      this.db
        .selectFrom(measured.as('measured'))
        .where('bytes', '<=', bytes)
        .orderBy('created_at', 'desc')
        .select(['prompt', 'answer'])
        .execute(),
    );
    return rows.map(({ prompt, answer }) => ({ prompt, answer: answer ?? '' }));
  }

  /** Ends a request with the answer of its latest run. Returns false if it had ended, or if this run is not the latest. */
  async recordAnswer(id: string, daoId: string, answer: Answer): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql<{ id: string }>`
        with request as (
          update requests set
            status = 'completed', provider = ${answer.provider}, usage = ${JSON.stringify(answer.usage)}::jsonb,
            attempts = ${JSON.stringify(answer.attempts)}::jsonb, timings = ${JSON.stringify(answer.timings)}::jsonb,
            ended_at = now()
          where id = ${id} and dao_id = ${daoId} and generation = ${answer.generation} and ended_at is null
          returning id
        )
        update turns set answer = ${answer.text}, finish_reason = ${answer.finishReason}
        from request where turns.request_id = request.id
        returning turns.request_id as id
      `.execute(this.db),
    );
    return rows.length === 1;
  }

  /** Ends a request without an answer. Returns false if it had ended already. */
  async recordEnding(id: string, daoId: string, ending: Ending): Promise<boolean> {
    const result = await guardStore(() =>
      this.db
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
  async refuse(id: string, error: ErrorObject): Promise<boolean> {
    const result = await guardStore(() =>
      this.db
        .updateTable('requests')
        .set({ status: 'failed', error: JSON.stringify(error), ended_at: new Date(), idempotency_key: null })
        .where('id', '=', id)
        .where('status', '=', 'accepted')
        .executeTakeFirst(),
    );
    return result.numUpdatedRows === 1n;
  }

  /** Requests that have not ended, oldest first, behind the id `after`. Ids are ordered by time. */
  async findOpen(filter: OpenFilter, after: string, limit: number): Promise<RequestRecord[]> {
    const { receivedBefore, overdueSince } = filter;
    const rows = await guardStore(() =>
      this.withTurn()
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

  private withTurn() {
    return this.db
      .selectFrom('requests')
      .leftJoin('turns', 'turns.request_id', 'requests.id')
      .select(RECORD_COLUMNS)
      .select(['turns.answer', 'turns.finish_reason']);
  }
}
