import { Context } from '@temporalio/activity';
import type { Failure } from '../../src/contracts/failures.js';

/** Why a call was stopped, as the reason of an `AbortSignal`. */
export class Stopped extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
    this.name = 'Stopped';
  }
}

const HEARTBEAT_MS = 1_000;

export interface StopSignal {
  signal: AbortSignal;
  dispose(): void;
}

export interface StopLimits {
  /** Longest time of this call, in milliseconds. */
  timeoutMs: number;
  /** When the whole request must have ended: Unix time in milliseconds. */
  deadlineAt: number;
  onCancel: (listener: () => void) => () => void;
}

/**
 * One signal for everything that ends a call: its own timeout, the request's deadline, a cancel from this process, and
 * a cancel or shutdown that Temporal tells. Temporal tells through heartbeats, so they are sent while the call runs.
 */
export function stopSignal({ timeoutMs, deadlineAt, onCancel }: StopLimits): StopSignal {
  const context = Context.current();
  const controller = new AbortController();
  const stop = (failure: Failure): void => {
    controller.abort(new Stopped(failure));
  };
  const left = deadlineAt - Date.now();
  const limit: Failure =
    timeoutMs < left
      ? { type: 'ProviderTimeout', message: `no complete answer within ${timeoutMs} ms` }
      : { type: 'DeadlineExceeded', message: 'the time for this request ran out' };
  const timer = setTimeout(stop, Math.max(0, Math.min(timeoutMs, left)), limit);
  const cancelled = (): void => {
    // Everything else (shutdown, a heartbeat that came too late, a pause) says nothing about the request: another worker goes on.
    const asked = context.cancellationDetails?.cancelRequested !== false;
    stop(asked ? { type: 'Cancelled', message: 'cancelled' } : { type: 'WorkerStopped', message: 'the worker stops' });
  };
  context.cancellationSignal.addEventListener('abort', cancelled, { once: true });
  if (context.cancellationSignal.aborted) cancelled();
  const forget = onCancel(() => {
    stop({ type: 'Cancelled', message: 'cancelled' });
  });
  const beat = setInterval(() => {
    context.heartbeat();
  }, HEARTBEAT_MS);
  return {
    signal: controller.signal,
    dispose: () => {
      clearTimeout(timer);
      clearInterval(beat);
      context.cancellationSignal.removeEventListener('abort', cancelled);
      forget();
    },
  };
}
