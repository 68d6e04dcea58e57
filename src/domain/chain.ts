import type { Failure, FailureType } from '../contracts/failures.js';
import type { Attempt, Decision, ProviderStep, Unavailable } from '../contracts/request.js';

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
/**
 * No provider could do better, the reader has seen half an answer, or the answer is paid for and cannot be written. Tools
 * are used by no provider.
 */
const FINAL: readonly FailureType[] = [
  'StreamInterrupted',
  'DeadlineExceeded',
  'Cancelled',
  'StoreUnavailable',
  'WorkerStopped',
  'Internal',
  'ToolRefused',
  'ToolTimeout',
];

/** A longer pause at one provider is not taken while another one is there to be asked, in milliseconds. */
const PATIENCE_MS = 2_000;

/**
 * What follows a failed call: the same provider after a pause, the next provider at once, or undefined for the end.
 * A second try is not made where its pause, or another call that hangs, would leave the next provider no time, nor at a
 * provider that could not be asked at all.
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

const SKIPPED: Readonly<Record<Unavailable['reason'], (provider: string) => string>> = {
  CoolingDown: (provider) => `${provider} has failed of late and is not asked for now`,
  QueueFull: (provider) => `too many requests wait for ${provider}`,
  WaitTooLong: (provider) => `the wait for ${provider} would be too long`,
  ShareFull: (provider) => `this DAO has as many requests waiting for ${provider} as it may`,
  Unsupported: (provider) => `${provider} cannot do what this request asks for`,
};

/** The failure of a call that was not made since the provider cannot be asked now. */
export const skipFailure = ({ provider, reason, retryAfterMs }: Unavailable): Failure => ({
  type: reason,
  message: SKIPPED[reason](provider),
  retryAfterMs,
});

const wasSkipped = ({ type }: Failure): boolean => type in SKIPPED;

/** How a call without an answer is told: a provider that could not be asked was skipped. */
export const attemptOf = (provider: string, failure: Failure, ms: number): Attempt => ({
  provider,
  status: wasSkipped(failure) ? 'skipped' : 'failed',
  ms,
  error: failure.cause ?? failure.type,
});

/** The links of a chain that can be asked. */
export const askable = (chain: readonly ProviderStep[], skipped: readonly Unavailable[]): ProviderStep[] =>
  chain.filter(({ provider }) => !skipped.some((one) => one.provider === provider));

/**
 * Providers that are passed over on the way to a step, in the order of the chain, but for those that were told before.
 * @param step absent: on the way to the end
 */
export function passedOver(
  chain: readonly ProviderStep[],
  skipped: readonly Unavailable[],
  told: readonly Attempt[],
  step?: ProviderStep,
): Unavailable[] {
  const end = step ? chain.findIndex(({ provider }) => provider === step.provider) : chain.length;
  return chain.slice(0, end).flatMap(({ provider }) => {
    const one = skipped.find((other) => other.provider === provider);
    return one && !told.some((attempt) => attempt.provider === provider) ? [one] : [];
  });
}

/** Names of the pools in which a request with this chain may hold a place. */
export const poolNames = (chain: readonly ProviderStep[]): string[] => [
  ...new Set(chain.flatMap(({ pool }) => (pool ? [pool.name] : []))),
];

/** Whether a failure ends the request, though providers are left. */
export const endsTheChain = ({ type }: Failure): boolean => FINAL.includes(type);

/**
 * What a request fails with whose chain is exhausted: the last word of a provider that was asked; if none was, why the
 * first could not be.
 */
export const finalFailure = (failures: readonly Failure[]): Failure =>
  failures.findLast((failure) => !wasSkipped(failure)) ??
  failures[0] ?? { type: 'ProviderUnavailable', message: 'there is no provider that may be asked' };

/**
 * Whether something may be answered without a model after a failure. Not after a cancel, and nothing may follow a text
 * that a reader has seen half of.
 */
export const mayDegrade = ({ cache, answer }: Decision, { type }: Failure, textSeen: boolean): boolean =>
  (cache !== undefined || answer !== undefined) && type !== 'Cancelled' && type !== 'StreamInterrupted' && !textSeen;
