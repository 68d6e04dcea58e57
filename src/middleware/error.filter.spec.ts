import { describe, expect, it } from '@jest/globals';
import { BadRequestException, HttpException, NotFoundException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { ERRORS } from '../errors/catalogue.js';
import { sendError, toAppError } from './error.filter.js';

const coded = (code: string): Error => Object.assign(new Error('said by the framework'), { code });

describe('toAppError', () => {
  it('leaves an error of the catalogue as it is', () => {
    const error = new AppError('NO_ROUTE', 'why', { mode: 'chat' });
    expect(toAppError(error)).toBe(error);
  });

  it.each([
    ['FST_ERR_CTP_BODY_TOO_LARGE', 'BODY_TOO_LARGE', 413],
    ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'MEDIA_TYPE_UNSUPPORTED', 415],
    ['FST_ERR_BAD_URL', 'QUERY_INVALID', 400],
    ['FST_ERR_MAX_PARAM_LENGTH', 'QUERY_INVALID', 400],
    ['FST_ERR_CTP_EMPTY_JSON_BODY', 'BAD_JSON', 400],
    ['FST_ERR_CTP_INVALID_JSON_BODY', 'BAD_JSON', 400],
    ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'BAD_JSON', 400],
  ] as const)('knows %s of the server, alone or as the cause of another', (code, expected, status) => {
    const wrapped = new HttpException('wrapped', 500, { cause: coded(code) });
    for (const error of [coded(code), wrapped]) expect(toAppError(error)).toMatchObject({ code: expected, status });
  });

  it('takes a body that does not parse for bad JSON', () => {
    const error = Object.assign(new SyntaxError('Unexpected token'), { statusCode: 400 });
    expect(toAppError(error)).toMatchObject({ code: 'BAD_JSON', message: ERRORS.BAD_JSON.message });
    expect(toAppError(new SyntaxError('of our own'))).toMatchObject({ code: 'INTERNAL' });
  });

  it('tells what does not fit the schema', () => {
    const error = toAppError(new BadRequestException(['prompt: is missing', 'mode: is odd']));
    expect(error).toMatchObject({ code: 'BODY_INVALID', status: 400 });
    expect(error.message).toContain('prompt: is missing; mode: is odd');
    expect(toAppError(new HttpException('one reason', 400)).message).toContain('one reason');
  });

  it.each([
    [404, 'NOT_FOUND'],
    [413, 'BODY_TOO_LARGE'],
    [415, 'MEDIA_TYPE_UNSUPPORTED'],
    [418, 'INTERNAL'],
    [500, 'INTERNAL'],
  ] as const)('gives status %d of the framework the code %s, and no word of its own', (status, code) => {
    expect(toAppError(new HttpException('secret words', status))).toMatchObject({
      code,
      message: ERRORS[code].message,
    });
  });

  it('does not let on what it does not know, and keeps it for the log', () => {
    const cause = new Error('password=hunter2');
    const error = toAppError(cause);
    expect(error).toMatchObject({ code: 'INTERNAL', status: 500, message: ERRORS.INTERNAL.message, detail: {}, cause });
  });

  it.each([undefined, null, 'text', 7, {}, { code: 'FST_ERR_CTP_BODY_TOO_LARGE' }])(
    'takes %j, no error, for INTERNAL',
    (thrown) => {
      expect(toAppError(thrown).code).toBe('INTERNAL');
    },
  );

  it('takes a code that merely looks like a name of every object for unknown', () => {
    expect(toAppError(coded('constructor')).code).toBe('INTERNAL');
    expect(toAppError(new NotFoundException(undefined, { cause: coded('toString') })).code).toBe('NOT_FOUND');
  });
});

describe(sendError.name, () => {
  /** What an error is answered with. */
  function answered(error: AppError): { status: number; headers: Record<string, string>; body: unknown } {
    const answer = { status: 0, headers: {} as Record<string, string>, body: undefined as unknown };
    const reply = {
      header: (name: string, value: string) => reply.headers({ [name]: value }),
      headers: (more: Record<string, string>) => {
        Object.assign(answer.headers, more);
        return reply;
      },
      status: (status: number) => {
        answer.status = status;
        return reply;
      },
      send: (body: unknown) => {
        answer.body = body;
        return reply;
      },
    };
    sendError(error, { id: 'r1' } as FastifyRequest, reply as unknown as FastifyReply);
    return answer;
  }

  it('tells a refused caller when to come back and what the limits are', () => {
    const headers = { ratelimit: '"key";r=0;t=7' };
    const error = new AppError('RATE_LIMITED', 'why', { limit: 'key' }, { retryAfterSeconds: 7, headers });
    expect(answered(error)).toEqual({
      status: 429,
      headers: { 'retry-after': '7', ...headers },
      body: { ok: false, request_id: 'r1', error: { code: 'RATE_LIMITED', message: 'why', limit: 'key' } },
    });
  });

  it('adds no header that the error does not know of', () => {
    expect(answered(new AppError('NO_ROUTE')).headers).toEqual({});
    expect(answered(new AppError('UNAUTHENTICATED')).headers).toEqual({ 'www-authenticate': 'Bearer' });
  });
});
