import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { credentialOf } from './authenticate.js';

describe('credentialOf', () => {
  it.each([
    [{ authorization: 'Bearer dagi_abc' }, 'dagi_abc'],
    [{ authorization: 'bearer dagi_abc' }, 'dagi_abc'],
    [{ authorization: 'Bearer   dagi_abc' }, 'dagi_abc'],
    [{ 'x-api-key': 'dagi_abc' }, 'dagi_abc'],
    [{ authorization: 'Bearer one', 'x-api-key': 'other' }, 'one'],
    [{ authorization: 'Basic one', 'x-api-key': 'other' }, 'other'],
  ])('reads %j', (headers, expected) => {
    expect(credentialOf(headers)).toBe(expected);
  });

  it.each([
    {},
    { authorization: '' },
    { authorization: 'Bearer' },
    { authorization: 'Bearer ' },
    { authorization: 'Bearer one two' },
    { authorization: 'Basic dagi_abc' },
    { authorization: 'dagi_abc' },
    { authorization: 'XBearer dagi_abc' },
    { 'x-api-key': '' },
    { 'x-api-key': ['a', 'b'] },
  ])('finds nothing in %j', (headers) => {
    expect(credentialOf(headers)).toBeUndefined();
  });

  it('never makes a credential of nothing or of blanks', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const credential = credentialOf({ authorization: `Bearer ${text}` });
        expect(credential ?? 'x').toMatch(/^\S+$/);
      }),
    );
  });
});
