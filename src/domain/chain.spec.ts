import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FAILURE_TYPES, type Failure, type FailureType } from '../contracts/failures.js';
import type { Attempt, Decision, ProviderStep, Unavailable } from '../contracts/request.js';
import {
  afterFailure,
  askable,
  attemptOf,
  CHAIN_START,
  endsTheChain,
  finalFailure,
  mayDegrade,
  passedOver,
  poolNames,
  skipFailure,
  type ChainPosition,
} from './chain.js';

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
  'QueueFull',
  'WaitTooLong',
  'ShareFull',
  'CoolingDown',
  'Unsupported',
];
const FINAL = FAILURE_TYPES.filter((type) => !REPEATED.includes(type) && !SKIPPED.includes(type));

describe('the pools of a chain', () => {
  it('are named once each', () => {
    const pool = { slots: 3, maxWaiting: 9, maxWaitMs: 1_000 };
    const links = ['a', undefined, 'b', 'a'].map((name) => ({
      ...step(1),
      ...(name ? { pool: { ...pool, name } } : {}),
    }));
    expect(poolNames(links)).toEqual(['a', 'b']);
    expect(poolNames([])).toEqual([]);
  });
});

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

describe('providers that cannot be asked', () => {
  const chain = ['a', 'b', 'c', 'd'].map((name) => step(1, 0, name));
  const away = (provider: string, reason: Unavailable['reason'] = 'QueueFull'): Unavailable => ({
    provider,
    reason,
    retryAfterMs: 3_000,
  });
  const told = (provider: string): Attempt => ({ provider, status: 'failed', ms: 1, error: 'EmptyAnswer' });

  it('are no links of the chain', () => {
    expect(askable(chain, [away('b'), away('d'), away('unknown')]).map(({ provider }) => provider)).toEqual(['a', 'c']);
    expect(askable(chain, [])).toEqual(chain);
  });

  it('are told where they stand, each once', () => {
    const skipped = [away('d'), away('b')];
    expect(passedOver(chain, skipped, [], chain[0])).toEqual([]);
    expect(passedOver(chain, skipped, [told('a')], chain[2])).toEqual([away('b')]);
    expect(passedOver(chain, skipped, [told('a'), told('b'), told('c')])).toEqual([away('d')]);
    expect(passedOver(chain, skipped, [])).toEqual([away('b'), away('d')]);
  });

  it('come in the order of the chain together with those that were asked, whatever is skipped', () => {
    fc.assert(
      fc.property(fc.subarray(['a', 'b', 'c', 'd']), (names) => {
        const skipped = names.map((name) => away(name));
        const attempts: Attempt[] = [];
        for (const asked of [...askable(chain, skipped), undefined]) {
          for (const one of passedOver(chain, skipped, attempts, asked)) {
            attempts.push(attemptOf(one.provider, skipFailure(one), 0));
          }
          if (asked) attempts.push(told(asked.provider));
        }
        expect(attempts.map(({ provider }) => provider)).toEqual(['a', 'b', 'c', 'd']);
        expect(attempts.filter(({ status }) => status === 'skipped').map(({ provider }) => provider)).toEqual(names);
      }),
    );
  });

  it.each(['CoolingDown', 'QueueFull', 'WaitTooLong', 'ShareFull', 'Unsupported'] as const)(
    'are skipped, not failed: %s',
    (reason) => {
      const skip = skipFailure(away('b', reason));
      expect(skip).toEqual({ type: reason, message: expect.stringContaining('b'), retryAfterMs: 3_000 });
      expect(attemptOf('b', skip, 0)).toEqual({ provider: 'b', status: 'skipped', ms: 0, error: reason });
      expect(endsTheChain(skip)).toBe(false);
    },
  );

  it('are failed when they were asked', () => {
    expect(attemptOf('a', failure('RateLimited'), 7)).toEqual({
      provider: 'a',
      status: 'failed',
      ms: 7,
      error: 'RateLimited',
    });
  });
});

describe('the end of a chain', () => {
  const full = failure('QueueFull', 2_000);
  const cooling = failure('CoolingDown', 9_000);

  it('is the last word of a provider that was asked', () => {
    expect(finalFailure([failure('EmptyAnswer'), failure('RateLimited'), full])).toEqual(failure('RateLimited'));
  });

  it('is why the first could not be asked, if none could', () => {
    expect(finalFailure([cooling, full])).toEqual(cooling);
  });

  it('has a name when there was no chain', () => {
    expect(finalFailure([]).type).toBe('ProviderUnavailable');
  });

  const decision = (part: Partial<Decision>): Decision => part as Decision;
  const answer = decision({ answer: 'help' });

  it('may be followed by what is known without a model, where there is such a thing', () => {
    const cache = decision({ cache: { ttlMs: 1, maxEntries: 1 } });
    expect([answer, cache, decision({})].map((one) => mayDegrade(one, full, false))).toEqual([true, true, false]);
  });

  it.each(FAILURE_TYPES)('is never followed by anything after a cancel or half an answer: %s', (type) => {
    const ended = type === 'Cancelled' || type === 'StreamInterrupted';
    expect(mayDegrade(answer, failure(type), false)).toBe(!ended);
    expect(mayDegrade(answer, failure(type), true)).toBe(false);
  });
});
