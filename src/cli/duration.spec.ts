import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import { dollars, parseDuration, shortTime } from './duration.js';

describe('durations and figures', () => {
  it.each([
    ['30m', 1_800_000],
    ['12h', 43_200_000],
    ['7d', 604_800_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '7', 'd', '0d', '7w', '-1d', '1.5h', '7d ', '999999d'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(InvalidArgumentError);
  });

  it('writes times and dollars so that small ones can be told apart', () => {
    expect([0, 812.4, 2_100].map(shortTime)).toEqual(['0 ms', '812 ms', '2.1 s']);
    expect([0, 0.0000213, 0.25].map(dollars)).toEqual(['$0.0000', '$0.000021', '$0.2500']);
  });
});
