import { describe, expect, it } from '@jest/globals';
import { Slots } from './slots.js';

const never = new AbortController().signal;

describe('Slots', () => {
  it('serves in the order of arrival, and refuses beyond the queue', async () => {
    const sut = new Slots(1, 2);
    const order: string[] = [];
    const first = await sut.acquire(never);
    const second = sut.acquire(never).then((release) => {
      order.push('second');
      return release;
    });
    const third = sut.acquire(never).then((release) => {
      order.push('third');
      return release;
    });
    await expect(sut.acquire(never)).rejects.toMatchObject({ reason: 'busy' });
    first();
    first();
    (await second)();
    (await third)();
    expect(order).toEqual(['second', 'third']);
    (await sut.acquire(never))();
  });

  it('lets a waiting caller go, whose place the next one takes', async () => {
    const sut = new Slots(1, 2);
    const release = await sut.acquire(never);
    const controller = new AbortController();
    const leaving = sut.acquire(controller.signal);
    const staying = sut.acquire(never);
    const reason = new Error('gone');
    controller.abort(reason);
    await expect(leaving).rejects.toBe(reason);
    release();
    (await staying)();
    await expect(sut.acquire(controller.signal)).rejects.toBe(reason);
    (await sut.acquire(never))();
  });
});
