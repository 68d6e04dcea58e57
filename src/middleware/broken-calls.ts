import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { v7 as uuid } from 'uuid';
import { AppError } from '../errors/app-error.js';
import { errorBody, sendError, toAppError } from './error.filter.js';
import { logCall } from './log-calls.js';

/** Answers calls whose address cannot be read: the server turns them away before any hook of ours. */
export const refuseBadAddress =
  (log: Logger) =>
  (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    void reply.header('x-request-id', request.id);
    reply.raw.once('close', () => {
      logCall(log, request, reply, !reply.raw.writableFinished);
    });
    sendError(toAppError(error), request, reply);
  };

const STATUSES: Partial<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

/** Answers, on the bare socket, what is no HTTP. */
export function refuseNoHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const id = uuid();
  const status = STATUSES[error.code ?? ''] ?? 400;
  const refusal = new AppError('QUERY_INVALID', 'This is no HTTP request that could be read.');
  const body = JSON.stringify(errorBody(id, refusal));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
}
