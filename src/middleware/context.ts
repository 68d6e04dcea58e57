import type { FastifyRequest } from 'fastify';
import type { CallerKey } from '../contracts/access.js';
import { AppError } from '../errors/app-error.js';

/** What is known of a call while it is handled. */
export interface CallContext {
  key?: CallerKey | undefined;
  /** When it was found, by the monotonic clock; absent where none is needed. */
  keySeenAt?: number;
  receivedAt: Date;
  /** Fields for every log line about this call. */
  fields: Record<string, string>;
}

const contexts = new WeakMap<object, CallContext>();

/** The context of a call; made when the call is first seen. */
export function contextOf(request: Pick<FastifyRequest, 'raw'>): CallContext {
  let context = contexts.get(request.raw);
  if (!context) contexts.set(request.raw, (context = { receivedAt: new Date(), fields: {} }));
  return context;
}

/** The key that was authenticated for a call. */
export function keyOf(request: Pick<FastifyRequest, 'raw'>): CallerKey {
  const { key } = contextOf(request);
  if (!key) throw new AppError('UNAUTHENTICATED');
  return key;
}
