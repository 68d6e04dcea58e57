import { closeSync, openSync } from 'node:fs';

/** Presses of Ctrl-C that arrive this close together are one: terminal, npm and launcher each pass it on. */
const SAME_PRESS_MS = 1_000;
const PARENT_POLL_MS = 1_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface ShutdownOptions {
  /** Pid of the process to end with, or true for the one that started us. */
  exitWithParent?: number | boolean | undefined;
  /** Called on a second signal, for those who will not wait. */
  onForce: () => void;
  /** Whether our terminal is gone. */
  isHungUp?: () => boolean;
}

/** A program that was started in a terminal has none any more once its window is closed. */
function terminalIsGone(): boolean {
  if (!process.stdin.isTTY) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}

/** The wish to stop: a signal, or the death of the process that we belong to. */
export class Shutdown {
  private readonly controller = new AbortController();
  private readonly poll: NodeJS.Timeout | undefined;
  private firstAt = 0;

  constructor(private readonly options: ShutdownOptions) {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
    if (options.exitWithParent !== undefined && options.exitWithParent !== false) {
      this.poll = this.watchParent(options.exitWithParent === true ? process.ppid : options.exitWithParent);
    }
  }

  /** Aborted when we are to stop. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Why we are to stop, for people. */
  get reason(): string {
    return this.signal.reason instanceof Error ? this.signal.reason.message : 'not yet';
  }

  /** Fulfilled when we are to stop. */
  async requested(): Promise<void> {
    if (this.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Stops without a signal from outside. */
  request(reason: string): void {
    this.controller.abort(new Error(reason));
  }

  dispose(): void {
    clearInterval(this.poll);
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
  }

  private readonly onSignal = (name: NodeJS.Signals): void => {
    // Sent by hand it means, as with other servers, that the configuration is to be read again; others hear it too.
    if (name === 'SIGHUP' && !(this.options.isHungUp ?? terminalIsGone)()) return;
    if (!this.signal.aborted) {
      this.firstAt = Date.now();
      this.request(name);
    } else if (Date.now() - this.firstAt > SAME_PRESS_MS) {
      this.options.onForce();
    }
  };

  /** A parent that is killed with -9 tells nobody; its children only see that they have another parent. */
  private watchParent(parent: number): NodeJS.Timeout {
    return setInterval(() => {
      if (process.ppid !== parent && !this.signal.aborted) this.request('the parent process ended');
    }, PARENT_POLL_MS);
  }
}

/** Parses the value of `--exit-with-parent`, which may be absent. */
export const parseParent = (value: string | true): number | true => (value === true ? true : Number(value) || true);
