import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sideBySide, wrap } from './side-by-side.js';

const left = { heading: ['recorded: a', '2.1 s'], text: 'one two three' };
const right = { heading: ['what if: b'], text: 'four' };

describe('wrap', () => {
  it('breaks between words, and within one that is too long', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghij kl', 4)).toEqual(['abcd', 'efgh', 'ij', 'kl']);
    expect(wrap('a\n\nb', 10)).toEqual(['a', '', 'b']);
  });

  it('loses nothing and keeps to the width', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 50 }), (text, width) => {
        const lines = wrap(text, width);
        expect(lines.every((line) => line.length <= width)).toBe(true);
        expect(lines.join('').replace(/[ \n]/g, '')).toBe(text.replace(/[ \n]/g, ''));
      }),
    );
  });
});

describe('sideBySide', () => {
  it('puts two texts beside each other where there is room', () => {
    const lines = sideBySide(left, right, 83).split('\n');
    expect(lines[0]).toBe(`${'recorded: a'.padEnd(40)} │ what if: b`);
    expect(lines[1]).toBe(`${'2.1 s'.padEnd(40)} │`);
    expect(lines.some((line) => line.startsWith('one two three') && line.includes(' │'))).toBe(true);
    expect(lines.every((line) => line.length <= 83)).toBe(true);
  });

  it('puts one below the other where there is not', () => {
    expect(sideBySide(left, right, 82)).toBe('recorded: a\n2.1 s\n\none two three\n\nwhat if: b\n\nfour\n');
  });
});
