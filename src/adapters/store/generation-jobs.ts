import { sql } from 'kysely';
import type { ModelCall } from '../../contracts/chat.js';
import type { Attempt } from '../../contracts/request.js';
import { guardStore } from './errors.js';
import { RECORD_COLUMNS, toRecord, TURN_COLUMNS, type RequestRecord } from './request-record.js';
import { newestTurns, type EarlierTurn } from './session-history.js';
import type { Db } from './tenants.js';

/** What a model is told before the question, where the client sends no conversation of its own. */
export interface Background {
  daoName: string;
  daoFacts: Record<string, string>;
  /** Earlier turns of the session, newest first. */
  history: EarlierTurn[];
  /** Of what was said before them, where it was made; null: it was not. */
  summary: string | null;
}

/** What was asked, of whom. */
export interface AskedQuestion {
  record: RequestRecord;
  prompt: string;
  /** The client's own conversation; null: there is none. */
  call: ModelCall | null;
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
export type GenerationJob = AskedQuestion & Background;

/** How a request is claimed. */
export interface Claim {
  /** The provider that is asked now; null where no model is. */
  provider: string | null;
  /** Attempts so far, to be seen by whoever asks meanwhile. */
  attempts: readonly Attempt[];
  /** Most bytes of UTF-8 that the earlier turns of the session may have together. */
  historyBytes: number;
}

/** A turn that is about to be asked, with as much of the past as may go with it. */
export interface Turn {
  daoId: string;
  actor: string;
  /** Undefined: it belongs to no session. */
  sessionId: string | undefined;
  /** Undefined: it belongs to no chat. */
  chat?: string | undefined;
  receivedAt: Date;
  historyBytes: number;
}

const QUESTION_COLUMNS = [
  ...TURN_COLUMNS,
  'turns.prompt',
  'turns.call',
  'turns.dialog_id',
  'daos.name as dao_name',
  'daos.facts as dao_facts',
] as const;

type QuestionRow = Parameters<typeof toRecord>[0] & {
  prompt: string;
  call: ModelCall | null;
  dialog_id: string | null;
  dao_name: string;
  dao_facts: Record<string, string>;
};

const toQuestion = (row: QuestionRow): AskedQuestion => ({
  record: toRecord(row),
  prompt: row.prompt,
  call: row.call,
  daoName: row.dao_name,
  daoFacts: row.dao_facts,
  inSession: row.dialog_id !== null,
});

/**
 * Raises the generation of an open request, and reads what the model needs.
 * @returns undefined if the request has ended
 */
export async function claimJob(db: Db, id: string, daoId: string, claim: Claim): Promise<GenerationJob | undefined> {
  const row = await guardStore(() =>
    db
      .updateTable('requests')
      .from('turns')
      .innerJoin('daos', 'daos.id', 'turns.dao_id')
      .leftJoin('dialogs', 'dialogs.id', 'turns.dialog_id')
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
      .returning(['dialogs.summary', 'dialogs.summarised_to'])
      .executeTakeFirst(),
  );
  if (!row) return undefined;
  const { dialog_id: dialogId, summary, summarised_to: after } = row;
  const earlier = dialogId !== null && { dialogId, daoId, before: row.received_at, after };
  const history = earlier ? await newestTurns(db, earlier, claim.historyBytes) : [];
  return { ...toQuestion(row), history, summary };
}

/** What a request asks, open or ended. */
export async function openQuestion(db: Db, id: string, daoId: string): Promise<OpenQuestion | undefined> {
  const row = await guardStore(() =>
    db
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

/** What a model is told before a turn that is not written down yet. Undefined: there is no such DAO. */
export async function backgroundOf(db: Db, turn: Turn): Promise<Background | undefined> {
  const { daoId, actor, sessionId, chat, receivedAt, historyBytes } = turn;
  const row = await guardStore(() =>
    db
      .selectFrom('daos')
      .leftJoin('dialogs', (join) =>
        chat === undefined
          ? join
              .onRef('dialogs.dao_id', '=', 'daos.id')
              .on('dialogs.actor', '=', actor)
              .on('dialogs.session_id', '=', sessionId ?? null)
          : join.onRef('dialogs.dao_id', '=', 'daos.id').on('dialogs.chat', '=', chat),
      )
      .where('daos.id', '=', daoId)
      .select(['daos.name', 'daos.facts', 'dialogs.id as dialog_id', 'dialogs.summary', 'dialogs.summarised_to'])
      .executeTakeFirst(),
  );
  if (!row) return undefined;
  const { dialog_id: dialogId, summary, summarised_to: after } = row;
  const earlier = dialogId !== null && { dialogId, daoId, before: receivedAt, after };
  const history = earlier ? await newestTurns(db, earlier, historyBytes) : [];
  return { daoName: row.name, daoFacts: row.facts, history, summary };
}
