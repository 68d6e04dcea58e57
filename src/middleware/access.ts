import { applyDecorators, SetMetadata } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension } from '@nestjs/swagger';
import type { Entitlement } from '../contracts/access.js';

/**
 * What a route asks of its caller. `public`: nothing. `owner`: a key, and a relation to the thing that is checked by
 * the service. `signed`: the signature of a platform, in place of a key. `by-mode`: a key, and the entitlement of the mode that the body names. `key`: a key, and what
 * it may is the service's question. Else: that entitlement.
 */
export type RouteAccess = 'public' | 'signed' | 'owner' | 'by-mode' | 'key' | Entitlement;

export const ROUTE_ACCESS = Symbol('route-access');
/** Where the description of a route says the same. */
export const ACCESS_NOTE = 'x-dagi-access';

/** Declares what a route asks of its caller. A route that declares nothing is closed to everybody. */
export const Access = (access: RouteAccess): MethodDecorator =>
  applyDecorators(SetMetadata(ROUTE_ACCESS, access), RouteConfig({ access }), ApiExtension(ACCESS_NOTE, access));
