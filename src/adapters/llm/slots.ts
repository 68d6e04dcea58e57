import { EmbeddedFault } from './faults.js';

interface Waiting {
  resolve(release: () => void): void;
  stop(): void;
}

/** A fixed number of slots and a bounded queue in front of them, first come, first served. */
export class Slots {
  private readonly waiting: Waiting[] = [];

  /**
   * @param free how many may run at once
   * @param maxWaiting how many may wait; one more is refused at once
   */
  constructor(
    private free: number,
    private readonly maxWaiting: number,
  ) {}

  /**
   * Takes a slot, or waits for one.
   * @returns gives the slot back; calling it again does nothing
   * @throws EmbeddedFault `busy` when the queue is full, the signal's reason when it is aborted
   */
  acquire(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.free > 0) {
      this.free--;
      return Promise.resolve(this.releaseOnce());
    }
    if (this.waiting.length >= this.maxWaiting) return Promise.reject(new EmbeddedFault('busy'));
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.waiting.splice(this.waiting.indexOf(entry), 1);
        reject(signal.reason as Error);
      };
      const stop = (): void => {
        signal.removeEventListener('abort', leave);
      };
      const entry: Waiting = { resolve, stop };
      signal.addEventListener('abort', leave, { once: true });
      this.waiting.push(entry);
    });
  }

  private releaseOnce(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.passOn();
    };
  }

  /** Hands the slot to the first in the queue without freeing it in between, so that nobody can overtake. */
  private passOn(): void {
    const next = this.waiting.shift();
    if (!next) {
      this.free++;
      return;
    }
    next.stop();
    next.resolve(this.releaseOnce());
  }
}
