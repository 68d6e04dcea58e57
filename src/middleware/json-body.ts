import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors/app-error.js';

/** Deeper or fuller bodies are no requests of ours, and would hold up everybody while they are parsed and checked. */
const DEEPEST = 64;
const MOST_VALUES = 20_000;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Whether a JSON text is nested too deeply or holds too many values, found in one pass over its bytes. What is no JSON
 * at all is the parser's to find.
 */
export function isMonstrous(body: Uint8Array): boolean {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) at = endOfString(body, at);
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth -= 1;
    else if (byte === COMMA || byte === COLON) values += 1;
    if (depth > DEEPEST || values > MOST_VALUES) return true;
  }
  return false;
}

/** Index of the quote that ends the string which begins at `start`. */
function endOfString(body: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Reads JSON bodies with Fastify's own parser (which refuses `__proto__`), behind a look at their shape. */
export function acceptJsonBodies(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser(['application/json', 'text/plain']);
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (isMonstrous(body)) {
      done(new AppError('BODY_INVALID', 'The body is nested too deeply or holds too many values.'));
    } else {
      void parse(request, body.toString('utf8'), done);
    }
  });
}
