import type { Dirent } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { sortedByName } from './entries.js';

describe('sortedByName', () => {
  it.each([0, 1, 8_192, 8_193, 50_000])(
    'puts %i entries in the order of their names, and serves others',
    async (count) => {
      const names = Array.from({ length: count }, (_, at) => `file ${(at * 7_919) % count}`);
      let turns = 0;
      const turn = (): void => {
        turns += 1;
        next = setImmediate(turn);
      };
      let next = setImmediate(turn);
      const sorted = await sortedByName(names.map((name) => ({ name })) as Dirent[]);
      clearImmediate(next);
      expect(sorted.map(({ name }) => name)).toEqual(names.toSorted());
      expect(turns).toBeGreaterThanOrEqual(Math.ceil(count / 8_192) - 1);
    },
  );
});
