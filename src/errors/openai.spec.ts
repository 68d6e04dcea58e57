import { describe, expect, it } from '@jest/globals';
import { AppError } from './app-error.js';
import { ERRORS, type ErrorCode } from './catalogue.js';
import { openAiError } from './openai.js';

describe(openAiError.name, () => {
  const table: [ErrorCode, number, string, string, final?: boolean][] = [
    ['UNAUTHENTICATED', 401, 'invalid_request_error', 'invalid_api_key'],
    ['RBAC_PERMISSION_DENIED', 403, 'permission_error', 'rbac_permission_denied'],
    ['ACTING_NOT_ALLOWED', 403, 'permission_error', 'acting_not_allowed'],
    ['DAO_FORBIDDEN', 403, 'permission_error', 'dao_forbidden'],
    ['MODEL_NOT_FOUND', 404, 'invalid_request_error', 'model_not_found'],
    ['NOT_FOUND', 404, 'invalid_request_error', 'not_found'],
    ['BAD_JSON', 400, 'invalid_request_error', 'invalid_json'],
    ['BODY_INVALID', 400, 'invalid_request_error', 'invalid_value'],
    ['PARAMETER_UNSUPPORTED', 400, 'invalid_request_error', 'unsupported_parameter'],
    ['DAO_REQUIRED', 400, 'invalid_request_error', 'dao_required'],
    ['PROMPT_TOO_LONG', 400, 'invalid_request_error', 'context_length_exceeded'],
    ['BODY_TOO_LARGE', 413, 'invalid_request_error', 'body_too_large'],
    ['MEDIA_TYPE_UNSUPPORTED', 415, 'invalid_request_error', 'media_type_unsupported'],
    ['NO_ROUTE', 422, 'invalid_request_error', 'no_route'],
    ['IDEMPOTENCY_CONFLICT', 422, 'invalid_request_error', 'idempotency_conflict', true],
    ['REQUEST_CANCELLED', 409, 'invalid_request_error', 'request_cancelled', true],
    ['RATE_LIMITED', 429, 'rate_limit_error', 'rate_limit_exceeded'],
    ['QUEUE_SHARE_FULL', 429, 'rate_limit_error', 'rate_limit_exceeded'],
    ['BUDGET_EXHAUSTED', 429, 'insufficient_quota', 'insufficient_quota', true],
    ['INTERNAL', 500, 'server_error', 'internal'],
    ['PROVIDER_FAILED', 502, 'server_error', 'provider_failed', true],
    ['STREAM_INTERRUPTED', 502, 'server_error', 'stream_interrupted', true],
    ['QUEUE_FULL', 503, 'server_error', 'overloaded'],
    ['PROVIDERS_COOLING', 503, 'server_error', 'overloaded'],
    ['SHUTTING_DOWN', 503, 'server_error', 'shutting_down'],
    ['TEMPORAL_UNAVAILABLE', 503, 'server_error', 'temporal_unavailable'],
    ['STORE_UNAVAILABLE', 503, 'server_error', 'store_unavailable'],
    ['PROVIDER_TIMEOUT', 504, 'server_error', 'provider_timeout', true],
    ['DEADLINE_EXCEEDED', 504, 'server_error', 'deadline_exceeded', true],
  ];

  it.each(table.map(([code, status, type, told, final]) => [code, status, type, told, final ?? false] as const))(
    'tells %s as %d %s %s',
    (code, status, type, told, final) => {
      const error = openAiError(new AppError(code));
      expect(error).toMatchObject({ status, body: { error: { type, code: told } } });
      expect(error.headers).toEqual(final ? { 'x-should-retry': 'false' } : {});
    },
  );

  it('gives every error of the catalogue the four fields, and no word at which Dify tries again', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      const { error } = openAiError(new AppError(code, undefined, { reason: 'no thinking; budget_tokens' })).body;
      expect(Object.keys(error).toSorted()).toEqual(['code', 'message', 'param', 'type']);
      expect(error.message).not.toMatch(/thinking|budget_tokens|integer_below_min_value|see attempts/i);
    }
  });

  it('names the parameter: of the body, of the refusal, or that which the error is always about', () => {
    const paramOf = (error: AppError): unknown => openAiError(error).body.error.param;
    expect(paramOf(new AppError('BODY_INVALID', 'x', {}, { fault: { param: 'messages' } }))).toBe('messages');
    expect(paramOf(new AppError('PARAMETER_UNSUPPORTED', 'x', { param: 'tools' }))).toBe('tools');
    expect(paramOf(new AppError('MODEL_NOT_FOUND'))).toBe('model');
    expect(paramOf(new AppError('PROMPT_TOO_LONG'))).toBe('messages');
    expect(paramOf(new AppError('INTERNAL'))).toBeNull();
  });

  it('says OpenAI’s word for what is wrong where the schema knows it', () => {
    const fault = { param: 'n', code: 'unsupported_value' };
    expect(openAiError(new AppError('BODY_INVALID', 'x', {}, { fault })).body.error.code).toBe('unsupported_value');
  });

  it('tells the reason with the message', () => {
    const recorded = AppError.recorded({
      ...{ code: 'PROVIDER_FAILED', message: 'No model could answer; see attempts.' },
      ...{ reason: 'fake refused the key (HTTP 401)', retry_after_s: 7 },
    });
    expect(openAiError(recorded).body.error.message).toBe('No model could answer: fake refused the key (HTTP 401).');
    expect(recorded.retryAfterSeconds).toBe(7);
  });

  it('takes a recorded code that nobody knows for INTERNAL', () => {
    expect(AppError.recorded({ code: 'toString', message: 'x' }).code).toBe('INTERNAL');
  });
});
