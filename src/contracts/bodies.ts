import type { TokenLogprob, ToolCall } from './chat.js';
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
  mode: Mode;
  rule: string;
  rbac: { roles: string[]; entitlements: string[] };
  attempts: Attempt[];
  timings_ms: Timings;
}

/** The answer to `/route` and `GET /requests/:id`, in whatever state the request is. */
export type RequestBody =
  | (BodyBase & {
      ok: true;
      provider: string | null;
      data: ChatData | null;
      usage: Usage | null;
      origin: Origin | null;
    })
  | (BodyBase & { ok: false; error: ErrorObject });

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
