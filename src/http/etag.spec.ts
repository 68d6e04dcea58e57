import { describe, expect, it } from '@jest/globals';
import { expectedVersions } from './etag.js';

describe(expectedVersions.name, () => {
  it.each<[string | undefined, string[] | undefined]>([
    [undefined, undefined],
    ['*', undefined],
    [' * ', undefined],
    ['"3"', ['3']],
    ['3', ['3']],
    ['"3", "4"', ['3', '4']],
    ['W/"3"', []],
    ['"abc"', []],
    ['', undefined],
    [' ', undefined],
    ['"3", W/"4"', ['3']],
  ])('reads %j', (header, expected) => {
    expect(expectedVersions({ headers: { 'if-match': header } })).toEqual(expected);
  });
});
