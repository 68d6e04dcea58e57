import { Rising } from './rising.js';

/** While a person thinks, clients are told this often that the call goes on: they would give it up after a minute. */
const ALIVE_MS = 10_000;

interface AskingOptions {
  /** Tells the client of progress, if it wants to know. */
  tell: (progress: { progress: number; message: string }) => void;
  /** The client has given the call up. */
  onGivenUp: () => void;
}

/** One call of an older client: what it is told meanwhile, and whether a person is being asked. */
export class AskingCall {
  readonly rising = new Rising();
  private alive: NodeJS.Timeout | undefined;
  private abandon: ((reason: unknown) => void) | undefined;

  constructor(
    signal: AbortSignal,
    private readonly options: AskingOptions,
  ) {
    const onAbort = (): void => {
      const { abandon } = this;
      this.end();
      options.onGivenUp();
      abandon?.(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  }

  /** A person is asked, until the call comes again or is answered. If it is given up meanwhile, nobody else knows. */
  wait(abandon: (reason: unknown) => void): void {
    this.abandon = abandon;
    this.alive = setInterval(() => {
      this.options.tell({ progress: this.rising.next(), message: 'waits for an answer' });
    }, ALIVE_MS);
  }

  /** Nobody is asked any more. */
  end(): void {
    clearInterval(this.alive);
    this.abandon = undefined;
  }
}
