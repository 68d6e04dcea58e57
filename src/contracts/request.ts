import type { Failure } from './failures.js';

export const MODES = ['chat', 'crew', 'devtools'] as const;
export type Mode = (typeof MODES)[number];

/** A request to `/route` in one shape, whatever names the client used. */
export interface RouteSubmission {
  prompt: string;
  mode: Mode;
  agent: string | undefined;
  daoId: string | undefined;
  userId: string | undefined;
  sessionId: string | undefined;
  source: string | undefined;
  metadata: Record<string, unknown>;
}

/** Where a call to a model runs; see docs/adr/0003. `eager`: workflow's own queue; `queue`: the step's own queue. */
export const CALL_SHAPES = ['eager', 'local', 'queue'] as const;
export type CallShape = (typeof CALL_SHAPES)[number];

/** What a provider allows a call to cost, independent of how it is reached. */
export interface ProviderPolicy {
  shape: CallShape;
  queue: string;
  /** Longest time that one call may take, in milliseconds. */
  timeoutMs: number;
  /** Longest wait for a free worker on another queue before the next provider is tried, in milliseconds. */
  queueTimeoutMs: number;
  maxTokens: number;
  /** How often this provider is tried before the next one. */
  maxAttempts: number;
  /** Pause between two attempts at this provider, in milliseconds. */
  retryDelayMs: number;
}

/** One link of the chain of providers that a request may use. */
export interface ProviderStep extends ProviderPolicy {
  /** Name of the provider in the profile. */
  provider: string;
}

/** What was decided about a request before it ran. Recorded once, in the database and in the workflow's history. */
export interface Decision {
  mode: Mode;
  rule: string;
  chain: ProviderStep[];
  roles: string[];
  entitlements: string[];
  /** Budget of the whole request, in milliseconds. */
  deadlineMs: number;
  /** Hash of the configuration under which this was decided. */
  configHash: string;
}

/** `accepted`: written down, no call has begun. `running`: a call was begun at least once. The others are final. */
export const REQUEST_STATUSES = ['accepted', 'running', 'completed', 'failed', 'cancelled'] as const;
export type RequestStatus = (typeof REQUEST_STATUSES)[number];

/** One try at one provider, as told to the caller. */
export interface Attempt {
  provider: string;
  status: 'ok' | 'failed';
  ms: number;
  error?: string;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** True where the provider did not count and a tokenizer of ours did. */
  estimated?: boolean;
}

/** Input of the workflow `routeRequest`. Ids only: texts stay in the database. */
export interface RouteRequestInput {
  version: 1;
  requestId: string;
  daoId: string;
  actor: string;
  /** When the whole request must have ended: Unix time in milliseconds. */
  deadlineAt: number;
  decision: Decision;
}

export interface GenerateInput {
  requestId: string;
  daoId: string;
  actor: string;
  step: ProviderStep;
  deadlineAt: number;
  /** When the workflow asked for this call: Unix time in milliseconds. The difference to its start is queue time. */
  scheduledAt: number;
  /** Failed attempts so far, to be recorded with the answer. */
  attempts: Attempt[];
}

/** What `generate` tells the workflow. The text itself is in the database. */
export type GenerateResult =
  | { outcome: 'recorded'; provider: string; finishReason: string; usage: Usage }
  /** The request had already ended otherwise (refused start, cancel, another run): nothing was bought or written. */
  | { outcome: 'superseded'; status: RequestStatus };

export interface RecordFailureInput {
  requestId: string;
  daoId: string;
  actor: string;
  status: 'failed' | 'cancelled';
  failure: Failure;
  attempts: Attempt[];
}

/** Result of the workflow `routeRequest`. */
export interface RouteRequestResult {
  status: RequestStatus;
  provider?: string;
  usage?: Usage;
  attempts: Attempt[];
  failure?: Failure;
}

/** Milliseconds spent in each part; what is not known yet is absent. */
export interface Timings {
  gateway?: number;
  rbac?: number;
  queue?: number;
  llm?: number;
  total?: number;
}
