import type { CallOptions, ChatMessage, ModelFacts, TokenLogprob } from '../../contracts/chat.js';
import type { Failure, FailureType } from '../../contracts/failures.js';
import type { Usage } from '../../contracts/request.js';

export interface GenerateCall {
  messages: ChatMessage[];
  /** Longest answer, in tokens: the smaller of what the caller wants and what the provider may. */
  maxTokens: number;
  temperature: number;
  topP: number;
  /**
   * What else a client of its own conversation wants; sampling and length stand above. Present: the answer goes to a
   * program, so it may be empty, and what the model thought goes with it.
   */
  options?: CallOptions;
  /** Aborts the call for real: the socket is closed, the model stops. */
  signal: AbortSignal;
  /** Told when the model is asked; a call may have to wait for its turn before. */
  onSent?: () => void;
}

/**
 * What a provider yields: pieces as they come, then exactly one end. Calls of tools come one after the other, in the
 * order of `index`: a first piece with `id` and `name`, then more `arguments`.
 */
export type GenerateChunk =
  | { type: 'text'; text: string; logprobs?: TokenLogprob[] }
  | { type: 'reasoning'; text: string }
  | { type: 'tool_call'; index: number; id?: string; name?: string; arguments: string }
  | { type: 'end'; finishReason: string; usage: Usage };

/** Texts to be turned into vectors. */
export interface EmbedCall {
  input: string[];
  dimensions?: number;
  signal: AbortSignal;
}

export interface Embedded {
  /** In the order of the input: little-endian 32-bit floats in base64. */
  embeddings: string[];
  usage: Usage;
}

/** What a provider knows of its model; its limits are the profile's, and known elsewhere. */
export type KnownModel = Omit<ModelFacts, 'maxTokens'>;

/**
 * An LLM endpoint. `generate` throws `ProviderError` and nothing else, except the signal's own reason when it was
 * aborted. Clients' own retries are off: the workflow owns them.
 */
export interface LlmProvider {
  readonly name: string;
  /** Model in use, for logs and `GET /providers`; resolved lazily, so it may ask the endpoint once. */
  model(): Promise<string>;
  generate(call: GenerateCall): AsyncIterable<GenerateChunk>;
  /** Vectors of texts; throws as `generate` does. Absent where no model of this kind has them. */
  embed?(call: EmbedCall): Promise<Embedded>;
  /**
   * What is known of the model in use: told by the endpoint where it tells, else as configured, else usual for its kind.
   * Kept for some minutes; never throws, and waits no longer than the signal.
   */
  facts(signal: AbortSignal): Promise<KnownModel>;
  /** Whether the endpoint answers; throws `ProviderError` with the reason if not. */
  check(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A provider's failure, already translated into the closed list. */
export class ProviderError extends Error {
  constructor(
    readonly type: FailureType,
    message: string,
    readonly retryAfterMs?: number,
    private readonly options: { cause?: unknown; parameter?: string } = {},
  ) {
    super(message, options);
    this.name = 'ProviderError';
  }

  toFailure(): Failure {
    const failure: Failure = { type: this.type, message: this.message };
    if (this.retryAfterMs !== undefined) failure.retryAfterMs = this.retryAfterMs;
    if (this.options.parameter !== undefined) failure.parameter = this.options.parameter;
    return failure;
  }
}
