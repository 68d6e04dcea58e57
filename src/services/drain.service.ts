import { AppError } from '../errors/app-error.js';

/** Knows whether the process is stopping, and lets those who wait know it too. */
export class DrainService {
  private readonly stopping = new AbortController();

  /** From now on nothing is accepted, and whoever waits is told what there is so far. */
  stop(): void {
    this.stopping.abort();
  }

  /** @throws AppError `SHUTTING_DOWN` */
  refuseWhenStopping(): void {
    if (this.stopping.signal.aborted) throw new AppError('SHUTTING_DOWN');
  }

  /** A signal that ends with the given one, or when the process stops. */
  orStopping(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.stopping.signal]);
  }
}
