import type { PlaceRequest } from '../contracts/admission.js';
import { simulate } from './admission-order.js';
import {
  GUESS_MS,
  isQueued,
  knownMeanMs,
  lookUp,
  meanMs,
  type PoolState,
  type Refusal,
  type Ticket,
} from './admission-state.js';

/** Bounds of what a refused caller is told to wait, in milliseconds. */
const SOONEST_MS = 500;
const LATEST_MS = 60_000;

/** What a call is expected to take where so much time is left: a guess must not refuse anybody by itself. */
export function serviceMs(state: PoolState, provider: string, leftMs: number): number {
  return knownMeanMs(state, provider) ?? Math.min(GUESS_MS, leftMs / 2);
}

/** Wait that a DAO's request is told, by how much longer than simulated those before it have waited. */
export function corrected(state: PoolState, daoId: string, simulatedMs: number): number {
  return Math.round(simulatedMs * Math.exp(lookUp(state.daos, daoId)?.bias ?? 0));
}

/** Why there is no room for one more request, and in how many milliseconds there should be; undefined if there is. */
export function noRoom(
  state: PoolState,
  request: PlaceRequest,
  now: number,
): { reason: Refusal['reason']; inMs: number } | undefined {
  const queued = state.tickets.filter(isQueued);
  const ownLimit = Math.max(1, Math.floor(state.maxWaiting / 2));
  const own = queued.filter(({ daoId }) => daoId === request.daoId).length;
  const held = state.tickets.filter(({ status }) => status !== 'out').length;
  // While slots are free nobody waits, and nobody is in anybody's way.
  if (held < state.slots) return undefined;
  if (own >= ownLimit) return { reason: 'ShareFull', inMs: nextStart(state, now, request.daoId) };
  if (held >= state.slots + state.maxWaiting) return { reason: 'QueueFull', inMs: nextStart(state, now) };
  return undefined;
}

/** In how many milliseconds the next queued request, or the next one of a DAO, should leave the queue. */
function nextStart(state: PoolState, now: number, daoId?: string): number {
  const next = simulate(state, now).starts.find(({ ticket }) => daoId === undefined || ticket.daoId === daoId);
  return (next?.at ?? now) - now;
}

/**
 * By how many milliseconds a ticket would wait too long, in a state that holds it; undefined if it would not. Where a
 * slot is free it is tried, whatever calls have taken of late: nobody would ever learn that they are quick again.
 */
export function tooLongBy(state: PoolState, ticket: Ticket, simulatedMs: number, now: number): number | undefined {
  const left = ticket.deadlineAt - now;
  if (left <= 0) return 0;
  if (simulatedMs <= 0) return undefined;
  const wait = corrected(state, ticket.daoId, simulatedMs);
  const excess = Math.max(wait + serviceMs(state, ticket.provider, left) - left, wait - state.maxWaitMs);
  return excess > 0 ? excess : undefined;
}

/**
 * A refusal, and the state that remembers it: each one is told a later moment than the one before, about as far apart
 * as slots become free, so that those who were refused do not come back all at once.
 * @param inMs when there should be room, in milliseconds
 */
export function refuse(
  state: PoolState,
  reason: Refusal['reason'],
  now: number,
  inMs: number,
  provider: string,
): [PoolState, Refusal] {
  const apart = meanMs(state, provider) / Math.max(1, state.slots);
  const soonest = now + Math.max(SOONEST_MS, inMs);
  const at = Math.round(Math.min(now + LATEST_MS, Math.max(soonest, state.returnAt + apart)));
  return [
    { ...state, returnAt: at },
    { reason, retryAfterMs: at - now },
  ];
}
