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
  QueueFull: 'QUEUE_FULL',
  WaitTooLong: 'QUEUE_FULL',
  ShareFull: 'QUEUE_SHARE_FULL',
  CoolingDown: 'PROVIDERS_COOLING',
  Unsupported: 'PARAMETER_UNSUPPORTED',
  DeadlineExceeded: 'DEADLINE_EXCEEDED',
  Cancelled: 'REQUEST_CANCELLED',
  ToolRefused: 'TOOL_FAILED',
  ToolTimeout: 'TOOL_TIMEOUT',
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

  it('blames a full share on the caller, with 429, and everything else that is full or resting on the system', () => {
    const status = (type: FailureType): number => ERRORS[EXPECTED[type]].status;
    expect(status('ShareFull')).toBe(429);
    expect([status('QueueFull'), status('WaitTooLong'), status('CoolingDown')]).toEqual([503, 503, 503]);
  });

  it.each(['PATH_DENIED', 'FILE_CHANGED', 'TOOL_MISSING', 'SANDBOX_UNAVAILABLE'] as const)(
    'tells what a tool refused by its own code: %s',
    (code) => {
      const told = outcomeError({ type: 'ToolRefused', code, message: 'the reason' });
      expect(told).toEqual({ code, message: ERRORS[code].message, reason: 'the reason' });
    },
  );

  it('takes a code that it does not know, or one beside another failure, for none', () => {
    const unknown = outcomeError({ type: 'ToolRefused', code: 'FROM_A_LATER_VERSION', message: 'm' });
    expect(unknown.code).toBe('TOOL_FAILED');
    expect(outcomeError({ type: 'Cancelled', code: 'PATH_DENIED', message: 'm' }).code).toBe('REQUEST_CANCELLED');
  });

  it.each([
    [1, 1],
    [0, 1],
    [1_000, 1],
    [1_001, 2],
    [90_000, 90],
  ])('says after %d ms to come back in %d whole seconds', (retryAfterMs, seconds) => {
    const told = outcomeError({ type: 'QueueFull', message: 'ten wait', retryAfterMs });
    expect(told).toMatchObject({ code: 'QUEUE_FULL', retry_after_s: seconds });
  });
});
