import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FAILURE_TYPES, type Failure, type FailureType } from '../contracts/failures.js';
import {
  abandoned,
  coolingFor,
  entered,
  failed,
  isPristine,
  isProbe,
  isTelling,
  MAX_ASKED_MS,
  MAX_COOL_MS,
  PRISTINE,
  PROBE_LEASE_MS,
  readCooldown,
  stateOf,
  succeeded,
  withoutLostProbe,
  type Call,
  type Cooldown,
} from './cooldown.js';

const failure = (type: FailureType, retryAfterMs?: number): Failure => ({
  type,
  message: 'why',
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

const call = (requestId: string, by = 'p'): Call => ({ by, requestId });

/** Failures of one type, one for each named request, all at `now`. */
const after = (type: FailureType, requests: string, now = 0, state = PRISTINE): Cooldown =>
  Array.from(requests).reduce((so, request) => failed(so, failure(type), call(request), now), state);

/** Two requests were asked to wait so long, in milliseconds, at 0. */
const askedToWait = (ms: number): Cooldown =>
  ['a', 'b'].reduce((state, one) => failed(state, failure('RateLimited', ms), call(one), 0), PRISTINE);

/** Cooled for the first time, until 5,000. */
const COOLED = after('ProviderUnavailable', 'aab');

describe('a provider that fails', () => {
  it.each<[FailureType, string, number | undefined]>([
    ['ProviderUnavailable', 'aa', undefined],
    ['ProviderUnavailable', 'ab', undefined],
    ['ProviderUnavailable', 'aaaa', undefined],
    ['ProviderUnavailable', 'aab', 5_000],
    ['ProviderTimeout', 'abc', 5_000],
    ['RateLimited', 'abb', 5_000],
    ['StreamInterrupted', 'abc', 5_000],
    ['AuthenticationFailed', 'a', undefined],
    ['AuthenticationFailed', 'aa', undefined],
    ['AuthenticationFailed', 'ab', 30_000],
    ['ModelNotFound', 'ab', 30_000],
  ])('%s of requests %s: it is left alone for %s ms', (type, requests, ms) => {
    expect(coolingFor(after(type, requests), 0)).toBe(ms);
  });

  it('is left alone twice as long at each relapse, a minute at most', () => {
    let [state, now] = [PRISTINE, 0];
    const waits: (number | undefined)[] = [];
    state = after('ProviderUnavailable', 'ab');
    for (let relapse = 0; relapse < 6; relapse += 1) {
      state = failed(state, failure('ProviderUnavailable'), call(`r${relapse}`), now);
      const wait = coolingFor(state, now);
      waits.push(wait);
      now += wait ?? 0;
      state = entered(state, call(`r${relapse + 1}`), now).state;
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it.each<[string, Failure, number | undefined]>([
    ['two seconds: the next attempt keeps that', failure('RateLimited', 2_000), undefined],
    ['longer', failure('RateLimited', 2_001), 2_001],
    ['longer, while it is overloaded', failure('ProviderUnavailable', 45_000), 45_000],
    ['an hour', failure('RateLimited', 3_600_000), MAX_ASKED_MS],
    ['something beside another failure', failure('ProviderTimeout', 45_000), undefined],
  ])('is left alone once it asks two requests for %s', (_what, told, ms) => {
    const one = failed(PRISTINE, told, call('a'), 0);
    expect(coolingFor(one, 0)).toBeUndefined();
    expect(coolingFor(failed(one, told, call('b'), 0), 0)).toBe(ms);
  });

  it('is not left alone for what one request is asked to wait, however often', () => {
    const told = failure('RateLimited', 60_000);
    const often = [1, 2, 3, 4].reduce((state) => failed(state, told, call('a'), 0), PRISTINE);
    expect([often.level, coolingFor(often, 0)]).toEqual([0, undefined]);
  });

  it('is left alone for as long as it asks its probe to wait', () => {
    const known = succeeded(askedToWait(10_000), 1_000);
    const probing = entered(known, call('z'), 10_000).state;
    const told = failed(probing, failure('RateLimited', 45_000), call('z'), 10_000);
    expect([told.level, coolingFor(told, 10_000)]).toEqual([2, 45_000]);
  });

  it('is not doubled by calls that were under way, and the longest wait holds', () => {
    const more = after('ProviderUnavailable', 'cdefg', 1_000, COOLED);
    expect([more.level, coolingFor(more, 1_000), more.failures]).toEqual([1, 4_000, 8]);
    const asked = [failure('RateLimited', 30_000), failure('RateLimited', 10_000)];
    const longest = asked.reduce((state, told) => failed(state, told, call('x'), 1_000), more);
    expect([longest.level, longest.coolUntil]).toEqual([1, 31_000]);
  });

  it('starts anew after an answer', () => {
    expect(succeeded(after('ProviderUnavailable', 'ab'), 0)).toEqual(PRISTINE);
    expect(succeeded(COOLED, 100)).toEqual(PRISTINE);
    expect(coolingFor(after('ProviderUnavailable', 'cd', 0, succeeded(COOLED, 100)), 0)).toBeUndefined();
  });

  it('keeps a wait that it asked for, whatever answers come of calls from before', () => {
    const asked = askedToWait(30_000);
    expect(coolingFor(succeeded(asked, 1_000), 1_000)).toBe(29_000);
    expect(succeeded(asked, 30_000)).toEqual(PRISTINE);
  });

  const BLAMED: readonly FailureType[] = [
    ...(['RateLimited', 'ProviderUnavailable', 'ProviderTimeout', 'StreamInterrupted'] as const),
    ...(['AuthenticationFailed', 'ModelNotFound'] as const),
  ];
  it.each(FAILURE_TYPES.filter((type) => !BLAMED.includes(type)))('is not blamed for %s', (type) => {
    expect(after(type, 'abcdefgh')).toEqual(PRISTINE);
  });
});

describe('the probe', () => {
  /** Of its process, of its request in another process, and of neither. */
  const OTHERS = [call('y'), call('z', 'q'), call('y', 'q')];

  it('is the first call after a cooldown, and all others wait for it', () => {
    expect(entered(COOLED, call('z'), 4_999)).toEqual({ state: COOLED, waitMs: 1 });
    const first = entered(COOLED, call('z'), 5_000);
    expect(first).toMatchObject({ waitMs: undefined, state: { probe: call('z') } });
    for (const other of OTHERS) {
      expect(entered(first.state, other, 5_001)).toEqual({ state: first.state, waitMs: 5_000 });
    }
    expect([4_999, 5_000].map((now) => stateOf(first.state, now))).toEqual(['cooling', 'probing']);
  });

  const probing = entered(COOLED, call('z'), 5_000).state;

  it('takes the provider back, or leaves it alone for longer', () => {
    expect(succeeded(probing, 6_000)).toEqual(PRISTINE);
    expect(coolingFor(after('ProviderTimeout', 'z', 6_000, probing), 6_000)).toBe(10_000);
  });

  it.each(OTHERS)('is not disturbed by what other calls meet: %j', (other) => {
    const after = failed(probing, failure('ProviderTimeout'), other, 6_000);
    expect(after).toEqual({ ...probing, failures: 4, requests: expect.anything(), lastReason: 'ProviderTimeout' });
    expect(abandoned(probing, other)).toBe(probing);
    expect(failed(probing, failure('Cancelled'), other, 6_000)).toBe(probing);
  });

  it.each(OTHERS)('has nothing to find out once another call was told how long to wait: %j', (other) => {
    const told = failed(probing, failure('RateLimited', 30_000), other, 6_000);
    expect([told.level, told.probe, coolingFor(told, 6_000)]).toEqual([1, null, 30_000]);
    // What the former probe meets says nothing more.
    const late = failed(told, failure('ProviderTimeout'), call('z'), 7_000);
    expect([late.level, coolingFor(late, 7_000)]).toEqual([1, 29_000]);
  });

  it('alone leads to a longer cooldown, not calls from before that fail after it', () => {
    const old = after('ProviderTimeout', 'cdefg', 6_000, COOLED);
    expect([old.level, coolingFor(old, 6_000), old.failures]).toEqual([1, undefined, 8]);
  });

  it('that a program of before has noted ends with its lease', () => {
    const noted = { ...COOLED, probe: { by: 'p', until: 95_000 } };
    const read = readCooldown(JSON.parse(JSON.stringify(noted)));
    expect(coolingFor(abandoned(read, call('z')), 94_999)).toBe(1);
    expect(entered(read, call('z'), 95_000).waitMs).toBeUndefined();
  });

  it.each<[string, Cooldown, number]>([
    ['was given up', abandoned(probing, call('z')), 6_000],
    ['says nothing about the provider', failed(probing, failure('Cancelled'), call('z'), 6_000), 6_000],
    ['takes too long', probing, 5_000 + PROBE_LEASE_MS],
    ['was made by a process that died', withoutLostProbe(probing, new Set(['q'])), 6_000],
  ])('is another call once it %s', (_why, state, now) => {
    const next = call('y', 'q');
    expect(entered(state, next, now)).toMatchObject({ waitMs: undefined, state: { probe: next } });
  });

  it('of a process that lives stays', () => {
    expect(withoutLostProbe(probing, new Set(['p']))).toBe(probing);
    expect(withoutLostProbe(COOLED, new Set())).toBe(COOLED);
  });
});

describe('what is read', () => {
  it('is what was written, and nothing of another form', () => {
    expect(readCooldown(JSON.parse(JSON.stringify(COOLED)))).toEqual(COOLED);
    for (const value of [undefined, null, 7, 'x', {}, { ...COOLED, level: 'a' }, { ...COOLED, requests: 1 }]) {
      expect(readCooldown(value)).toEqual(PRISTINE);
    }
  });
});

describe('whatever happens to a provider', () => {
  const step = fc.record({
    act: fc.constantFrom('enter', 'succeed', 'abandon', 'fail', 'fail', 'fail'),
    type: fc.constantFrom(...FAILURE_TYPES),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 5_000_000 }), { nil: undefined }),
    request: fc.constantFrom('a', 'b', 'c'),
    by: fc.constantFrom('p', 'q'),
    pause: fc.integer({ min: 0, max: 20_000 }),
  });

  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  function apply(state: Cooldown, { act, type, retryAfterMs, request, by }: Step, now: number): Cooldown {
    const one = call(request, by);
    if (act === 'enter') return enterOnce(state, one, now);
    if (act === 'succeed') return succeeded(state, now);
    if (act === 'abandon') return abandoned(state, one);
    return failed(state, failure(type, retryAfterMs), one, now);
  }

  it('it comes back, one call at a time, and is never left alone for one request’s failures', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let [state, now] = [PRISTINE, 1_000_000];
        let since: Step[] = [];
        for (const one of steps) {
          now += one.pause;
          const before = state;
          state = apply(state, one, now);
          const mayDeepen = before.level === 0 || isProbe(before, call(one.request, one.by));
          if (!mayDeepen) expect(state.level).toBeLessThanOrEqual(before.level);
          since = isPristine(state) ? [] : [...since, one];
          const failing = since.filter(({ act, type }) => act === 'fail' && isTelling({ type }));
          const asked = failing.some(({ retryAfterMs = 0 }) => retryAfterMs > 2_000);
          expect(coolingFor(state, now) ?? 0).toBeLessThanOrEqual(asked ? MAX_ASKED_MS : MAX_COOL_MS);
          if (new Set(failing.map(({ request }) => request)).size < 2) expect(state.level).toBe(0);
          expect(coolingFor(state, now + MAX_ASKED_MS + PROBE_LEASE_MS)).toBeUndefined();
        }
      }),
    );
  });

  /** Enters, and shows that nobody else can then, if it was the probe. */
  function enterOnce(state: Cooldown, one: Call, now: number): Cooldown {
    const { state: next, waitMs } = entered(state, one, now);
    if (waitMs === undefined && state.level > 0) {
      for (const by of ['p', 'q', 'r']) expect(entered(next, call('d', by), now).waitMs).toBeGreaterThan(0);
    }
    return next;
  }
});
