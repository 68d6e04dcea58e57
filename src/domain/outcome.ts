import type { ErrorObject } from '../contracts/bodies.js';
import type { Failure, FailureType } from '../contracts/failures.js';
import { ERRORS, type ErrorCode } from '../errors/catalogue.js';

const CODES: Partial<Record<FailureType, ErrorCode>> = {
  ProviderTimeout: 'PROVIDER_TIMEOUT',
  QueueTimeout: 'PROVIDER_TIMEOUT',
  ContextLengthExceeded: 'PROMPT_TOO_LONG',
  StreamInterrupted: 'STREAM_INTERRUPTED',
  DeadlineExceeded: 'DEADLINE_EXCEEDED',
  Cancelled: 'REQUEST_CANCELLED',
  StoreUnavailable: 'STORE_UNAVAILABLE',
  Internal: 'INTERNAL',
};

/** The error that a caller is told for the failure that ended a request. */
export function outcomeError(failure: Failure): ErrorObject {
  const code = CODES[failure.type] ?? 'PROVIDER_FAILED';
  return { code, message: ERRORS[code].message, reason: failure.message };
}
