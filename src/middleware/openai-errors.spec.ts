import { describe, expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { isOpenAiPath, withHint, withoutSpareSlashes } from './openai-errors.js';
import { openAiLimits } from './openai-limits.js';

describe(isOpenAiPath.name, () => {
  it.each(['/v1', '/v1/', '/v1/models', '/v1?x=1', '/v1/%zz'])('knows %s', (url) => {
    expect(isOpenAiPath(url)).toBe(true);
  });
  it.each(['/', '/v10', '/v1x/models', '/route', '/x/v1/models', ''])('knows that %s is none', (url) => {
    expect(isOpenAiPath(url)).toBe(false);
  });
});

describe(withoutSpareSlashes.name, () => {
  it.each([
    ['/v1/models', '/v1/models'],
    ['/v1/models/', '/v1/models'],
    ['//v1/chat/completions', '/v1/chat/completions'],
    ['/v1//chat/completions/', '/v1/chat/completions'],
    ['/v1/models/?after=//x/?', '/v1/models?after=//x/?'],
    ['/v1/models/provider%2Fa', '/v1/models/provider%2Fa'],
    ['/v1/', '/v1'],
    ['/docs/', '/docs/'],
    ['//docs', '//docs'],
  ])('makes of %s %s', (url, expected) => {
    expect(withoutSpareSlashes(url)).toBe(expected);
  });
});

describe(withHint.name, () => {
  const hinted = (url: string, error = new AppError('NOT_FOUND')): string =>
    withHint(error, { url } as FastifyRequest).message;

  it.each(['/chat/completions', '/models?after=x', '/embeddings/', '/models/provider/x'])('of %s says /v1', (url) => {
    expect(hinted(url)).toMatch(/^There is nothing here\. .*ends with \/v1\.$/);
  });

  it('names what there is in place of the Responses API', () => {
    for (const url of ['/v1/responses', '/v1/responses/r1?x=1'])
      expect(hinted(url)).toMatch(/Responses API .* POST \/v1\/chat\/completions\.$/);
  });

  it('says no more of other addresses, nor of other errors', () => {
    for (const url of ['/v1/responsesx', '/modelsx', '/', '/v1/models'])
      expect(hinted(url)).toBe('There is nothing here. GET /openapi.json lists what there is.');
    const error = new AppError('MODEL_NOT_FOUND');
    expect(withHint(error, { url: '/v1/responses' } as FastifyRequest)).toBe(error);
  });
});

describe(openAiLimits.name, () => {
  it('tells of each kind the limit of which least is left', () => {
    expect(
      openAiLimits({
        'ratelimit-policy': '"key";q=60;w=60, "dao";q=100;w=60, "dao-tokens";q=5000;qu="tokens";w=2592000',
        ratelimit: '"key";r=59;t=60, "dao";r=3;t=12, "dao-tokens";r=4000;t=99',
      }),
    ).toEqual({
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '3',
      'x-ratelimit-reset-requests': '12s',
      'x-ratelimit-limit-tokens': '5000',
      'x-ratelimit-remaining-tokens': '4000',
      'x-ratelimit-reset-tokens': '99s',
    });
  });

  it.each([{}, { ratelimit: 'odd' }, { ratelimit: '"key";r=1;t=1' }])('says nothing of %j', (headers) => {
    expect(openAiLimits(headers)).toEqual({});
  });
});
