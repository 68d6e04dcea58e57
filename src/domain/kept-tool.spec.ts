import { describe, expect, it } from '@jest/globals';
import { withoutLongTexts } from './kept-tool.js';

describe('withoutLongTexts', () => {
  it('keeps what says where and how', () => {
    const request = { tool: 'fs_write', params: { path: 'a.txt', content: 'short', expected_hash: null } };
    expect(withoutLongTexts(request)).toEqual(request);
  });

  it('keeps of long texts and large objects only how long they were', () => {
    const params = { path: 'a.txt', content: 'x'.repeat(1_001), notebook: { cells: ['y'.repeat(2_000)] } };
    expect(withoutLongTexts({ tool: 'fs_write', params })).toEqual({
      tool: 'fs_write',
      params: { path: 'a.txt', content: { characters: 1_001 }, notebook: { characters: 2_014 } },
    });
  });
});
