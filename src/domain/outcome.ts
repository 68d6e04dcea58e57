import type { ErrorObject } from '../contracts/bodies.js';
import type { Failure, FailureType } from '../contracts/failures.js';
import { ERRORS, isErrorCode, type ErrorCode } from '../errors/catalogue.js';

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
  ToolRefused: 'TOOL_FAILED',
  ToolTimeout: 'TOOL_TIMEOUT',
  StoreUnavailable: 'STORE_UNAVAILABLE',
  Internal: 'INTERNAL',
};

/** The error that a caller is told for the failure that ended a request; `retry_after_s` where it says when to come back. */
export function outcomeError(failure: Failure): ErrorObject {
  const { type, message, retryAfterMs, parameter } = failure;
  const refused = type === 'ProviderRejected' && parameter !== undefined;
  const code = refused ? 'PARAMETER_UNSUPPORTED' : codeOf(failure);
  const retryAfter = retryAfterMs === undefined ? {} : { retry_after_s: Math.max(1, Math.ceil(retryAfterMs / 1_000)) };
  return {
    code,
    message: ERRORS[code].message,
    reason: message,
    ...retryAfter,
    ...(refused ? { param: parameter } : {}),
  };
}

function codeOf({ type, code }: Failure): ErrorCode {
  if (type === 'ToolRefused' && code !== undefined && isErrorCode(code)) return code;
  return CODES[type] ?? 'PROVIDER_FAILED';
}
