import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { pino } from 'pino';
import { RequestCounter } from './request-counter.js';

const log = pino({ level: 'silent' });

describe(RequestCounter.name, () => {
  let counter: RequestCounter;

  beforeEach(() => {
    jest.useFakeTimers();
    counter = RequestCounter.inMemory(log);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('lets as many in as the quota says, until the window ends', async () => {
    expect(await counter.take('a', 2)).toMatchObject({ allowed: true, remaining: 1, resetMs: 60_000 });
    jest.advanceTimersByTime(59_000);
    expect(await counter.take('a', 2)).toMatchObject({ allowed: true, remaining: 0, resetMs: 1_000 });
    expect(await counter.take('a', 2)).toMatchObject({ allowed: false, remaining: 0, resetMs: 1_000 });
    expect(await counter.take('b', 2)).toMatchObject({ allowed: true, remaining: 1 });
    jest.advanceTimersByTime(1_000);
    expect(await counter.take('a', 2)).toMatchObject({ allowed: true, remaining: 1, resetMs: 60_000 });
  });

  it('takes a request back out of its count, but not out of a later window', async () => {
    const first = await counter.take('a', 1);
    await first.undo();
    const second = await counter.take('a', 1);
    expect(second.allowed).toBe(true);
    jest.advanceTimersByTime(60_000);
    await second.undo();
    expect((await counter.take('a', 1)).allowed).toBe(true);
    expect((await counter.take('a', 1)).allowed).toBe(false);
  });

  it('goes by the quota of the moment', async () => {
    for (let request = 0; request < 3; request += 1) await counter.take('a', 10);
    expect(await counter.take('a', 3)).toMatchObject({ allowed: false, remaining: 0 });
    expect(await counter.take('a', 10)).toMatchObject({ allowed: true, remaining: 5 });
  });

  it('never lets more in than the quota, whatever is taken and taken back', async () => {
    const steps = fc.array(fc.record({ name: fc.constantFrom('x', 'y'), undo: fc.boolean() }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 8 }), async (list, quota) => {
        const own = RequestCounter.inMemory(log);
        const inside = { x: 0, y: 0 };
        for (const { name, undo } of list) {
          const full = inside[name] === quota;
          const taken = await own.take(name, quota);
          // One that was refused stays counted, so from then on nobody comes in.
          if (full) expect(taken.allowed).toBe(false);
          if (!taken.allowed) continue;
          inside[name] += 1;
          expect(inside[name]).toBeLessThanOrEqual(quota);
          if (undo) {
            await taken.undo();
            inside[name] -= 1;
          }
        }
      }),
    );
  });
});
