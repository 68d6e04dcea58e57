import type { Failure, FailureType } from '../../contracts/failures.js';
import type { Usage } from '../../contracts/request.js';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface GenerateCall {
  messages: ChatMessage[];
  maxTokens: number;
  temperature: number;
  topP: number;
  /** Aborts the call for real: the socket is closed, the model stops. */
  signal: AbortSignal;
}

/** What a provider yields: texts as they come, then exactly one end. */
export type GenerateChunk = { type: 'text'; text: string } | { type: 'end'; finishReason: string; usage: Usage };

/**
 * An LLM endpoint. `generate` throws `ProviderError` and nothing else, except the signal's own reason when it was
 * aborted. Clients' own retries are off: the workflow owns them.
 */
export interface LlmProvider {
  readonly name: string;
  /** Model in use, for logs and `GET /providers`; resolved lazily, so it may ask the endpoint once. */
  model(): Promise<string>;
  generate(call: GenerateCall): AsyncIterable<GenerateChunk>;
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
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'ProviderError';
  }

  toFailure(): Failure {
    const failure: Failure = { type: this.type, message: this.message };
    if (this.retryAfterMs !== undefined) failure.retryAfterMs = this.retryAfterMs;
    return failure;
  }
}
