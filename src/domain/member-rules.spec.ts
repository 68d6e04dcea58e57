import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ENTITLEMENTS } from '../contracts/access.js';
import { firstLacking, givenBy, mergedByName, rolesForAll, sameRoles, unknownRole } from './member-rules.js';

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

describe(rolesForAll.name, () => {
  it('names each group once, the smallest first, and nothing where nobody can have all', () => {
    expect(rolesForAll(['chat.read', 'chat.write', 'ops.read'], ROLES)).toEqual([
      ['writer'],
      ['odd'],
      ['reader', 'writer'],
    ]);
    expect(rolesForAll(['key.manage'], ROLES)).toBeUndefined();
    expect(rolesForAll([], ROLES)).toEqual([]);
  });

  it('has one of each group exactly who has everything that is needed', () => {
    const some = fc.subarray([...ENTITLEMENTS].filter((one) => one !== 'platform.admin'));
    const roles = fc
      .array(some, { maxLength: 5 })
      .map((lists) => lists.map((entitlements, at) => ({ name: `role ${at}`, entitlements })));
    const names = fc.subarray(Array.from({ length: 5 }, (_, at) => `role ${at}`));
    fc.assert(
      fc.property(some, roles, names, (needed, there, held) => {
        const groups = rolesForAll(needed, there);
        const hasAll = groups?.every((group) => group.some((name) => held.includes(name))) ?? false;
        expect(hasAll).toBe(firstLacking(needed, givenBy(held, there)) === undefined);
      }),
    );
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
