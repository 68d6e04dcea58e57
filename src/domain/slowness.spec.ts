import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FAILURE_TYPES, type FailureType } from '../contracts/failures.js';
import { slowness, SILENCE_MS } from './slowness.js';

const cut = (type: FailureType, hadMs: number, textSeen: boolean, ownLimitMs = 30_000) =>
  slowness({ failure: { type, message: 'why' }, hadMs, ownLimitMs, textSeen })?.type;

describe('a call that a limit of ours ended', () => {
  it.each<[string, FailureType, number, boolean, boolean]>([
    ['at the provider’s own limit', 'ProviderTimeout', 30_000, false, true],
    ['at the provider’s own limit, in the middle of an answer', 'ProviderTimeout', 30_000, true, false],
    ['at a rule’s tighter limit, after long silence', 'ProviderTimeout', 3_000, false, true],
    ['at a rule’s tighter limit, in the middle of an answer', 'ProviderTimeout', 29_999, true, false],
    ['at a rule’s tighter limit, after short silence', 'ProviderTimeout', 2_999, false, false],
    ['at the deadline, after long silence', 'DeadlineExceeded', 3_000, false, true],
    ['at the deadline, in the middle of an answer', 'DeadlineExceeded', 60_000, true, false],
    ['at the deadline, soon after it began', 'DeadlineExceeded', 2_999, false, false],
  ])('%s: %s after %d ms', (_when, type, hadMs, textSeen, speaks) => {
    expect(cut(type, hadMs, textSeen)).toBe(speaks ? 'ProviderTimeout' : undefined);
  });

  it('speaks against a provider that says of itself that it is quick', () => {
    expect(cut('ProviderTimeout', 200, false, 200)).toBe('ProviderTimeout');
  });

  it('says nothing if something else ended it, or if a rule gives nobody time', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FAILURE_TYPES),
        fc.integer({ min: 0, max: 200_000 }),
        fc.integer({ min: 1, max: 200_000 }),
        fc.boolean(),
        (type, hadMs, ownLimitMs, textSeen) => {
          const said = cut(type, hadMs, textSeen, ownLimitMs);
          if (type !== 'ProviderTimeout' && type !== 'DeadlineExceeded') expect(said).toBeUndefined();
          if (textSeen) expect(said).toBeUndefined();
          if (hadMs < Math.min(ownLimitMs, SILENCE_MS)) expect(said).toBeUndefined();
          if (said !== undefined) expect(said).toBe('ProviderTimeout');
        },
      ),
    );
  });
});
