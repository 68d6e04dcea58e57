import { describe, expect, it } from '@jest/globals';
import { FAILURE_TYPES, type FailureType } from '../contracts/failures.js';
import { ERRORS } from '../errors/catalogue.js';
import { outcomeError } from './outcome.js';

const EXPECTED: Record<FailureType, keyof typeof ERRORS> = {
  RateLimited: 'PROVIDER_FAILED',
  ProviderUnavailable: 'PROVIDER_FAILED',
  ProviderTimeout: 'PROVIDER_TIMEOUT',
  ProviderRejected: 'PROVIDER_FAILED',
  AuthenticationFailed: 'PROVIDER_FAILED',
  ModelNotFound: 'PROVIDER_FAILED',
  ContextLengthExceeded: 'PROMPT_TOO_LONG',
  EmptyAnswer: 'PROVIDER_FAILED',
  StreamInterrupted: 'STREAM_INTERRUPTED',
  QueueTimeout: 'PROVIDER_TIMEOUT',
  DeadlineExceeded: 'DEADLINE_EXCEEDED',
  Cancelled: 'REQUEST_CANCELLED',
  StoreUnavailable: 'STORE_UNAVAILABLE',
  WorkerStopped: 'PROVIDER_FAILED',
  Internal: 'INTERNAL',
};

describe('outcomeError', () => {
  it.each(FAILURE_TYPES)('tells %s with its code, the sentence of the code, and the reason', (type) => {
    const code = EXPECTED[type];
    const told = outcomeError({ type, message: 'the reason' });
    expect(told).toEqual({ code, message: ERRORS[code].message, reason: 'the reason' });
  });
});
