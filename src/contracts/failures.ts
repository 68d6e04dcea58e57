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
  'DeadlineExceeded',
  'Cancelled',
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
}
