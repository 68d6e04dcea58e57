import type { AccessFacts, Entitlement } from './access.js';
import type { ModelCall } from './chat.js';
import type { ToolName, ToolRequest } from './devtools.js';
import type { Failure, FailureType } from './failures.js';

export const MODES = ['chat', 'crew', 'devtools'] as const;
export type Mode = (typeof MODES)[number];

/** The entitlement that each mode needs. */
export const MODE_ENTITLEMENTS: Readonly<Record<Mode, Entitlement>> = {
  chat: 'chat.write',
  crew: 'agent.crew',
  devtools: 'agent.devtools',
};

/** Who goes first where requests wait: the lower number. */
export const MODE_PRIORITY: Readonly<Record<Mode, number>> = { chat: 1, crew: 3, devtools: 4 };
/** Of turns of dialogs. */
export const DIALOG_PRIORITY = 2;

/** A request to `/route` in one shape, whatever names the client used. */
export interface RouteSubmission {
  prompt: string;
  mode: Mode;
  agent: string | undefined;
  daoId: string | undefined;
  userId: string | undefined;
  sessionId: string | undefined;
  /** Id of the chat in whose dialog this is a turn; then it is of no session. */
  chat?: string;
  source: string | undefined;
  metadata: Record<string, unknown>;
  /** The virtual model that a client of `/v1` asked for: `dagi-stack`, or `provider/<name>`. */
  model?: string;
  /** The client's own conversation, in place of what the stack would put together around the prompt. */
  call?: ModelCall;
  /** Of mode devtools: what is to be done. */
  tool?: ToolRequest;
  /** Of mode crew: which, and what it is given. */
  crew?: CrewRequest;
}

/** What is asked of a crew. */
export interface CrewRequest {
  id: string;
  inputs: Record<string, unknown>;
  /** A run whose outputs are taken over where nothing that they depend on is different. */
  base?: { runId: string; from?: string };
}

/** Where a call to a model runs; see docs/adr/0003. `eager`: workflow's own queue; `queue`: the step's own queue. */
export const CALL_SHAPES = ['eager', 'local', 'queue'] as const;
export type CallShape = (typeof CALL_SHAPES)[number];

/** Questions that can be answered without a model. */
export const KNOWN_QUESTIONS = ['help', 'dao', 'roles'] as const;
export type KnownQuestion = (typeof KNOWN_QUESTIONS)[number];

/** US dollars for a million tokens. */
export interface Price {
  prompt: number;
  completion: number;
}

/** How answers of a rule are kept for others who ask the same. */
export interface CachePolicy {
  ttlMs: number;
  /** Most answers that are kept for one DAO and rule; the oldest go first. */
  maxEntries: number;
}

/** A bounded number of calls at once, shared by all processes, with a bounded queue in front. */
export interface PoolPolicy {
  /** Providers of one pool share its slots: those of one Ollama host do. */
  name: string;
  slots: number;
  maxWaiting: number;
  maxWaitMs: number;
}

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
  /** Absent: any number of calls at once. */
  pool?: PoolPolicy;
  price?: Price;
}

/** One link of the chain of providers that a request may use. */
export interface ProviderStep extends ProviderPolicy {
  /** Name of the provider in the profile. */
  provider: string;
}

/** The crew that a request asks for, as it was found. */
export interface CrewChoice {
  id: string;
  version: string;
  /** Whether it is open to those who may not use crews, about themselves. */
  guests?: boolean;
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
  /** Place among those who wait, the lower first; absent: that of the mode. */
  priority?: number;
  /** Share of the DAO in a pool; absent: 1. */
  weight?: number;
  cache?: CachePolicy;
  /** What can be answered without a model when no provider can, or at once where the chain is empty. */
  answer?: KnownQuestion;
  /** The tool of a request of mode devtools, which needs no provider. */
  tool?: ToolName;
  /** The crew of a request of mode crew, and the version of it that does the work to the end. */
  crew?: CrewChoice;
  /** Hash of the configuration under which this was decided. */
  configHash: string;
}

/** `accepted`: written down, no call has begun. `running`: a call was begun at least once. The others are final. */
export const REQUEST_STATUSES = ['accepted', 'running', 'completed', 'failed', 'cancelled'] as const;
export type RequestStatus = (typeof REQUEST_STATUSES)[number];

/** One try at one provider, as told to the caller. `skipped`: it was not asked, for the reason in `error`. */
export interface Attempt {
  provider: string;
  status: 'ok' | 'failed' | 'skipped';
  ms: number;
  error?: string;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** True where the provider did not count and a tokenizer of ours did. */
  estimated?: boolean;
  /** Of the prompt's tokens, those that the provider had read before. */
  cached_tokens?: number;
  /** Of the answer's tokens, those that the model thought with. */
  reasoning_tokens?: number;
  /** In US dollars, by the price in the profile; absent where there is none. */
  cost_usd?: number;
}

/** Of what no model gave. */
export const NO_USAGE: Usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };

/** Which step of the ladder an answer came from, and for a kept answer its age. */
export interface Origin {
  step: 'provider' | 'cache' | 'database' | 'tool';
  age_ms?: number;
}

/** A provider of the chain that cannot be asked now; `Unsupported`: or ever, for what this request wants. */
export interface Unavailable {
  provider: string;
  reason: Extract<FailureType, 'CoolingDown' | 'QueueFull' | 'WaitTooLong' | 'ShareFull' | 'Unsupported'>;
  retryAfterMs: number;
}

/** Everything of a request that a decision depends on. Recorded with it, so that it can be decided again. */
export interface DecisionInputs {
  mode: Mode;
  agent: string | undefined;
  source: string | undefined;
  metadata: Readonly<Record<string, unknown>>;
  /** As much of the prompt as rules look at (`PROMPT_HEAD`); undefined once it was erased. */
  promptHead: string | undefined;
  /** Of the whole prompt, in Unicode code points. */
  promptLength: number;
  access: AccessFacts;
  /** The virtual model asked for by a client with its own conversation; undefined: there is none. */
  model?: string | undefined;
  /** Of mode crew: the crew; undefined: there is none of this name. */
  crew?: CrewChoice | undefined;
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
  /** Providers of the chain that could not be asked when the request was accepted. */
  skipped?: Unavailable[];
}

export interface GenerateInput {
  requestId: string;
  daoId: string;
  actor: string;
  step: ProviderStep;
  deadlineAt: number;
  /** When the workflow asked for this call: Unix time in milliseconds. The difference to its start is queue time. */
  scheduledAt: number;
  /** Share of the DAO in the provider's pool. */
  weight: number;
  /** Order in the provider's pool: 1 chat, 2 dialog, 3 crew, 4 devtools. */
  priority: number;
  /** Failed attempts so far, to be recorded with the answer. */
  attempts: Attempt[];
}

/** What `generate` tells the workflow. The text itself is in the database. */
export type GenerateResult =
  | { outcome: 'recorded'; provider: string | null; finishReason: string; usage: Usage }
  /** The request had already ended otherwise (refused start, cancel, another run): nothing was bought or written. */
  | { outcome: 'superseded'; status: RequestStatus };

export interface AnswerWithoutModelInput {
  requestId: string;
  daoId: string;
  actor: string;
  decision: Decision;
  /** `fresh`: a kept answer that is young enough. `anything`: also one that is old, and what the database knows. */
  allow: 'fresh' | 'anything';
  /** Failed attempts so far, to be recorded with the answer. */
  attempts: Attempt[];
}

/** What `answerWithoutModel` tells the workflow; `none` if it has nothing to say. */
export type AnswerWithoutModelResult = GenerateResult | { outcome: 'none' };

export interface RunToolInput {
  requestId: string;
  daoId: string;
  actor: string;
  deadlineAt: number;
  /** When the workflow asked for this run: Unix time in milliseconds. */
  scheduledAt: number;
}

/** What `runTool` tells the workflow. The result itself is in the database. */
export type RunToolResult =
  | { outcome: 'recorded' }
  /** The request had already ended otherwise: nothing was done or written. */
  | { outcome: 'superseded'; status: RequestStatus };

export interface RecordFailureInput {
  requestId: string;
  daoId: string;
  actor: string;
  status: 'failed' | 'cancelled';
  failure: Failure;
  attempts: Attempt[];
}

/** Result of the workflow `routeRequest`. `provider` is null for an answer that no model gave. */
export interface RouteRequestResult {
  status: RequestStatus;
  provider?: string | null;
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
  tool?: number;
  crew?: number;
  total?: number;
}
