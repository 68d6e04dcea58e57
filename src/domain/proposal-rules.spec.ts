import { describe, expect, it } from '@jest/globals';
import { isSetting, rulesOf } from './proposal-rules.js';

const NONE = { voting_hours: 0, quorum: 0, threshold: 0, veto_hours: 0 };

const MEMBER = `p_${'0'.repeat(32)}`;

describe(rulesOf.name, () => {
  it('should have an answer where the DAO has settled nothing', () => {
    expect(rulesOf({}, NONE)).toEqual({
      ...{ voting_hours: 168, quorum: 0.15, threshold: 0.5, veto_hours: 24, sealed: false, weights: 'equal' },
    });
  });

  it('should follow the settings of the DAO', () => {
    const settings = { voting_hours: 2, quorum: 0, threshold: 0.75, veto_hours: 0, sealed: true };
    expect(rulesOf({ ...settings, role_weights: { admin: 2 } }, NONE)).toEqual({ ...settings, weights: 'by_role' });
    expect(rulesOf({ role_weights: {}, member_weights: { p_1: 1 } }, NONE)).toMatchObject({ weights: 'table' });
  });

  it('should not go below what the installation demands', () => {
    const floors = { voting_hours: 1, quorum: 0.2, threshold: 0.6, veto_hours: 12 };
    expect(rulesOf({ voting_hours: 0.001, quorum: 0, threshold: 0, veto_hours: 0 }, floors)).toMatchObject(floors);
    expect(rulesOf({ voting_hours: 5, quorum: 0.5, threshold: 0.9, veto_hours: 13 }, floors)).toMatchObject({
      ...{ voting_hours: 5, quorum: 0.5, threshold: 0.9, veto_hours: 13 },
    });
  });
});

describe(isSetting.name, () => {
  it.each<[string, unknown, boolean]>([
    ['voting_hours', 24, true],
    ['voting_hours', 0, false],
    ['voting_hours', 0.5, false],
    ['voting_hours', 721, false],
    ['voting_hours', NaN, false],
    ['voting_hours', '24', false],
    ['quorum', 0, true],
    ['quorum', 1, true],
    ['quorum', 1.1, false],
    ['threshold', 0.999, true],
    ['threshold', 1, false],
    ['veto_hours', 0, true],
    ['veto_hours', -1, false],
    ['sealed', true, true],
    ['sealed', 1, false],
    ['role_weights', { admin: 2, member: 0 }, true],
    ['role_weights', { admin: -1 }, false],
    ['role_weights', [1], false],
    ['role_weights', null, false],
    ['member_weights', { [MEMBER]: 0.5 }, true],
    ['member_weights', { [MEMBER]: 'all' }, false],
    ['member_weights', { p_1: 0.5 }, false],
    ['budget', 1, false],
    ['constructor', {}, false],
  ])('should judge %s = %j', (name, value, expected) => {
    expect(isSetting(name, value)).toBe(expected);
  });
});
