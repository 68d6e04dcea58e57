import type { ChatData, ErrorObject, RequestBody } from '../contracts/bodies.js';
import type { AnswerParts } from '../contracts/chat.js';
import type { CrewData } from '../contracts/crew.js';
import type { ToolResult } from '../contracts/devtools.js';
import type { PositionedEvent } from '../contracts/events.js';
import { requestWorkflowId } from '../contracts/ids.js';
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
  /** Of mode devtools what the tool gave, of a crew what it came to. */
  result?: ToolResult | CrewData | null;
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
    workflow_id: requestWorkflowId(source.id, decision),
    status: source.status,
    rule: decision.rule,
    rbac: { roles: decision.roles, entitlements: decision.entitlements },
    attempts: source.attempts,
    timings_ms: source.timings,
  };
  const { mode, error, provider, usage, origin } = source;
  if (error) return { ok: false, ...base, mode, error };
  const answer = { ok: true as const, ...base, provider, usage, origin };
  switch (mode) {
    case 'chat':
      return { ...answer, mode, data: dataOf(source) };
    case 'devtools':
      return { ...answer, mode, data: (source.result ?? null) as ToolResult | null };
    case 'crew':
      return { ...answer, mode, data: (source.result ?? null) as CrewData | null };
  }
}

/** The event that every stream of a request begins with. */
export function routeEvent(requestId: string, decision: Decision): PositionedEvent {
  const { mode, rule, chain } = decision;
  const providers = chain.map((step) => step.provider);
  const data = { request_id: requestId, workflow_id: requestWorkflowId(requestId, decision), mode, rule, providers };
  return { type: 'route', data, position: { generation: 0, offset: 0 } };
}
