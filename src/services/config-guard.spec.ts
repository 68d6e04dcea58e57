import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aRecorded } from '../../test/factories/recorded.js';
import { anAccess, aTable, chain, is } from '../../test/factories/routing.js';
import { strict } from '../../test/factories/strict.js';
import { ConfigGuard, type Guarded, type GuardSettings } from './config-guard.js';
import type { RecordedDecisions } from './recorded-decisions.js';

const ON: GuardSettings = { enabled: true, requests: 10, maxChangedShare: 0.2 };
const guarded = (routing: Guarded['routing'], guard: Partial<GuardSettings> = {}): Guarded => ({
  routing,
  guard: { ...ON, ...guard },
});

const FIRST = aTable([{}], { hash: 'first' });
const SECOND = aTable([{ use: chain('second'), fallbacks: [] }], { hash: 'second' });

describe('ConfigGuard', () => {
  const dealt = jest.fn<RecordedDecisions['dealt']>();
  const guard = new ConfigGuard(strict<RecordedDecisions>('recorded', { dealt }));

  /** What was recorded, in pages of one. */
  const recorded = (...decisions: ReturnType<typeof aRecorded>[]): void => {
    dealt.mockImplementation(async function* () {
      for (const one of decisions) yield [one];
    });
  };

  beforeEach(() => {
    dealt.mockReset();
    recorded();
  });

  it('is silent where it is off, and where the table stays the same', async () => {
    dealt.mockImplementation(() => {
      throw new Error('nothing had to be read');
    });
    const off = { enabled: false };
    expect(await guard.objection(guarded(FIRST, off), guarded(SECOND, off))).toBeUndefined();
    expect(await guard.objection(guarded(FIRST), guarded(FIRST))).toBeUndefined();
  });

  it('objects where more than the share would change, with the report', async () => {
    recorded(...Array.from({ length: 10 }, () => aRecorded(FIRST)));
    const objection = await guard.objection(guarded(FIRST), guarded(SECOND));
    expect(objection).toMatchObject({
      reasons: [expect.stringContaining('10 of 10')],
      report: { hash: 'second', requests: 10, changed: 10, newly_allowed: 0 },
    });
    expect(dealt.mock.calls).toEqual([[10]]);
  });

  it('goes by the limits of what runs, not by those of what comes', async () => {
    recorded(aRecorded(FIRST), aRecorded(FIRST));
    const objection = await guard.objection(guarded(FIRST), guarded(SECOND, { maxChangedShare: 1 }));
    expect(objection?.reasons).toEqual([expect.stringContaining('2 of 2'), expect.stringContaining('a share of 1')]);
    expect(await guard.objection(guarded(FIRST, { maxChangedShare: 1 }), guarded(SECOND))).toBeUndefined();
  });

  it('compares with what the running table says today, so that earlier changes do not count again', async () => {
    recorded(aRecorded(FIRST), aRecorded(FIRST));
    const same = aTable([{ use: chain('second'), fallbacks: [], name: 'renamed' }], { hash: 'renamed' });
    expect(await guard.objection(guarded(SECOND), guarded(same))).toBeUndefined();
  });

  it('objects to a single denial that would become an allowance', async () => {
    const strictTable = aTable([{ condition: is('role', 'admin') }], { hash: 'strict' });
    const refused = aRecorded(strictTable, { access: anAccess(['member']) });
    expect(refused.was).toMatchObject({ allowed: false });
    recorded(refused, ...Array.from({ length: 99 }, () => aRecorded(FIRST, { access: anAccess(['admin']) })));
    const objection = await guard.objection(guarded(strictTable), guarded(FIRST, { requests: 10 }));
    expect(objection).toMatchObject({ reasons: [expect.stringContaining('1 of 100')], report: { newly_allowed: 1 } });
  });

  it.each([
    [{ enabled: false }, 'switched off'],
    [{ requests: 1 }, '1 requests instead of 10'],
    [{ maxChangedShare: 0.5 }, '0.5 change instead of 0.2'],
  ])('does not let itself be weakened in silence: %j', async (change, reason) => {
    recorded(aRecorded(FIRST));
    const objection = await guard.objection(guarded(FIRST), guarded(FIRST, change));
    expect(objection?.reasons).toEqual([expect.stringContaining(reason)]);
    expect(await guard.objection(guarded(FIRST, change), guarded(FIRST))).toBeUndefined();
  });
});
