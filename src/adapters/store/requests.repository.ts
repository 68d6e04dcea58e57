import { sql, type RawBuilder } from 'kysely';
import type { AccessFacts } from '../../contracts/access.js';
import type { ErrorObject } from '../../contracts/bodies.js';
import type { AnswerParts, ModelCall } from '../../contracts/chat.js';
import { FIRST_GENERATION } from '../../contracts/running-call.js';
import type { ToolRequest, WriteJournal } from '../../contracts/devtools.js';
import type { Attempt, Decision, Mode, Origin, Timings, Usage } from '../../contracts/request.js';
import type { RecordedDecision } from '../../contracts/whatif.js';
import type { Tenants } from './tenants.js';
import { guardStore } from './errors.js';
import { decidedRequests, type DecisionCursor } from './recorded-decisions.js';
import type { RequestRecord } from './request-record.js';
import { beginRun, closingRun, endingRun, guardRun, type NewRun } from './run-requests.js';
import { findByKey, findRequest, openRequests, type OpenFilter } from './find-requests.js';
import { claimTool, isLatestRun, keepJournal, recordToolResult, type ToolEnd, type ToolJob } from './tool-jobs.js';
import {
  backgroundOf,
  claimJob,
  openQuestion,
  type Background,
  type Claim,
  type GenerationJob,
  type OpenQuestion,
  type Turn,
} from './generation-jobs.js';
import { usageUpsert, type Spent } from './usage.repository.js';

export type { AskedQuestion, Background, Claim, GenerationJob, OpenQuestion } from './generation-jobs.js';
export type { RequestRecord } from './request-record.js';
export type { ToolEnd, ToolJob } from './tool-jobs.js';

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
  /** Id of the chat in whose dialog it is a turn. */
  chat?: string | undefined;
  prompt: string;
  metadata: Readonly<Record<string, unknown>>;
  /** What the decision was made on, beside what stands here anyway. */
  access: AccessFacts;
  decision: Decision;
  timings: Timings;
  receivedAt: Date;
  deadlineAt: Date;
  idempotency: Idempotency | undefined;
  /** The virtual model that a client of `/v1` asked for, and its own conversation. */
  model?: string | undefined;
  call?: ModelCall | undefined;
  /** Of mode devtools: what is to be done. */
  tool?: ToolRequest | undefined;
  /** Of mode crew: what the run is given. */
  run?: NewRun | undefined;
  /** The provider that is being asked already: the row belongs to that call from the start. */
  begunAt?: string | undefined;
}

export interface Answer {
  text: string;
  parts?: AnswerParts;
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

/** The dialog of a principal's session, made with its first turn. */
const ofSession = ({ daoId, actor, source }: NewRequest, sessionId: string | null): RawBuilder<unknown> => sql`
  insert into dialogs (id, dao_id, actor, session_id, source)
  select request.id, ${daoId}, ${actor}, ${sessionId}::text, ${source ?? null}
  from request where ${sessionId}::text is not null
  on conflict (dao_id, actor, session_id) do update set source = excluded.source
`;

/** The dialog of a chat with a DAO, made with its first turn. */
const ofChat = ({ daoId, source }: NewRequest, chat: string): RawBuilder<unknown> => sql`
  insert into dialogs (id, dao_id, chat, source)
  select request.id, ${daoId}, ${chat}::text, ${source ?? null} from request
  on conflict (dao_id, chat) where chat is not null do update set source = excluded.source
`;

const NO_KEY: Record<keyof Idempotency, null> = { scope: null, key: null, bodyHash: null };

const hasParts = (parts: AnswerParts | undefined): boolean => parts !== undefined && Object.keys(parts).length > 0;

/** Requests and turns. Every statement that changes an ended request is a no-op: an ending is final. */
export class RequestsRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * Writes request, dialog and turn in one statement.
   * @returns false if the idempotency key is taken; then nothing was written
   */
  async accept(request: NewRequest): Promise<boolean> {
    const {
      idempotency: owner = NO_KEY,
      decision,
      sessionId = null,
      chat = null,
      source = null,
      agent = null,
      model = null,
      begunAt = null,
      run,
    } = request;
    const { rows } = await guardRun(run, () =>
      sql<{ id: string }>`
        with request as (
          insert into requests (
            id, dao_id, actor, key_id, source, mode, agent, metadata, access, decision, status, timings,
            idempotency_scope, idempotency_key, body_hash, received_at, deadline_at, model, generation, provider
          ) values (
            ${request.id}, ${request.daoId}, ${request.actor}, ${request.keyId}, ${source},
            ${request.mode}, ${agent}, ${JSON.stringify(request.metadata)}::jsonb,
            ${JSON.stringify(request.access)}::jsonb, ${JSON.stringify(decision)}::jsonb, 'accepted', ${JSON.stringify(request.timings)}::jsonb,
            ${owner.scope}, ${owner.key}, ${owner.bodyHash},
            ${request.receivedAt}, ${request.deadlineAt}, ${model},
            ${begunAt === null ? 0 : FIRST_GENERATION}, ${begunAt}
          )
          on conflict (dao_id, idempotency_scope, idempotency_key) where idempotency_key is not null do nothing
          returning id
        ), dialog as (
          ${chat === null ? ofSession(request, sessionId) : ofChat(request, chat)}
          returning id
        )${run ? beginRun(request, run) : sql``}
        insert into turns (request_id, dao_id, dialog_id, prompt, created_at, call, tool)
        select request.id, ${request.daoId}, (select id from dialog), ${request.prompt}, ${request.receivedAt},
          ${request.call ? JSON.stringify(request.call) : null}::jsonb,
          ${request.tool ? JSON.stringify(request.tool) : null}::jsonb
        from request
        returning request_id as id
      `.execute(this.tenants.of(request.daoId)),
    );
    return rows.length === 1;
  }

  /** The request that holds an idempotency key. One that has ended, and is older than `since`, lets go of it. */
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
        // A run may wait for people for weeks: sent again, it must not begin once more.
        .where('ended_at', 'is not', null)
        .executeTakeFirst(),
    );
    if (released.numUpdatedRows > 0n) return undefined;
    return findByKey(db, daoId, { scope, key });
  }

  /** A request of one DAO, or (null) of whatever DAO: who may see it is the caller's question. */
  find(id: string, daoId: string | null): Promise<RequestRecord | undefined> {
    return findRequest(daoId === null ? this.tenants.all : this.tenants.of(daoId), id);
  }

  /**
   * Claims an open request for one run of a model, or for an answer that needs none: from here on the API cannot take
   * it back, and an earlier run can no longer write. Hands over everything that the model needs.
   * @returns undefined if the request has ended
   */
  claim(id: string, daoId: string, claim: Claim): Promise<GenerationJob | undefined> {
    return claimJob(this.tenants.of(daoId), id, daoId, claim);
  }

  /**
   * Claims an open request of mode devtools for one run of its tool, as `claim` does.
   * @returns undefined if the request has ended
   */
  claimTool(id: string, daoId: string): Promise<ToolJob | undefined> {
    return claimTool(this.tenants.of(daoId), id, daoId);
  }

  /** Whether a run of a tool is the latest one of a request that is open: only then may it change anything. */
  isLatestRun(id: string, daoId: string, generation: number): Promise<boolean> {
    return isLatestRun(this.tenants.of(daoId), id, daoId, generation);
  }

  /**
   * Keeps what the latest run of a tool is about to write.
   * @returns false if the request had ended, or if this run is not the latest; then nothing was kept
   */
  keepJournal(id: string, daoId: string, run: { generation: number; journal: WriteJournal }): Promise<boolean> {
    return keepJournal(this.tenants.of(daoId), id, daoId, run);
  }

  /**
   * Ends a request with what the latest run of its tool gave.
   * @returns false if it had ended, or if this run is not the latest; then nothing was written
   */
  recordToolResult(id: string, daoId: string, end: ToolEnd): Promise<boolean> {
    return recordToolResult(this.tenants.of(daoId), id, daoId, end);
  }

  /** What a request asks, open or ended, without claiming it. */
  question(id: string, daoId: string): Promise<OpenQuestion | undefined> {
    return openQuestion(this.tenants.of(daoId), id, daoId);
  }

  /** What a model is told before a turn that is about to be written down. Undefined: there is no such DAO. */
  background(turn: Turn): Promise<Background | undefined> {
    return backgroundOf(this.tenants.of(turn.daoId), turn);
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
          returning id, dao_id, key_id, run_id
        ), spent as (
          ${usageUpsert({ provider: answer.provider ?? answer.origin.step, usage: answer.usage })}
        )
        update turns set
          answer = ${answer.text}, finish_reason = ${answer.finishReason},
          parts = ${hasParts(answer.parts) ? JSON.stringify(answer.parts) : null}::jsonb,
          call = case when request.run_id is null then null else turns.call end
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
          select dao_id, key_id, run_id from requests
          where id = ${id} and dao_id = ${daoId} and not (status = 'completed' and generation = ${generation})
        ), lost as (
          update crew_runs set
            lost_tokens = lost_tokens + ${spent.usage.total_tokens}, lost_usd = lost_usd + ${spent.usage.cost_usd ?? 0}
          from request where crew_runs.run_id = request.run_id
        )
        ${usageUpsert({ ...spent, requests: 0 })}
      `.execute(this.tenants.of(daoId)),
    );
  }

  /**
   * Adds up what a call used that was begun for a request that may never have been written down. Not to be repeated, and
   * not to be used once somebody may have recorded what it said.
   */
  async recordUnwanted({ daoId, keyId }: Pick<NewRequest, 'daoId' | 'keyId'>, spent: Spent): Promise<void> {
    await guardStore(() =>
      sql`
        with request as (select ${daoId}::text as dao_id, ${keyId}::text as key_id)
        ${usageUpsert({ ...spent, requests: 0 })}
      `.execute(this.tenants.of(daoId)),
    );
  }

  /**
   * Forgets of old answers what is large and wanted only by whoever repeats a request: vectors and probabilities.
   * @returns how many there were
   */
  async dropBulk(olderThan: Date): Promise<number> {
    const { numAffectedRows } = await guardStore(() =>
      sql`
        update turns set parts = parts - 'embeddings' - 'logprobs'
        where created_at < ${olderThan} and parts ?| array['embeddings', 'logprobs']
      `.execute(this.tenants.all),
    );
    return Number(numAffectedRows ?? 0);
  }

  /** Ends a request without an answer. Returns false if it had ended already. */
  async recordEnding(id: string, daoId: string, ending: Ending): Promise<boolean> {
    const { status, error, attempts, timings } = ending;
    return this.endedWithout(
      daoId,
      sql`
        update requests set
          status = ${status}, error = ${JSON.stringify(error)}::jsonb, attempts = ${JSON.stringify(attempts)}::jsonb,
          timings = ${JSON.stringify(timings)}::jsonb, ended_at = now()
        where id = ${id} and dao_id = ${daoId} and ended_at is null
        returning id, run_id
      `,
    );
  }

  /**
   * Takes back a request whose start was refused, and frees its idempotency key.
   * @param begun whether a call had been begun beside the start
   * @returns false if another call was begun for it although it should not have been: then it goes on
   */
  async refuse(id: string, daoId: string, error: ErrorObject, begun = false): Promise<boolean> {
    return this.endedWithout(
      daoId,
      sql`
        update requests set
          status = 'failed', error = ${JSON.stringify(error)}::jsonb, ended_at = now(), idempotency_key = null
        where id = ${id} and dao_id = ${daoId} and status = 'accepted'
          and generation = ${begun ? FIRST_GENERATION : 0}
        returning id, run_id
      `,
    );
  }

  /** Says of a request that its first call is under way: of one that was begun beside the start, and lasts. */
  async markRunning(id: string, daoId: string): Promise<void> {
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .updateTable('requests')
        .set({ status: 'running' })
        .where('id', '=', id)
        .where('dao_id', '=', daoId)
        .where('status', '=', 'accepted')
        .execute(),
    );
  }

  /** Runs a statement that ends a request, and drops the conversation that its client sent: it has it still. */
  private async endedWithout(daoId: string, ending: RawBuilder<unknown>): Promise<boolean> {
    const db = this.tenants.of(daoId);
    const { rows } = await guardStore(() =>
      sql<{ id: string; is_run: boolean }>`
        with request as (${ending}), ${endingRun}, emptied as (
          update turns set call = null from request
          where turns.request_id = request.id and turns.call is not null and request.run_id is null
        )
        select id, exists (select from runs) as is_run from request
      `.execute(db),
    );
    const [ended] = rows;
    // Whoever had the run locked meanwhile may have written down what that statement could not see.
    if (ended?.is_run)
      await guardStore(() => sql`with request as (select ${ended.id} as id), ${closingRun} select`.execute(db));
    return ended !== undefined;
  }

  /** Requests that have not ended, oldest first, behind the id `after`. Ids are ordered by time. */
  findOpen(filter: OpenFilter, after: string, limit: number): Promise<RequestRecord[]> {
    return openRequests(this.tenants.all, filter, after, limit);
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
