/**
 * The closed list of failure types that cross the activity boundary. Every outside error is translated into one of
 * these exactly once: a provider's in `src/adapters/llm/translate.ts`, the rest in `activities/`.
 */
export const FAILURE_TYPES = [
  'RateLimited',
  'ProviderUnavailable',
  'ProviderTimeout',
  'ProviderRejected',
  'AuthenticationFailed',
  'ModelNotFound',
  'ContextLengthExceeded',
  'EmptyAnswer',
  'StreamInterrupted',
  'QueueTimeout',
  'QueueFull',
  'WaitTooLong',
  'ShareFull',
  'CoolingDown',
  'Unsupported',
  'DeadlineExceeded',
  'Cancelled',
  'ToolRefused',
  'ToolTimeout',
  'StoreUnavailable',
  'WorkerStopped',
  'Internal',
] as const;
export type FailureType = (typeof FAILURE_TYPES)[number];

/** A failure as plain data: safe to show and to store, it never holds a prompt, a key or a provider's raw text. */
export interface Failure {
  type: FailureType;
  message: string;
  /** What the provider asked us to wait, in milliseconds. */
  retryAfterMs?: number;
  /** Of a request that was refused for one of its parameters: the name on the wire. */
  parameter?: string;
  /** Of `StreamInterrupted`: what it was that broke the answer off, where it was not the provider. */
  cause?: FailureType;
  /** Of `ToolRefused`: the code of the error that the caller is told. */
  code?: string;
}

/** Why a call was stopped, as the reason of an `AbortSignal`. */
export class Stopped extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
    this.name = 'Stopped';
  }
}

/** Whether a call ended since its caller did not want it any more. */
export const isCancel = (error: unknown): boolean => error instanceof Stopped && error.failure.type === 'Cancelled';
