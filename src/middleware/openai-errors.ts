import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { openAiError, type OpenAiError } from '../errors/openai.js';
import { openAiLimits } from './openai-limits.js';

/** Where clients of OpenAI call. What is wrong there is said in their form. */
export const isOpenAiPath = (url: string): boolean => /^\/v1(?=[/?]|$)/.test(url);

/** The one method of each path that takes a body; another one is told so. */
const POSTS = new Set(['/v1/chat/completions', '/v1/completions', '/v1/embeddings']);
const isModels = (path: string): boolean => path === '/v1/models' || path.startsWith('/v1/models/');

/** Answers a call under `/v1` with an error. */
export function sendOpenAiError(error: AppError, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body } = wrongMethod(error, request) ?? openAiError(error);
  void reply
    .headers({ ...error.headers, ...openAiLimits(error.headers), ...headers })
    .status(status)
    .send(body);
}

const pathOf = (url: string): string => url.replace(/\?.*$/s, '');

/** What clients of OpenAI look for, and where it is. */
const ELSEWHERE: readonly [RegExp, string][] = [
  [/^\/v1\/responses(?=\/|$)/, 'The Responses API is not offered: use POST /v1/chat/completions.'],
  [
    /^\/(?:chat\/completions|completions|embeddings|models)(?=\/|$)/,
    'The base URL of clients of OpenAI ends with /v1.',
  ],
];

/** An error, with what might have been meant where there is nothing. */
export function withHint(error: AppError, { url }: FastifyRequest): AppError {
  if (error.code !== 'NOT_FOUND') return error;
  const [, hint] = ELSEWHERE.find(([path]) => path.test(pathOf(url))) ?? [];
  return hint === undefined ? error : new AppError('NOT_FOUND', `${error.message} ${hint}`);
}

/** To the router, a path with another method is no path at all. */
function wrongMethod({ code }: AppError, { method, url }: FastifyRequest): OpenAiError | undefined {
  const path = pathOf(url);
  const allow = POSTS.has(path) ? 'POST' : isModels(path) ? 'GET' : undefined;
  if (code !== 'NOT_FOUND' || allow === undefined || allow === method) return undefined;
  const message = `Here it is ${allow} that is understood.`;
  const error = { message, type: 'invalid_request_error', param: null, code: 'method_not_allowed' };
  return { status: 405, headers: { allow }, body: { error } };
}

/**
 * The address of a call as the router is to see it. Some people give their client a base URL with a slash at its end, and
 * some clients add one of their own: under `/v1` neither matters.
 */
export function withoutSpareSlashes(url: string): string {
  if (!/^\/+v1\//.test(url)) return url;
  const [path = '', ...query] = url.split('?');
  return [path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, ''), ...query].join('?');
}
