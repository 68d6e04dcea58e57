import { AppError } from '../errors/app-error.js';

/** Knows whether the process is stopping, and lets those who wait know it too. */
export class DrainService {
  private refusing = false;
  private readonly stopping = new AbortController();

  /** From now on nothing new is accepted. Whoever waits goes on waiting: answers under way are being finished. */
  refuse(): void {
    this.refusing = true;
  }

  /** What can be finished here is finished: whoever still waits is told what there is so far. */
  stop(): void {
    this.refusing = true;
    this.stopping.abort();
  }

  /** Whether those who wait are being sent away: what they waited for goes on elsewhere. */
  get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  /** @throws AppError `SHUTTING_DOWN` */
  refuseWhenStopping(): void {
    if (this.refusing) throw new AppError('SHUTTING_DOWN');
  }

  /** A signal that ends with the given one, or when the process stops. */
  orStopping(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.stopping.signal]);
  }
}
