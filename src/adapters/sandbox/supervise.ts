import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgramEnd, SandboxEnd } from '../../contracts/devtools.js';
import { secondLineEnded, type RunLimits } from './bounds.js';
import type { OutputKeeper } from './output-keeper.js';

const LOOK_EVERY_MS = 100;
const STREAMS_CLOSE_WITHIN_MS = 2_000;

/** A program that was started and has to be watched to its end. */
export interface Supervised {
  child: ChildProcess;
  limits: RunLimits;
  signal: AbortSignal;
  output: OutputKeeper;
  /** What the program has exceeded by now. */
  look: () => Promise<ProgramEnd | undefined>;
  /** Kills all of its processes; called once more when it has ended, for those that it left. */
  kill: () => Promise<void>;
}

export interface SupervisedEnd {
  endedBy: ProgramEnd;
  /** Null where it was killed. */
  code: number | null;
}

/**
 * Waits until a program has ended, or ends it for what it uses, for its time or at the signal. Then none of its
 * processes is left that `kill` finds.
 * @throws the error with which it could not be started
 */
export async function supervise(run: Supervised): Promise<SupervisedEnd> {
  const stop = new Stop(run);
  const startedAt = performance.now();
  const exited = new Promise<number | null>((resolve, reject) => {
    run.child.once('error', reject);
    run.child.once('exit', resolve);
  });
  const closed = new Promise<void>((resolve) => run.child.once('close', () => resolve()));
  readStreams(run, stop);
  try {
    const code = await exited;
    if (secondLineEnded(run.limits, code, performance.now() - startedAt)) stop.note('timeout');
    // A last look: what the kernel killed may have been the program itself.
    const exceeded = await run.look();
    if (exceeded !== undefined) stop.note(exceeded);
    return { endedBy: stop.endedBy, code: stop.endedBy === 'exit' ? code : null };
  } finally {
    stop.release();
    await run.kill();
    await Promise.race([closed, sleep(STREAMS_CLOSE_WITHIN_MS, undefined, { ref: false })]);
    for (const stream of run.child.stdio) stream?.destroy();
    run.output.end();
  }
}

function readStreams({ child, output }: Supervised, stop: Stop): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', (chunk: Buffer) => {
      output.take(stream, chunk);
      if (output.flooded) stop.end('output');
    });
  }
}

/** The first reason for which a program is ended, and the timers that may find one. */
class Stop {
  private reason: ProgramEnd = 'exit';
  private released = false;
  private readonly timeout: NodeJS.Timeout;
  private readonly watch: NodeJS.Timeout;
  private readonly onAbort = (): void => this.end('cancelled');
  private looking = false;

  constructor(private readonly run: Supervised) {
    this.timeout = setTimeout(() => this.end('timeout'), run.limits.timeoutMs);
    this.watch = setInterval(() => void this.lookOnce(), LOOK_EVERY_MS);
    run.signal.addEventListener('abort', this.onAbort, { once: true });
    if (run.signal.aborted) this.end('cancelled');
  }

  get endedBy(): ProgramEnd {
    return this.reason;
  }

  note(reason: ProgramEnd): void {
    if (this.reason === 'exit') this.reason = reason;
  }

  end(reason: ProgramEnd): void {
    if (this.released || this.reason !== 'exit') return;
    this.note(reason);
    // What it throws is thrown again by the call at the end.
    this.run.kill().catch(() => undefined);
  }

  release(): void {
    this.released = true;
    clearTimeout(this.timeout);
    clearInterval(this.watch);
    this.run.signal.removeEventListener('abort', this.onAbort);
  }

  private async lookOnce(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    // A process that ends while it is looked at is no reason for anything.
    const found = await this.run.look().catch(() => undefined);
    this.looking = false;
    if (found !== undefined) this.end(found);
  }
}

/**
 * What came of a program, for whoever had it run.
 * @param startedAt by `performance.now()`
 */
export function sandboxEnd(
  end: SupervisedEnd,
  { output, stdout, stdoutTruncated }: OutputKeeper,
  report: string | undefined,
  startedAt: number,
): SandboxEnd {
  const ms = Math.round(performance.now() - startedAt);
  return { ...end, output, stdout, stdoutTruncated, ...(report === undefined ? {} : { report }), ms };
}
