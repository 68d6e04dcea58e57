import { describe, expect, it } from '@jest/globals';
import { hint, nearest } from './nearest.js';

describe('nearest', () => {
  it.each([
    ['fsat', 'fast'],
    ['adnim', 'admin'],
    ['fst', 'fast'],
    ['MODE', 'mode'],
    ['prompt', 'prompt_length'],
  ])('takes %s for %s', (typed, meant) => {
    expect(nearest(typed, ['fast', 'admin', 'mode', 'prompt_length'])).toBe(meant);
  });

  it('finds nothing where more than one slip of the fingers lies between short words', () => {
    expect(nearest('ftas', ['fast'])).toBeUndefined();
    expect(nearest('fsta', ['fast'])).toBeUndefined();
    expect(hint('zzzz', ['fast'])).toBe('');
  });

  it('takes two letters that changed places for one slip, not for two', () => {
    expect(nearest('metadat_ahas', ['metadata_has'], 1)).toBe('metadata_has');
    expect(nearest('ab', ['ba'])).toBe('ba');
    expect(nearest('abcd', ['badc'], 1)).toBeUndefined();
  });
});
