import {
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  validateHostHeader,
  validateOriginHeader,
} from '@modelcontextprotocol/server';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors/app-error.js';

/** Under which names the server may be called, and from which web pages; asked for with each call. */
export interface McpGuard {
  hosts: () => readonly string[];
  origins: () => readonly string[];
}

/**
 * Turns away calls that a web page has led here under another name (DNS rebinding), or makes from elsewhere, and
 * batches, before anything else is looked at.
 */
export function guardMcp(server: FastifyInstance, { hosts, origins }: McpGuard): void {
  server.addHook('onRequest', async ({ headers, routeOptions }) => {
    const host = validateHostHeader(headers.host, [...localhostAllowedHostnames(), ...hosts()]);
    if (!host.ok) throw new AppError('HOST_REFUSED');
    // Who gives out tokens is told to any page: it is what clients in browsers begin with.
    if (routeOptions.url?.startsWith('/.well-known/')) return;
    const origin = validateOriginHeader(headers.origin, [...localhostAllowedOrigins(), ...origins()]);
    if (!origin.ok) throw new AppError('ORIGIN_REFUSED');
  });
  server.addHook('preHandler', async ({ body }) => {
    if (Array.isArray(body)) throw new AppError('BODY_INVALID', 'Send one message at a time: batches are not taken.');
  });
}
