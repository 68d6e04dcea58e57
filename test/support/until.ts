import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is so. @throws if it is not within the time, in milliseconds */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  for (;;) {
    // What cannot be asked yet (a database that is away) is not so yet.
    const holds = await Promise.resolve()
      .then(condition)
      .catch(() => false);
    if (holds) return;
    if (Date.now() > giveUpAt) throw new Error(`Not so within ${withinMs} ms: ${condition.toString()}`);
    await sleep(10);
  }
}
