import type { SandboxEnd } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import type { DescribedSandbox, SandboxDescription } from './description.js';

/** Refuses every program. */
export class NoSandbox implements DescribedSandbox {
  readonly kind = 'off';

  /** @param reason one sentence for people: why programs cannot be run here, and the remedy */
  constructor(private readonly reason: string) {}

  describe(): SandboxDescription {
    return { kind: this.kind, reason: this.reason };
  }

  /** @throws AppError `SANDBOX_UNAVAILABLE`, always */
  run(): Promise<SandboxEnd> {
    return Promise.reject(unavailable(this.reason));
  }
}

/** The error for a program that cannot be run, with why it cannot. */
export const unavailable = (reason: string, cause?: unknown): AppError =>
  new AppError('SANDBOX_UNAVAILABLE', `Programs cannot be run here: ${reason}`, { reason }, { cause });
