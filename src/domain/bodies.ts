import type { ChatData, ErrorObject, RequestBody } from '../contracts/bodies.js';
import type { AnswerParts } from '../contracts/chat.js';
import type { PositionedEvent } from '../contracts/events.js';
import { routeWorkflowId } from '../contracts/ids.js';
import type { Attempt, Decision, Mode, Origin, RequestStatus, Timings, Usage } from '../contracts/request.js';

/** What a body is made of: a request as recorded. */
export interface BodySource {
  id: string;
  mode: Mode;
  status: RequestStatus;
  decision: Decision;
  provider: string | null;
  usage: Usage | null;
  attempts: Attempt[];
  timings: Timings;
  error: ErrorObject | null;
  answer: string | null;
  finishReason: string | null;
  origin: Origin | null;
  parts?: AnswerParts | null;
}

/** Whether a request in this status has ended. */
export const isFinal = (status: RequestStatus): boolean => status !== 'accepted' && status !== 'running';

function dataOf({ answer, finishReason, parts }: BodySource): ChatData | null {
  if (answer === null) return null;
  const { reasoning, toolCalls, logprobs, embeddings } = parts ?? {};
  return {
    text: answer,
    finish_reason: finishReason ?? 'stop',
    ...(reasoning !== undefined && { reasoning }),
    ...(toolCalls && { tool_calls: toolCalls }),
    ...(logprobs && { logprobs }),
    ...(embeddings && { embeddings }),
  };
}

/** The body of a request in whatever state it is: the same for `/route`, `GET /requests/:id` and the last event. */
export function requestBody(source: BodySource): RequestBody {
  const { decision } = source;
  const base = {
    request_id: source.id,
    workflow_id: routeWorkflowId(source.id),
    status: source.status,
    mode: source.mode,
    rule: decision.rule,
    rbac: { roles: decision.roles, entitlements: decision.entitlements },
    attempts: source.attempts,
    timings_ms: source.timings,
  };
  if (source.error) return { ok: false, ...base, error: source.error };
  const data = dataOf(source);
  return { ok: true, ...base, provider: source.provider, data, usage: source.usage, origin: source.origin };
}

/** The event that every stream of a request begins with. */
export function routeEvent(requestId: string, { mode, rule, chain }: Decision): PositionedEvent {
  const providers = chain.map((step) => step.provider);
  const data = { request_id: requestId, workflow_id: routeWorkflowId(requestId), mode, rule, providers };
  return { type: 'route', data, position: { generation: 0, offset: 0 } };
}
