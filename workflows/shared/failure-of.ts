import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TimeoutFailure,
  isCancellation,
} from '@temporalio/workflow';
import { FAILURE_TYPES, type Failure, type FailureType } from '../../src/contracts/failures.js';

const TIMEOUTS: Partial<Record<string, FailureType>> = {
  SCHEDULE_TO_START: 'QueueTimeout',
  SCHEDULE_TO_CLOSE: 'DeadlineExceeded',
  START_TO_CLOSE: 'DeadlineExceeded',
  HEARTBEAT: 'ProviderUnavailable',
};

const isFailure = (value: unknown): value is Failure =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  (FAILURE_TYPES as readonly unknown[]).includes(value.type);

/** The failure of the closed list behind whatever an activity call threw. */
export function failureOf(error: unknown): Failure {
  if (isCancellation(error)) return { type: 'Cancelled', message: 'cancelled' };
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof CancelledFailure) return { type: 'Cancelled', message: 'cancelled' };
  if (cause instanceof TimeoutFailure) {
    const kind = cause.timeoutType ?? 'SCHEDULE_TO_CLOSE';
    return {
      type: TIMEOUTS[kind] ?? 'DeadlineExceeded',
      message: `timeout: ${kind.toLowerCase().replaceAll('_', ' ')}`,
    };
  }
  if (cause instanceof ApplicationFailure && isFailure(cause.details?.[0])) return cause.details[0];
  return { type: 'Internal', message: 'an unexpected error; the log has it' };
}

/** Whether somebody may have seen a part of an answer before an activity failed. */
export function textSeen(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const told: unknown = cause instanceof ApplicationFailure ? cause.details?.[1] : undefined;
  return typeof told === 'object' && told !== null && 'textSeen' in told && told.textSeen === true;
}
