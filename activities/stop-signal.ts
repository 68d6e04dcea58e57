import { Context } from '@temporalio/activity';
import { Stopped, type Failure } from '../src/contracts/failures.js';

const HEARTBEAT_MS = 1_000;

const CANCELLED: Failure = { type: 'Cancelled', message: 'cancelled' };
const OUT_OF_TIME: Failure = { type: 'DeadlineExceeded', message: 'the time for this request ran out' };

export interface StopSignal {
  signal: AbortSignal;
  /** Begins a call that may take so long, in milliseconds. Waiting before it does not count. */
  limitCall(timeoutMs: number): void;
  /** Ends the call for a reason that is not foreseen here. The first reason stays. */
  stop(failure: Failure): void;
  dispose(): void;
}

export interface StopLimits {
  /** When the whole request must have ended: Unix time in milliseconds. */
  deadlineAt: number;
  onCancel: (listener: () => void) => () => void;
}

/**
 * One signal for everything that ends a wait and the call that follows: the call's own timeout, the request's deadline,
 * a cancel from this process, and a cancel or shutdown that Temporal tells. Temporal tells through heartbeats, so they
 * are sent all the while; a local activity is told by its own worker.
 */
export function stopSignal({ deadlineAt, onCancel }: StopLimits): StopSignal {
  const context = Context.current();
  const controller = new AbortController();
  const stop = (failure: Failure): void => {
    controller.abort(new Stopped(failure));
  };
  const timers = [setTimeout(stop, Math.max(0, deadlineAt - Date.now()), OUT_OF_TIME)];
  const cancelled = (): void => {
    // Everything else (shutdown, a heartbeat that came too late, a pause) says nothing about the request: another worker goes on.
    const asked = context.cancellationDetails?.cancelRequested !== false;
    stop(asked ? CANCELLED : { type: 'WorkerStopped', message: 'the worker stops' });
  };
  context.cancellationSignal.addEventListener('abort', cancelled, { once: true });
  if (context.cancellationSignal.aborted) cancelled();
  const forget = onCancel(() => {
    stop(CANCELLED);
  });
  // Temporal knows nothing of a local activity while it runs, and refuses its heartbeats.
  const beat = context.info.isLocal ? undefined : setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  return {
    signal: controller.signal,
    limitCall: (timeoutMs) => {
      const late: Failure = { type: 'ProviderTimeout', message: `no complete answer within ${timeoutMs} ms` };
      // At the same moment it is the deadline that counts: its timer was set first.
      if (timeoutMs < deadlineAt - Date.now()) timers.push(setTimeout(stop, timeoutMs, late));
    },
    stop,
    dispose: () => {
      timers.forEach((timer) => {
        clearTimeout(timer);
      });
      clearInterval(beat);
      context.cancellationSignal.removeEventListener('abort', cancelled);
      forget();
    },
  };
}
