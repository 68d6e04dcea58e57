import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { beginningOf, estimateTokens, storable, storableJson } from './text.js';

const anyText = fc.string({ unit: 'binary' });
/** Any UTF-16 units, in pairs or not. */
const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes));

describe(beginningOf.name, () => {
  it('is a beginning, as long as may be, and cuts no pair in two', () => {
    fc.assert(
      fc.property(anyText, fc.nat(20), (text, most) => {
        const cut = beginningOf(text, most);
        expect(text.startsWith(cut)).toBe(true);
        expect(cut.length).toBeLessThanOrEqual(most);
        expect(cut.length).toBeGreaterThanOrEqual(Math.min(text.length, most - 1));
        expect(cut.isWellFormed()).toBe(text.isWellFormed());
      }),
    );
  });
});

describe(storableJson.name, () => {
  it('makes names and texts storable, and leaves the rest', () => {
    fc.assert(
      fc.property(units, units, fc.double(), (name, text, number) => {
        const value = { [name]: [text, number, null, true, { [name]: text }] };
        const [key, kept] = [storable(name), storable(text)];
        expect(storableJson(value)).toEqual({ [key]: [kept, number, null, true, { [key]: kept }] });
      }),
    );
  });

  it('leaves out a name that would be the prototype once it is storable', () => {
    const value = JSON.parse('{"a":{"__pro\\u0000to__":{"x":1},"b":2}}') as unknown;
    expect(JSON.stringify(storableJson(value))).toBe('{"a":{"b":2}}');
  });

  it('goes a hundred levels deep, and no deeper', () => {
    const deep = (levels: number): unknown => {
      let value: unknown = 'x';
      for (let level = 0; level < levels; level += 1) value = [value];
      return value;
    };
    expect(storableJson(deep(101))).toEqual(deep(101));
    expect(() => storableJson(deep(102))).toThrow('nested too deeply');
  });
});

describe('estimateTokens', () => {
  it('counts three bytes of UTF-8 as a token, and a started one as a whole', () => {
    expect(estimateTokens('')).toBe(0);
    expect(estimateTokens('a')).toBe(1);
    expect(estimateTokens('abcdef')).toBe(2);
    expect(estimateTokens('привіт')).toBe(4);
    expect(estimateTokens('😀')).toBe(2);
  });
});
