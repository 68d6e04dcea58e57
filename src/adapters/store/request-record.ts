import type { Selectable } from 'kysely';
import type { ErrorObject } from '../../contracts/bodies.js';
import type { CrewData } from '../../contracts/crew.js';
import type { ToolResult } from '../../contracts/devtools.js';
import type { AnswerParts } from '../../contracts/chat.js';
import type { Attempt, Decision, Mode, Origin, RequestStatus, Timings, Usage } from '../../contracts/request.js';
import type { RequestsTable } from './schema.js';

/** A request with its turn, as stored. */
export interface RequestRecord {
  id: string;
  daoId: string;
  actor: string;
  mode: Mode;
  decision: Decision;
  status: RequestStatus;
  provider: string | null;
  usage: Usage | null;
  attempts: Attempt[];
  timings: Timings;
  error: ErrorObject | null;
  generation: number;
  bodyHash: string | null;
  receivedAt: Date;
  deadlineAt: Date;
  answer: string | null;
  finishReason: string | null;
  origin: Origin | null;
  /** The virtual model that a client of `/v1` asked for. */
  model: string | null;
  /** What the answer holds beside its text. */
  parts: AnswerParts | null;
  /** Of mode devtools what the tool gave, of a crew what it came to. */
  result: ToolResult | CrewData | null;
  /** Of a step: the request of its run. */
  runId: string | null;
}

/** What a record is made of. Not the metadata: they may be large, and nobody asks for them again. */
export const RECORD_COLUMNS = [
  'requests.id',
  'requests.dao_id',
  'requests.actor',
  'requests.mode',
  'requests.decision',
  'requests.status',
  'requests.provider',
  'requests.usage',
  'requests.attempts',
  'requests.timings',
  'requests.error',
  'requests.generation',
  'requests.body_hash',
  'requests.received_at',
  'requests.deadline_at',
  'requests.origin',
  'requests.model',
  'requests.run_id',
] as const;

type Unprefixed<T> = T extends `requests.${infer Name}` ? Name : never;
/** A row of these columns, with its turn. */
type Row = Pick<Selectable<RequestsTable>, Unprefixed<(typeof RECORD_COLUMNS)[number]>> & {
  answer: string | null;
  finish_reason: string | null;
  parts: AnswerParts | null;
  result: ToolResult | CrewData | null;
};

/** What of a turn belongs to a record. */
export const TURN_COLUMNS = ['turns.answer', 'turns.finish_reason', 'turns.parts', 'turns.result'] as const;

/** A record of a row that was read with these columns. */
export const toRecord = (row: Row): RequestRecord => ({
  id: row.id,
  daoId: row.dao_id,
  actor: row.actor,
  mode: row.mode,
  decision: row.decision,
  status: row.status,
  provider: row.provider,
  usage: row.usage,
  attempts: row.attempts,
  timings: row.timings,
  error: row.error,
  generation: row.generation,
  bodyHash: row.body_hash,
  receivedAt: row.received_at,
  deadlineAt: row.deadline_at,
  answer: row.answer,
  finishReason: row.finish_reason,
  origin: row.origin,
  model: row.model,
  parts: row.parts,
  result: row.result,
  runId: row.run_id,
});
