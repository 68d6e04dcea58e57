import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ENTITLEMENTS } from '../contracts/access.js';
import { firstLacking, givenBy, mergedByName, sameRoles, someoneHolds, unknownRole } from './member-rules.js';

const ROLES = [
  { name: 'reader', entitlements: ['chat.read'] },
  { name: 'writer', entitlements: ['chat.read', 'chat.write'] },
  { name: 'odd', entitlements: ['platform.admin', 'no.such', 'ops.read'] },
];

describe(givenBy.name, () => {
  it.each<[string[], string[]]>([
    [[], []],
    [['reader'], ['chat.read']],
    [
      ['writer', 'reader'],
      ['chat.read', 'chat.write'],
    ],
    [['gone'], []],
    [['odd'], ['ops.read']],
  ])('%j give %j', (names, given) => {
    expect(givenBy(names, ROLES)).toEqual(given);
  });
});

describe(unknownRole.name, () => {
  it('names the first that is not there', () => {
    expect(unknownRole(['reader', 'gone', 'too'], ROLES)).toBe('gone');
    expect(unknownRole(['reader', 'writer'], ROLES)).toBeUndefined();
  });
});

describe(firstLacking.name, () => {
  it('finds something exactly where not everything is there', () => {
    const some = fc.subarray([...ENTITLEMENTS]);
    fc.assert(
      fc.property(some, some, (needed, there) => {
        const lacking = firstLacking(needed, there);
        expect(lacking === undefined).toBe(needed.every((one) => there.includes(one)));
        if (lacking !== undefined) expect(there).not.toContain(lacking);
      }),
    );
  });
});

describe(someoneHolds.name, () => {
  it('counts what one person has, not what all have together', () => {
    const needed = ['chat.write', 'ops.read'] as const;
    expect(someoneHolds(needed, [['writer'], ['odd']], ROLES)).toBe(false);
    expect(someoneHolds(needed, [['reader'], ['writer', 'odd']], ROLES)).toBe(true);
    expect(someoneHolds(needed, [], ROLES)).toBe(false);
  });
});

describe(sameRoles.name, () => {
  it('does not look at the order', () => {
    expect(sameRoles(['a', 'b'], ['b', 'a'])).toBe(true);
    expect(sameRoles(['a'], ['a', 'b'])).toBe(false);
  });
});

describe(mergedByName.name, () => {
  it('keeps what is not mentioned, and takes away what is null', () => {
    const before: Record<string, number> = { a: 1, b: 2 };
    expect(mergedByName(before, { b: null, c: 3 })).toEqual({ a: 1, c: 3 });
    expect(mergedByName({ a: 1 })).toEqual({ a: 1 });
  });

  it('lets two who change different names not meet', () => {
    const names = (list: string[]) => fc.dictionary(fc.constantFrom(...list), fc.option(fc.nat(), { nil: null }));
    fc.assert(
      fc.property(names(['a', 'b']), names(['c', 'd']), (one, other) => {
        const before: Record<string, number> = { a: 0, c: 0 };
        expect(mergedByName(mergedByName(before, one), other)).toEqual(mergedByName(mergedByName(before, other), one));
      }),
    );
  });
});
