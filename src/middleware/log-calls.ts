import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { contextOf } from './context.js';

/** One line a call, when it is over; and the id of the call in its answer. */
export function logCalls(server: FastifyInstance, log: Logger): void {
  server.addHook('onRequest', (request, reply, done) => {
    contextOf(request);
    // A reply is thenable: to await it would be to wait for the answer.
    void reply.header('x-request-id', request.id);
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    const { fields, key } = contextOf(request);
    log.info(
      {
        request_id: request.id,
        ...fields,
        key_id: key?.id,
        method: request.method,
        // The pattern, not the address: an address may carry what a log should not.
        route: request.routeOptions.url ?? 'none',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'call',
    );
    done();
  });
}
