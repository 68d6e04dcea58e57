import type { TokenLogprob, ToolCall } from './chat.js';
import type { CrewData } from './crew.js';
import type { ToolResult } from './devtools.js';
import type { Attempt, Mode, Origin, RequestStatus, Timings, Usage } from './request.js';

/** The `error` object of every answer outside `/v1`. */
export interface ErrorObject {
  code: string;
  message: string;
  [detail: string]: unknown;
}

interface BodyBase {
  request_id: string;
  workflow_id: string;
  status: RequestStatus;
  rule: string;
  rbac: { roles: string[]; entitlements: string[] };
  attempts: Attempt[];
  timings_ms: Timings;
}

interface AnswerBase extends BodyBase {
  ok: true;
  provider: string | null;
  usage: Usage | null;
  origin: Origin | null;
}

/** The answer to `/route` and `GET /requests/:id`, in whatever state the request is; `data` is null until it is there. */
export type RequestBody =
  | (AnswerBase & { mode: 'chat'; data: ChatData | null })
  | (AnswerBase & { mode: 'devtools'; data: ToolResult | null })
  | (AnswerBase & { mode: 'crew'; data: CrewData | null })
  | (BodyBase & { ok: false; mode: Mode; error: ErrorObject });

/** The answer of a chat, once it is there. */
export const chatDataOf = (body: RequestBody): ChatData | null => (body.ok && body.mode === 'chat' ? body.data : null);

/** An answer; what is absent was not there. */
export interface ChatData {
  text: string;
  finish_reason: string;
  reasoning?: string;
  tool_calls?: ToolCall[];
  logprobs?: TokenLogprob[];
  /** Little-endian 32-bit floats in base64; then the text is empty. */
  embeddings?: string[];
}
