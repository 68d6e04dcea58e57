import { Readable } from 'node:stream';
import { verifyKey } from 'discord-interactions';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error.js';
import { DISCORD_INTERACTIONS } from './discord.controller.js';

const SIGNATURE = 'x-signature-ed25519';
const TIMESTAMP = 'x-signature-timestamp';
/** Most bytes of an interaction: a form with all its fields full stays far below. */
const MOST_BYTES = 262_144;
/** What was signed longer ago, or is to be signed later, is not what Discord sends now, in seconds. */
const MOST_AGE_S = 300;

/** What Discord signed; undefined: the headers have not the form for it. */
function signedIn({ headers }: FastifyRequest): { signature: string; timestamp: string } | undefined {
  const [signature, timestamp] = [headers[SIGNATURE], headers[TIMESTAMP]];
  if (typeof signature !== 'string' || !/^[0-9a-f]{128}$/i.test(signature)) return undefined;
  if (typeof timestamp !== 'string' || !/^\d{1,12}$/.test(timestamp)) return undefined;
  return { signature, timestamp };
}

async function bytesOf(payload: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of payload) {
    length += part.length;
    if (length > MOST_BYTES) throw new AppError('BODY_TOO_LARGE');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/**
 * Refuses, before anything of a body is parsed, what Discord has not signed just now. Discord sends wrong signatures on
 * purpose, and sends nothing more to whoever takes them.
 * @param publicKey of the application, in hexadecimal digits; undefined: there is nobody to call
 */
export function guardInteractions(
  server: FastifyInstance,
  publicKey: string | undefined,
  now: () => number = Date.now,
): void {
  const isOurs = ({ routeOptions }: FastifyRequest): boolean => routeOptions.url === `/${DISCORD_INTERACTIONS}`;
  const refused = (): AppError => new AppError('UNAUTHENTICATED', 'Discord has not signed this.');
  server.addHook('onRequest', async (request) => {
    if (!isOurs(request)) return;
    if (publicKey === undefined) throw new AppError('NOT_FOUND');
    const signed = signedIn(request);
    if (!signed || Math.abs(now() / 1_000 - Number(signed.timestamp)) > MOST_AGE_S) throw refused();
  });
  // The signature is over the bytes as they came, which only this hook sees.
  server.addHook('preParsing', async (request, _reply, payload) => {
    const signed = isOurs(request) ? signedIn(request) : undefined;
    if (!signed || publicKey === undefined) return payload;
    const bytes = await bytesOf(payload as AsyncIterable<Buffer>);
    if (!(await verifyKey(bytes, signed.signature, signed.timestamp, publicKey))) throw refused();
    return Object.assign(Readable.from([bytes], { objectMode: false }), { receivedEncodedLength: bytes.length });
  });
}
