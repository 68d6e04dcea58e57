import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { contextOf } from './context.js';
import { isOpenAiPath, sendOpenAiError, withHint } from './openai-errors.js';

/** Errors that Fastify raises before a handler is reached. */
const FASTIFY = new Map<unknown, ErrorCode>([
  ['FST_ERR_BAD_URL', 'QUERY_INVALID'],
  ['FST_ERR_MAX_PARAM_LENGTH', 'QUERY_INVALID'],
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'BODY_TOO_LARGE'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'MEDIA_TYPE_UNSUPPORTED'],
  ['FST_ERR_CTP_EMPTY_JSON_BODY', 'BAD_JSON'],
  ['FST_ERR_CTP_INVALID_JSON_BODY', 'BAD_JSON'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'BAD_JSON'],
]);

const STATUSES: Partial<Record<number, ErrorCode>> = {
  400: 'BODY_INVALID',
  403: 'NOT_FOUND',
  404: 'NOT_FOUND',
  413: 'BODY_TOO_LARGE',
  415: 'MEDIA_TYPE_UNSUPPORTED',
};

/** Turns whatever was thrown into an error of the catalogue. What is unknown stays a secret of the log. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = fastifyCode(error) ?? (error instanceof Error ? fastifyCode(error.cause) : undefined);
  if (code) return new AppError(code);
  if (error instanceof HttpException) {
    const known = STATUSES[error.getStatus()] ?? 'INTERNAL';
    if (known !== 'BODY_INVALID') return new AppError(known);
    return new AppError(known, `The request does not fit the schema: ${complaintsOf(messagesOf(error))}.`);
  }
  if (error instanceof SyntaxError && 'statusCode' in error && error.statusCode === 400)
    return new AppError('BAD_JSON');
  return new AppError('INTERNAL', undefined, {}, { cause: error });
}

const fastifyCode = (error: unknown): ErrorCode | undefined =>
  error instanceof Error && 'code' in error ? FASTIFY.get(error.code) : undefined;

/** Most complaints that a caller is told, and most characters of all of them. */
const MOST_COMPLAINTS = 10;
const LONGEST_COMPLAINT = 2_000;

function messagesOf(error: HttpException): unknown[] {
  const response = error.getResponse();
  const messages: unknown[] = [typeof response === 'object' && 'message' in response ? response.message : response];
  return messages.flat();
}

/** What a schema found wrong, in one line. */
export function complaintsOf(all: readonly unknown[]): string {
  const more = all.length > MOST_COMPLAINTS ? `; and ${all.length - MOST_COMPLAINTS} more` : '';
  return all.slice(0, MOST_COMPLAINTS).join('; ').slice(0, LONGEST_COMPLAINT) + more;
}

/** The body of every refusal. */
export function errorBody(requestId: string, { code, message, detail }: AppError): object {
  const { attempts, ...rest } = detail;
  return {
    ok: false,
    request_id: requestId,
    error: { code, message, ...rest },
    ...(attempts === undefined ? {} : { attempts }),
  };
}

/** Answers a call with an error, in the form that its clients read. */
export function sendError(thrown: AppError, request: FastifyRequest, reply: FastifyReply): void {
  const error = withHint(thrown, request);
  const wait = error.retryAfterSeconds;
  if (wait !== undefined) void reply.header('retry-after', String(wait));
  if (error.status === 401) void reply.header('www-authenticate', 'Bearer');
  if (isOpenAiPath(request.url)) sendOpenAiError(error, request, reply);
  else void reply.headers(error.headers).status(error.status).send(errorBody(request.id, error));
}

/** Refusals that keep the product quick under load, or let it stop: nothing is broken, and there may be many. */
const WANTED: readonly ErrorCode[] = ['QUEUE_FULL', 'PROVIDERS_COOLING', 'SHUTTING_DOWN'];

/** Every error of every route leaves through here. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = toAppError(thrown);
    if (WANTED.includes(error.code)) {
      this.log.info({ request_id: request.id, ...contextOf(request).fields, code: error.code }, 'call refused');
    } else if (error.status >= 500) {
      this.log.error(
        { request_id: request.id, ...contextOf(request).fields, code: error.code, err: thrown },
        'call failed',
      );
    }
    if (reply.sent || reply.raw.headersSent) return;
    sendError(error, request, reply);
  }
}
