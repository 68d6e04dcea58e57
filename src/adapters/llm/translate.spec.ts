import { describe, expect, it } from '@jest/globals';
import { EmbeddedFault, HttpRefusal } from './faults.js';
import type { FailureContext } from './translate.js';
import { translateEmbeddedError, translateOllamaError, translateOpenAiError } from './translate.js';

const context = (over: Partial<FailureContext> = {}): FailureContext => ({
  provider: 'p',
  model: 'm',
  signal: new AbortController().signal,
  textYielded: false,
  ...over,
});

const headersTimeout = new TypeError('fetch failed', {
  cause: Object.assign(new Error('Headers Timeout Error'), { code: 'UND_ERR_HEADERS_TIMEOUT' }),
});
/** As the `openai` library wraps it: an error without a status. */
const wrapped = Object.assign(new Error('Request timed out.'), {
  status: undefined,
  error: undefined,
  cause: headersTimeout,
});

describe.each([
  ['openai', translateOpenAiError, wrapped],
  ['ollama', translateOllamaError, headersTimeout],
  ['embedded', translateEmbeddedError, new EmbeddedFault('crashed')],
] as const)('what every translation does: %s', (library, translate, error) => {
  it('gives the reason of an aborted signal back as it is', () => {
    const reason = new Error('the deadline');
    expect(() => translate(error, context({ signal: AbortSignal.abort(reason) }))).toThrow(reason);
  });

  it('says that the stream broke, once text was seen', () => {
    expect(translate(error, context({ textYielded: true })).toFailure()).toEqual({
      type: 'StreamInterrupted',
      message: 'p broke off in the middle of its answer',
    });
  });

  it('knows its own failure', () => {
    const type = library === 'embedded' ? 'ProviderUnavailable' : 'ProviderTimeout';
    expect(translate(error, context()).type).toBe(type);
  });

  it.each([undefined, null, 'text', 7, {}])('makes something of anything that can be thrown: %p', (thrown) => {
    expect(translate(thrown, context()).type).toBe('ProviderUnavailable');
  });
});

/** As the `openai` library throws an answer of an endpoint. */
const refusal = (status: number, message: string, facts: { code?: string; type?: string } = {}, headers = {}) =>
  Object.assign(new Error(message), { status, error: {}, headers: new Headers(headers), ...facts });
const typeOf = (error: Error): string => translateOpenAiError(error, context()).type;

describe('a refusal with 403', () => {
  it.each([
    ['without a word', '', {}],
    ['of moderation', 'Your input was flagged', { code: 'moderation' }],
    ['of a firewall', '<html>Access denied: invalid_api_key</html>', {}],
    ['that repeats a prompt about permission', 'flagged: "is my authentication right?"', {}],
    ['for a country', 'not here', { code: 'unsupported_country_region_territory', type: 'request_forbidden' }],
  ])('is about the request %s', (_what, message, facts) => {
    expect(typeOf(refusal(403, message, facts))).toBe('ProviderRejected');
  });

  it.each([
    { code: 'invalid_api_key' },
    { type: 'permission_error' },
    { type: 'authentication_error' },
    { code: 'PERMISSION_DENIED' },
  ])('is about the key where code or type say so: %j', (facts) => {
    expect(typeOf(refusal(403, 'no', facts))).toBe('AuthenticationFailed');
  });
});

describe('a refusal with 429', () => {
  const wait = { 'retry-after': '60' };

  it.each([
    'Request too large for gpt-4o on tokens per min (TPM): Limit 10000, Requested 12000.',
    'The input or output tokens must be reduced in order to run successfully.',
    'Limit 6000, Requested 9000, please reduce your message size and try again; see settings/billing',
    'This model has a maximum context length of 4096 tokens.',
  ])('is about the request that is too long for any minute: %s', (message) => {
    const error = translateOpenAiError(refusal(429, message, {}, wait), context());
    expect(error.toFailure()).toEqual({ type: 'ContextLengthExceeded', message: expect.stringContaining('HTTP 429') });
  });

  it('is about how often it is asked otherwise, with the wait', () => {
    const error = translateOpenAiError(refusal(429, 'Rate limit reached: context deadline', {}, wait), context());
    expect(error.toFailure()).toMatchObject({ type: 'RateLimited', retryAfterMs: 60_000 });
  });

  it('is about the request in the words of Ollama’s neighbours, too', () => {
    const error = new HttpRefusal(429, new Headers(wait), 'request too large');
    expect(translateOllamaError(error, context()).type).toBe('ContextLengthExceeded');
  });
});

describe('the parameter that a refusal is about', () => {
  const parameterOf = (status: number, param: unknown, over: Partial<FailureContext> = {}): string | undefined =>
    translateOpenAiError(Object.assign(refusal(status, 'secret'), { param }), context(over)).toFailure().parameter;

  it.each(['temperature', 'tools[0].function.name', 'messages.[1].content.[0].type', 'x'.repeat(64)])(
    'is passed on: %s',
    (param) => {
      expect([parameterOf(400, param), parameterOf(422, param)]).toEqual([param, param]);
    },
  );

  it.each([undefined, null, '', 7, 'my secret prompt', '<b>', '1st', 'x'.repeat(65), 'temperature\n'])(
    'is not passed on where it is no name: %j',
    (param) => {
      expect(parameterOf(400, param)).toBeUndefined();
    },
  );

  it('goes with refusals of the request, and with nothing else', () => {
    expect([parameterOf(429, 'model'), parameterOf(503, 'model'), parameterOf(404, 'model')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(parameterOf(400, 'model', { textYielded: true })).toBeUndefined();
  });
});

it('keeps what the embedded process last wrote, for the log alone', () => {
  const cause = new Error('GGML_ASSERT failed');
  const error = translateEmbeddedError(new EmbeddedFault('crashed', { cause }), context());
  expect(error.cause).toBe(cause);
  expect(error.toFailure()).toEqual({
    type: 'ProviderUnavailable',
    message: 'p crashed; it starts again with the next call',
  });
});
