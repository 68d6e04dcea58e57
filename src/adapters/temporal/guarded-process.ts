import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { GUARD_SCRIPT } from './guard-script.js';

/** How a guarded program ended. */
export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * A program that ends when this process does, however this process ends (also by `kill -9`), and that does not get the
 * terminal's Ctrl-C: it lives in a session of its own, so that we can drain before we stop it.
 */
export class GuardedProcess {
  private readonly shell: ChildProcess;
  /** Fulfilled with the way it ended; never rejected. */
  readonly ended: Promise<ProcessEnd>;
  private isEnded = false;

  /** @param output file descriptor for what the program prints; the caller may close it at once */
  constructor(program: string, args: readonly string[], output: number) {
    this.shell = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'dagi-guard', program, ...args], {
      detached: true,
      // Not ours: it holds the keys of providers and administrators.
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: homedir() },
      stdio: ['pipe', output, output],
    });
    // The pipe breaks when the guard dies first; that is told by `ended`.
    this.shell.stdin?.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.shell.once('error', () => this.finish(resolve, { code: 127, signal: null }));
      this.shell.once('exit', (code, signal) => this.finish(resolve, { code, signal }));
    });
  }

  get pid(): number | undefined {
    return this.shell.pid;
  }

  get running(): boolean {
    return !this.isEnded;
  }

  /** Asks the program to end, and kills it after `graceMs`. */
  async stop(graceMs = 8_000): Promise<void> {
    if (this.isEnded) return;
    this.shell.stdin?.end();
    const timeout = AbortSignal.timeout(graceMs);
    await Promise.race([this.ended, once(timeout, 'abort')]);
    if (!this.isEnded) this.killGroup();
    await this.ended;
  }

  private killGroup(): void {
    try {
      if (this.shell.pid !== undefined) process.kill(-this.shell.pid, 'SIGKILL');
    } catch {
      // The group is gone already, which is what we want.
    }
  }

  private finish(resolve: (end: ProcessEnd) => void, end: ProcessEnd): void {
    this.isEnded = true;
    // If the shell was killed alone, the closed pipe makes its watcher end the program.
    this.shell.stdin?.destroy();
    resolve(end);
  }
}
