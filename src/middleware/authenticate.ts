import type { FastifyInstance, FastifyRequest } from 'fastify';
import { KEY_SEEN_MS, type CallerKey } from '../contracts/access.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService } from '../services/access.service.js';
import { contextOf } from './context.js';

/** Who knows what a credential opens. */
export interface Authenticator {
  /** The key behind a credential of a call, whose body may not be there yet; undefined: it opens nothing. */
  authenticate(credential: string, request: Pick<FastifyRequest, 'headers' | 'body'>): Promise<CallerKey | undefined>;
}

/** Routes of the documentation page, which the swagger module registers by itself. */
const DOCUMENTATION = /^\/(docs(\/.*)?|openapi\.json)$/;

/** The credential of a call: `Authorization: Bearer KEY` or `X-API-Key: KEY`. */
export function credentialOf(headers: FastifyRequest['headers']): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const header = headers['x-api-key'];
  return bearer ?? (typeof header === 'string' && header !== '' ? header : undefined);
}

/**
 * Checks the credential of every call before its body is read. What is not declared public needs a key; what declares
 * nothing is closed; what is the platform's alone is closed to others before they can make us read anything.
 */
export function authenticateCalls(server: FastifyInstance, keys: Authenticator, rights: AccessService): void {
  server.addHook('onRequest', async (request) => {
    const context = contextOf(request);
    const access = accessOf(request);
    // What is signed is checked by the guard of its platform.
    if (access === 'public' || access === 'signed') return;
    const credential = credentialOf(request.headers);
    context.key = credential === undefined ? undefined : await keys.authenticate(credential, request);
    context.keySeenAt = performance.now();
    if (!context.key) throw unauthenticated(credential, request.headers.authorization);
    if (access === undefined && !request.is404) throw new AppError('RBAC_PERMISSION_DENIED');
    if (access === 'platform.admin') await rights.requirePlatform(context.key);
  });
  // The body may have taken its time: a key that was revoked meanwhile opens nothing any more.
  server.addHook('preHandler', async (request) => {
    const context = contextOf(request);
    const credential = credentialOf(request.headers);
    const waited = performance.now() - (context.keySeenAt ?? Infinity) > KEY_SEEN_MS;
    // Or the body says as who, of several, the bearer of a token calls.
    const isDue = waited || context.key?.token?.undecided === true;
    if (credential === undefined || request.body === undefined || !isDue) return;
    context.key = await keys.authenticate(credential, request);
    if (!context.key) throw unauthenticated(credential, request.headers.authorization);
  });
}

function accessOf(request: FastifyRequest): unknown {
  const path = request.routeOptions.url;
  if (path !== undefined && DOCUMENTATION.test(path)) return 'public';
  const config: unknown = request.routeOptions.config;
  return typeof config === 'object' && config !== null && 'access' in config ? config.access : undefined;
}

const OPENS_NOTHING = 'This API key opens nothing: it is wrong, was revoked, or has expired.';

/** Dify's studio sends `Basic KEY` unless told otherwise. */
function unauthenticated(credential: string | undefined, authorization: string | undefined): AppError {
  if (credential !== undefined) return new AppError('UNAUTHENTICATED', OPENS_NOTHING);
  if (!/^Basic /i.test(authorization ?? '')) return new AppError('UNAUTHENTICATED');
  return new AppError(
    'UNAUTHENTICATED',
    'Send the key as "Authorization: Bearer KEY": the prefix "Basic" is not offered here.',
  );
}
