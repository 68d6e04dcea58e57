import type { ApplicationFailure } from '@temporalio/common';
import { FAILURE_TYPES, Stopped, type Failure, type FailureType } from '../../src/contracts/failures.js';
import type { GenerateInput } from '../../src/contracts/request.js';
import { AppError } from '../../src/errors/app-error.js';
import { toApplicationFailure } from '../failures.js';
import type { ActivityLog } from '../log.js';

/** After the first token these end the request: another provider's text cannot follow what a reader has seen. */
const CUTS_THE_STREAM: readonly FailureType[] = FAILURE_TYPES.filter(
  (type) => !['Cancelled', 'DeadlineExceeded', 'WorkerStopped', 'StoreUnavailable'].includes(type),
);

/** Translates whatever went wrong into the closed list. Half an answer that somebody may have seen is final. */
export function failed(
  log: ActivityLog,
  input: GenerateInput,
  error: unknown,
  textSeen: boolean,
  startedAt = input.scheduledAt,
): ApplicationFailure {
  const failure = failureOf(error);
  const type = textSeen && CUTS_THE_STREAM.includes(failure.type) ? 'StreamInterrupted' : failure.type;
  const told = { provider: input.step.provider, ms: Date.now() - startedAt };
  if (type === 'Cancelled') log(input).info(told, 'model call cancelled');
  else if (type === 'Internal') log(input).error({ ...told, err: error }, 'model call failed unexpectedly');
  else log(input).warn({ ...told, failure: type, err: error }, 'model call failed');
  return toApplicationFailure({ ...failure, type, ...(type !== failure.type && { cause: failure.type }) }, textSeen);
}

/** The failure of the closed list behind whatever was thrown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Stopped) return error.failure;
  if (error instanceof Error && 'toFailure' in error && typeof error.toFailure === 'function') {
    return (error as Error & { toFailure(): Failure }).toFailure();
  }
  if (error instanceof AppError && error.code === 'STORE_UNAVAILABLE') {
    return { type: 'StoreUnavailable', message: error.message };
  }
  // Of the time limit of the write: the database was away for all that was left.
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return { type: 'DeadlineExceeded', message: 'the answer could not be written down in time' };
  }
  return { type: 'Internal', message: 'an unexpected error; the log has it' };
}
