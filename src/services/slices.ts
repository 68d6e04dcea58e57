import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest time that the event loop is held, in milliseconds; what is begun is finished, so it may be a little more. */
const SLICE_MS = 10;

/** Does something with each of many, and lets others have their turn in between. */
export async function inSlices<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let began = performance.now();
  for (const item of items) {
    work(item);
    if (performance.now() - began < SLICE_MS) continue;
    await nextTurn();
    began = performance.now();
  }
}
