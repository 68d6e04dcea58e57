import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { inSlices } from './slices.js';

describe('inSlices', () => {
  let now = 0;
  let turns = 0;

  /** Others who want their turn, for as long as the work lasts. */
  function others(work: { done: boolean }): void {
    setImmediate(() => {
      turns += 1;
      if (!work.done) others(work);
    });
  }

  async function worked(items: number, msEach: number): Promise<number[]> {
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const seen: number[] = [];
    const state = { done: false };
    turns = 0;
    others(state);
    await inSlices(Array.from({ length: items }).keys(), (item) => {
      seen.push(item);
      now += msEach;
    });
    state.done = true;
    return seen;
  }

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('does all in order, and lets others in after every ten milliseconds', async () => {
    expect(await worked(100, 1)).toEqual([...Array(100).keys()]);
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  it('lets others in after each that takes longer', async () => {
    await worked(5, 50);
    expect(turns).toBeGreaterThanOrEqual(5);
  });

  it('does not stop for what is quick', async () => {
    expect(await worked(9, 1)).toHaveLength(9);
    expect(turns).toBe(0);
  });

  it('hands on what goes wrong', async () => {
    const bad = inSlices([1], () => {
      throw new Error('bad');
    });
    await expect(bad).rejects.toThrow('bad');
  });
});
