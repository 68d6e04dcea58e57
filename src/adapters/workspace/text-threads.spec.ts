import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DiffJob } from './text-jobs.js';
import { TextThreads } from './text-threads.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const job = (from: string, to: string): DiffJob => ({
  ...{ names: ['a', 'b'], texts: [bytes(from), bytes(to)], context: 0, most: 1_000_000 },
});
const HARD = job(
  Array.from({ length: 8_000 }, (_, at) => `a${at}`).join('\n'),
  Array.from({ length: 8_000 }, (_, at) => `b${at}`).join('\n'),
);

/** Answers a job with what it is to do: end, fail, take for ever or all memory; else with the number of its thread. */
const ODD = `
  import { parentPort, threadId } from 'node:worker_threads';
  parentPort.on('message', ({ ask }) => {
    if (ask === 'end') process.exit(3);
    if (ask === 'fail') throw new TypeError('odd');
    if (ask === 'last') for (;;);
    if (ask === 'grow') for (const all = []; ;) all.push(Array.from({ length: 1e5 }, (_, at) => at + 0.5));
    parentPort.postMessage([threadId]);
  });
`;

describe('TextThreads', () => {
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'dagi-test-threads-'));
    writeFileSync(join(home, 'odd.mjs'), ODD);
  });

  afterEach(() => rmSync(home, { recursive: true }));

  const odd = (longestMs = 5_000, memoryMb = 64) => {
    const threads = new TextThreads({ file: pathToFileURL(join(home, 'odd.mjs')), longestMs, memoryMb });
    return async (ask: string): Promise<unknown> => threads.run('heads', ask);
  };

  it('gives up on texts that are too different, while everybody else is served', async () => {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const threads = new TextThreads();
    await threads.run('diff', job('a', 'b'));
    delay.enable();
    expect(await Promise.all([HARD, HARD].map((hard) => threads.run('diff', hard)))).toEqual(Array(2).fill(undefined));
    delay.disable();
    // Half a second leaves room for a busy machine; the work itself takes seconds.
    expect(delay.max / 1e6).toBeLessThan(500);
    expect(Buffer.from((await threads.run('diff', job('a\n', 'b\n')))!).toString()).toContain('\n-a\n+b\n');
  });

  it('keeps two threads, and starts others for those that ended', async () => {
    const run = odd();
    const first = await Promise.all(Array.from({ length: 9 }, () => run('')));
    const ids = new Set(first.map(String));
    expect(ids.size).toBe(2);
    await expect(run('end')).rejects.toMatchObject({ cause: expect.objectContaining({ message: 'ended with 3' }) });
    await expect(run('fail')).rejects.toMatchObject({ cause: expect.objectContaining({ message: 'odd' }) });
    const later = await Promise.all(Array.from({ length: 9 }, () => run('')));
    expect(later.filter((id) => ids.has(String(id)))).toEqual([]);
  });

  it('ends what takes too long or too much memory', async () => {
    const run = odd(1_500);
    const [first] = await Promise.all([run('last'), run('')]);
    expect(first).toBeUndefined();
    expect(await odd(30_000)('grow')).toBeUndefined();
    expect(await run('')).toEqual([expect.any(Number)]);
  });

  it('does not keep a process that has nothing else to do, but one that waits for an answer', () => {
    const script = `
      import { TextThreads } from ${JSON.stringify(new URL('./text-threads.ts', import.meta.url).href)};
      const texts = [new TextEncoder().encode('a'), new TextEncoder().encode('b')];
      const end = await new TextThreads().run('diff', { names: ['a', 'b'], texts, context: 0, most: 1000 });
      console.log(end.length > 10);
    `;
    const args = ['--input-type=module', '-e', script];
    expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 })).toBe('true\n');
  });
});
