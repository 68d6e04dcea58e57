import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { contextOf } from './context.js';

/** One line a call, when it is over; and the id of the call in its answer. */
export function logCalls(server: FastifyInstance, log: Logger): void {
  server.addHook('onRequest', (request, reply, done) => {
    contextOf(request);
    // A reply is thenable: to await it would be to wait for the answer.
    void reply.header('x-request-id', request.id);
    // Of an answer that nobody was left to take there is no `onResponse`.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) logCall(log, request, reply, true);
    });
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    logCall(log, request, reply, false);
    done();
  });
}

/** Calls that have their line. */
const logged = new WeakSet<object>();

export function logCall(log: Logger, request: FastifyRequest, reply: FastifyReply, aborted: boolean): void {
  if (logged.has(reply.raw)) return;
  logged.add(reply.raw);
  const { fields, key } = contextOf(request);
  log.info(
    {
      request_id: request.id,
      ...fields,
      key_id: key?.id,
      method: request.method,
      // The pattern, not the address: an address may carry what a log should not.
      route: request.routeOptions.url ?? 'none',
      // Of an answer that was never begun the status says nothing.
      status: aborted && !reply.raw.headersSent ? undefined : reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(aborted ? { aborted } : {}),
    },
    'call',
  );
}
