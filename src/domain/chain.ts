import type { Failure, FailureType } from '../contracts/failures.js';
import type { ProviderStep } from '../contracts/request.js';

/** Where a request stands in its chain of providers. `attempt` counts from 1. */
export interface ChainPosition {
  index: number;
  attempt: number;
  /** Pause before the call, in milliseconds. */
  delayMs: number;
}

export const CHAIN_START: ChainPosition = { index: 0, attempt: 1, delayMs: 0 };

/** The same provider may do better in a moment. */
const WORTH_REPEATING: readonly FailureType[] = [
  'RateLimited',
  'ProviderUnavailable',
  'ProviderTimeout',
  'EmptyAnswer',
];
/** No provider could do better, the reader has seen half an answer, or the answer is paid for and cannot be written. */
const FINAL: readonly FailureType[] = [
  'StreamInterrupted',
  'DeadlineExceeded',
  'Cancelled',
  'StoreUnavailable',
  'WorkerStopped',
  'Internal',
];

/** A longer pause at one provider is not taken while another one is there to be asked, in milliseconds. */
const PATIENCE_MS = 2_000;

/**
 * What follows a failed call: the same provider after a pause, the next provider at once, or undefined for the end.
 * A second try is not made where its pause, or another call that hangs, would leave the next provider no time.
 * @param remainingMs time left of the whole request
 */
export function afterFailure(
  chain: readonly ProviderStep[],
  at: ChainPosition,
  failure: Failure,
  remainingMs: number,
): ChainPosition | undefined {
  const step = chain[at.index];
  if (!step || FINAL.includes(failure.type) || remainingMs <= 0) return undefined;
  const next = chain[at.index + 1];
  const delayMs = Math.max(step.retryDelayMs, failure.retryAfterMs ?? 0);
  const again = WORTH_REPEATING.includes(failure.type) && at.attempt < step.maxAttempts;
  if (again && hasTime(step, next, failure, { delayMs, remainingMs })) {
    return { index: at.index, attempt: at.attempt + 1, delayMs };
  }
  return next && { index: at.index + 1, attempt: 1, delayMs: 0 };
}

function hasTime(
  step: ProviderStep,
  next: ProviderStep | undefined,
  failure: Failure,
  { delayMs, remainingMs }: { delayMs: number; remainingMs: number },
): boolean {
  if (delayMs >= remainingMs / 2) return false;
  if (!next) return true;
  if (delayMs > Math.max(step.retryDelayMs, PATIENCE_MS)) return false;
  return failure.type !== 'ProviderTimeout' || delayMs + step.timeoutMs + next.timeoutMs <= remainingMs;
}
