import type { PlaceRequest } from '../contracts/admission.js';
import { simulate } from './admission-order.js';
import { everyMs, promise, returnsOf } from './admission-returns.js';
import {
  GUESS_MS,
  isQueued,
  knownMeanMs,
  lookUp,
  type PoolState,
  type Refusal,
  type Ticket,
} from './admission-state.js';

/** Whoever comes back as promised finds the limits this much wider: the promise was made by what was known then. */
const KEPT = 1.5;

/** What a call is expected to take where so much time is left: a guess must not refuse anybody by itself. */
export function serviceMs(state: PoolState, provider: string, leftMs: number): number {
  return knownMeanMs(state, provider) ?? Math.min(GUESS_MS, leftMs / 2);
}

/** Wait that a DAO's request is told, by how much longer than simulated those before it have waited. */
export function corrected(state: PoolState, daoId: string, simulatedMs: number): number {
  return Math.round(simulatedMs * Math.exp(lookUp(state.daos, daoId)?.bias ?? 0));
}

/** Somebody who asks for a place. `back`: as promised when refused before. */
type Comer = Pick<PlaceRequest, 'daoId' | 'provider'> & { back: boolean };

/** Why there is no room for one more request, and in how many milliseconds there should be; undefined if there is. */
export function noRoom(
  state: PoolState,
  comer: Comer,
  now: number,
): { reason: Refusal['reason']; inMs: number } | undefined {
  const queued = state.tickets.filter(isQueued);
  const ownLimit = Math.max(1, Math.floor(state.maxWaiting / 2));
  const own = queued.filter(({ daoId }) => daoId === comer.daoId).length;
  const held = state.tickets.filter(({ status }) => status !== 'out').length;
  // While slots are free nobody waits, and nobody is in anybody's way.
  if (held < state.slots) return undefined;
  if (own >= within(state, comer, ownLimit, own))
    return { reason: 'ShareFull', inMs: nextStart(state, now, comer.daoId) };
  if (held >= state.slots + state.maxWaiting) return { reason: 'QueueFull', inMs: nextStart(state, now) };
  return undefined;
}

/**
 * How much of a limit there is for somebody who comes: what was promised to others is theirs, but as long as the half is
 * free nobody is kept from it, since those others may not come.
 */
function within(state: PoolState, { daoId, back }: Comer, limit: number, taken: number): number {
  if (back) return limit * KEPT;
  return taken < limit / 2 ? limit : limit - returnsOf(state, daoId).length;
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
export function tooLongBy(
  state: PoolState,
  ticket: Ticket,
  simulatedMs: number,
  now: number,
  back: boolean,
): number | undefined {
  const left = ticket.deadlineAt - now;
  if (left <= 0) return 0;
  if (simulatedMs <= 0) return undefined;
  const wait = corrected(state, ticket.daoId, simulatedMs);
  const excess = Math.max(
    wait + serviceMs(state, ticket.provider, left) - left,
    beyondLimit(state, ticket, wait, back),
  );
  return excess > 0 ? excess : undefined;
}

function beyondLimit(state: PoolState, { daoId, provider }: Ticket, waitMs: number, back: boolean): number {
  const { maxWaitMs } = state;
  if (back) return waitMs - maxWaitMs * KEPT;
  // Those who were promised a place come before, unless there is so much room that the slots could run dry.
  const ahead = waitMs > maxWaitMs / 2 ? returnsOf(state, daoId).length * everyMs(state, daoId, provider) : 0;
  return waitMs + ahead - maxWaitMs;
}

/**
 * A refusal, and the state that remembers it: each one of a DAO is told a later moment than the one before, about as far
 * apart as its requests are served, and finds room then.
 * @param inMs when there should be room, in milliseconds
 */
export function refuse(
  state: PoolState,
  reason: Refusal['reason'],
  ticket: Ticket,
  now: number,
  inMs: number,
): [PoolState, Refusal] {
  const [after, retryAfterMs] = promise(state, ticket, now, inMs);
  return [after, { reason, retryAfterMs }];
}
