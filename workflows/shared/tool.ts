import { ActivityFailure, TimeoutFailure, type ActivityOptions } from '@temporalio/workflow';
import type { Failure } from '../../src/contracts/failures.js';
import { MODE_PRIORITY, type RouteRequestInput } from '../../src/contracts/request.js';
import { failureOf } from './failure-of.js';

/** A worker that is silent for this long is taken for dead, in milliseconds. */
const HEARTBEAT_TIMEOUT_MS = 6_000;
/** The activity itself keeps the deadline; this is what it gets on top, to end what it runs and write it down. */
const END_GRACE_MS = 10_000;

/** How the activity `runTool` is called, within what is left of the request's time. */
export function toolOptions({ deadlineAt, decision }: RouteRequestInput, scheduledAt: number): ActivityOptions {
  const remainingMs = Math.max(1, deadlineAt - scheduledAt);
  return {
    scheduleToStartTimeout: remainingMs,
    scheduleToCloseTimeout: remainingMs + END_GRACE_MS,
    startToCloseTimeout: remainingMs + END_GRACE_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    // A program that was stopped is gone when the activity ends: nobody is to be told earlier that it is.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s' },
    priority: {
      priorityKey: decision.priority ?? MODE_PRIORITY.devtools,
      ...(decision.weight === undefined ? {} : { fairnessWeight: decision.weight }),
    },
  };
}

/** The failure of the closed list behind whatever a call of a tool threw. */
export function toolFailureOf(error: unknown): Failure {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof TimeoutFailure)) return failureOf(error);
  const message =
    cause.timeoutType === 'SCHEDULE_TO_START' ? 'no worker of the queue devtools was free' : 'the time ran out';
  return { type: 'ToolTimeout', message };
}
