import { describe, expect, it } from '@jest/globals';
import { PathLocks } from './locks.js';

describe('PathLocks', () => {
  it('lets two who want the same paths in another order go one after another, and forgets the paths', async () => {
    const locks = new PathLocks();
    const seen: string[] = [];
    const action = (name: string) => async () => {
      seen.push(`${name} begins`);
      await new Promise(setImmediate);
      seen.push(`${name} ends`);
    };
    const failing = locks.run(['a'], () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    await Promise.all([locks.run(['a', 'b', 'a'], action('one')), locks.run(['b', 'a'], action('two'))]);
    expect(seen).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
    expect(locks.size).toBe(0);
  });
});
