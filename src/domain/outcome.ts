import type { ErrorObject } from '../contracts/bodies.js';
import type { Failure, FailureType } from '../contracts/failures.js';
import { ERRORS, type ErrorCode } from '../errors/catalogue.js';

const CODES: Partial<Record<FailureType, ErrorCode>> = {
  ProviderTimeout: 'PROVIDER_TIMEOUT',
  QueueTimeout: 'PROVIDER_TIMEOUT',
  QueueFull: 'QUEUE_FULL',
  WaitTooLong: 'QUEUE_FULL',
  ShareFull: 'QUEUE_SHARE_FULL',
  CoolingDown: 'PROVIDERS_COOLING',
  Unsupported: 'PARAMETER_UNSUPPORTED',
  ContextLengthExceeded: 'PROMPT_TOO_LONG',
  StreamInterrupted: 'STREAM_INTERRUPTED',
  DeadlineExceeded: 'DEADLINE_EXCEEDED',
  Cancelled: 'REQUEST_CANCELLED',
  StoreUnavailable: 'STORE_UNAVAILABLE',
  Internal: 'INTERNAL',
};

/** The error that a caller is told for the failure that ended a request; `retry_after_s` where it says when to come back. */
export function outcomeError({ type, message, retryAfterMs, parameter }: Failure): ErrorObject {
  const refused = type === 'ProviderRejected' && parameter !== undefined;
  const code = refused ? 'PARAMETER_UNSUPPORTED' : (CODES[type] ?? 'PROVIDER_FAILED');
  const retryAfter = retryAfterMs === undefined ? {} : { retry_after_s: Math.max(1, Math.ceil(retryAfterMs / 1_000)) };
  return {
    code,
    message: ERRORS[code].message,
    reason: message,
    ...retryAfter,
    ...(refused ? { param: parameter } : {}),
  };
}
