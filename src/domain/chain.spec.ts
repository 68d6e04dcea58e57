import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FAILURE_TYPES, type Failure, type FailureType } from '../contracts/failures.js';
import type { ProviderStep } from '../contracts/request.js';
import { afterFailure, CHAIN_START, type ChainPosition } from './chain.js';

const step = (maxAttempts: number, retryDelayMs = 1_000, provider = 'p'): ProviderStep => ({
  provider,
  shape: 'eager',
  queue: 'orchestrator',
  timeoutMs: 60_000,
  queueTimeoutMs: 15_000,
  maxTokens: 200,
  maxAttempts,
  retryDelayMs,
});

const failure = (type: FailureType, retryAfterMs?: number): Failure => ({
  type,
  message: 'm',
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

const REPEATED: FailureType[] = ['RateLimited', 'ProviderUnavailable', 'ProviderTimeout', 'EmptyAnswer'];
const SKIPPED: FailureType[] = [
  'ProviderRejected',
  'AuthenticationFailed',
  'ModelNotFound',
  'ContextLengthExceeded',
  'QueueTimeout',
];
const FINAL = FAILURE_TYPES.filter((type) => !REPEATED.includes(type) && !SKIPPED.includes(type));

describe('afterFailure', () => {
  const chain = [step(2), step(1), step(2)];
  const long = 300_000;

  it.each(REPEATED)('tries the same provider again after %s, after its pause', (type) => {
    expect(afterFailure(chain, CHAIN_START, failure(type), long)).toEqual({ index: 0, attempt: 2, delayMs: 1_000 });
  });

  it.each(REPEATED)('goes to the next provider at once when the attempts are used up by %s', (type) => {
    const at = { index: 0, attempt: 2, delayMs: 1_000 };
    expect(afterFailure(chain, at, failure(type), long)).toEqual({ index: 1, attempt: 1, delayMs: 0 });
  });

  it.each(SKIPPED)('goes to the next provider at once after %s', (type) => {
    expect(afterFailure(chain, CHAIN_START, failure(type), long)).toEqual({ index: 1, attempt: 1, delayMs: 0 });
  });

  it.each(FINAL)('ends after %s', (type) => {
    expect(afterFailure(chain, CHAIN_START, failure(type), long)).toBeUndefined();
  });

  it('ends when the last provider has used up its attempts', () => {
    const at = { index: 2, attempt: 2, delayMs: 0 };
    expect(afterFailure(chain, at, failure('ProviderUnavailable'), long)).toBeUndefined();
    expect(afterFailure([], CHAIN_START, failure('ProviderUnavailable'), long)).toBeUndefined();
  });

  const next = { index: 1, attempt: 1, delayMs: 0 };

  it('waits as long as the provider asks, if that is longer than its own pause', () => {
    expect(afterFailure(chain, CHAIN_START, failure('RateLimited', 1_500), long)?.delayMs).toBe(1_500);
    expect(afterFailure(chain, CHAIN_START, failure('RateLimited', 10), long)?.delayMs).toBe(1_000);
  });

  it('does not take a pause that would eat half of what time is left', () => {
    expect(afterFailure(chain, CHAIN_START, failure('RateLimited', 2_000), 4_001)?.index).toBe(0);
    expect(afterFailure(chain, CHAIN_START, failure('RateLimited', 2_000), 4_000)).toEqual(next);
  });

  it('takes no pause of more than two seconds while another provider is there to be asked', () => {
    expect(afterFailure(chain, CHAIN_START, failure('RateLimited', 2_000), long)?.delayMs).toBe(2_000);
    expect(afterFailure(chain, CHAIN_START, failure('RateLimited', 2_001), long)).toEqual(next);
    expect(afterFailure([step(2)], CHAIN_START, failure('RateLimited', 7_000), long)?.delayMs).toBe(7_000);
  });

  it('takes the pause that the configuration asks for, however long', () => {
    const patient = [step(2, 10_000), step(1)];
    expect(afterFailure(patient, CHAIN_START, failure('RateLimited', 9_000), long)?.delayMs).toBe(10_000);
    expect(afterFailure(patient, CHAIN_START, failure('RateLimited', 10_001), long)).toEqual(next);
  });

  it('asks the second provider when the first hangs, with the numbers that nobody changed', () => {
    // Calls of 60 s in a request of 120 s, the first of which is over.
    expect(afterFailure([step(2), step(2)], CHAIN_START, failure('ProviderTimeout'), 60_000)).toEqual(next);
  });

  it('repeats a call that hung only if both it and the next provider could hang once more', () => {
    const fits = 1_000 + 60_000 + 60_000;
    const hung = failure('ProviderTimeout');
    expect(afterFailure(chain, CHAIN_START, hung, fits)).toEqual({ index: 0, attempt: 2, delayMs: 1_000 });
    expect(afterFailure(chain, CHAIN_START, hung, fits - 1)).toEqual(next);
    expect(afterFailure(chain, CHAIN_START, failure('EmptyAnswer'), fits - 1)?.index).toBe(0);
  });

  it('repeats a call that hung at the last provider as long as there is time for its pause', () => {
    const hung = failure('ProviderTimeout');
    expect(afterFailure([step(2)], CHAIN_START, hung, 2_001)).toEqual({ index: 0, attempt: 2, delayMs: 1_000 });
    expect(afterFailure([step(2)], CHAIN_START, hung, 2_000)).toBeUndefined();
  });

  it.each([0, -1])('ends when %d ms are left', (remainingMs) => {
    expect(afterFailure(chain, CHAIN_START, failure('ProviderUnavailable'), remainingMs)).toBeUndefined();
  });

  const failures = fc.record({
    type: fc.constantFrom(...FAILURE_TYPES),
    message: fc.string(),
    retryAfterMs: fc.nat({ max: 200_000 }),
  });
  const chains = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat({ max: 60_000 })).map(([attempts, delay]) => step(attempts, delay)),
    { maxLength: 6 },
  );

  it('always ends, makes no more calls than the chain allows, and never goes back', () => {
    fc.assert(
      fc.property(
        chains,
        fc.infiniteStream(failures),
        fc.integer({ min: -1, max: 3_600_000 }),
        (steps, stream, left) => {
          const allowed = steps.reduce((sum, { maxAttempts }) => sum + maxAttempts, 0);
          let calls = 0;
          for (let at: ChainPosition | undefined = CHAIN_START; at && steps[at.index]; calls += 1) {
            expect(calls).toBeLessThan(allowed);
            const next = afterFailure(steps, at, stream.next().value as Failure, left);
            if (next) {
              expect(next.index * 10 + next.attempt).toBeGreaterThan(at.index * 10 + at.attempt);
              expect(next.attempt).toBeLessThanOrEqual(steps[next.index]?.maxAttempts ?? 0);
              expect(next.delayMs).toBeLessThan(left / 2);
            }
            at = next;
          }
        },
      ),
    );
  });

  it('leaves no provider out while failures are worth another try', () => {
    fc.assert(
      fc.property(chains, fc.constantFrom(...REPEATED), (steps, type) => {
        const visited: string[] = [];
        for (let at: ChainPosition | undefined = CHAIN_START; at && steps[at.index];) {
          visited.push(`${at.index}/${at.attempt}`);
          at = afterFailure(steps, at, failure(type), Number.MAX_SAFE_INTEGER);
        }
        expect(visited).toEqual(
          steps.flatMap(({ maxAttempts }, index) => Array.from({ length: maxAttempts }, (_, n) => `${index}/${n + 1}`)),
        );
      }),
    );
  });
});
