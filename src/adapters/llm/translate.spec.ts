import { describe, expect, it } from '@jest/globals';
import { EmbeddedFault } from './faults.js';
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

it('keeps what the embedded process last wrote, for the log alone', () => {
  const cause = new Error('GGML_ASSERT failed');
  const error = translateEmbeddedError(new EmbeddedFault('crashed', { cause }), context());
  expect(error.cause).toBe(cause);
  expect(error.toFailure()).toEqual({
    type: 'ProviderUnavailable',
    message: 'p crashed; it starts again with the next call',
  });
});
