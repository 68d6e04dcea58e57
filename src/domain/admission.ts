/**
 * The order in which requests may call a provider of which only a few calls at once are allowed: pure functions from a
 * pool's state and the moment to its next state. docs/adr/0005 says what they promise.
 */
import type { Place, PlaceRequest, PoolInfo } from '../contracts/admission.js';
import type { SharedMoment } from '../contracts/shared-state.js';
import { simulate } from './admission-order.js';
import { corrected, noRoom, refuse, tooLongBy } from './admission-refusal.js';
import { isBack, kept } from './admission-returns.js';
import { orphaned, putOut, released, replaced, settle } from './admission-settle.js';
import {
  freeSlots,
  isQueued,
  isRunning,
  isWaiting,
  underPolicy,
  welcomed,
  type PoolState,
  type Refusal,
  type Ticket,
} from './admission-state.js';

export { nextSettleAt, settle } from './admission-settle.js';
export { isReadable } from './admission-state.js';
export type { PoolState, Refusal, Ticket } from './admission-state.js';

/** A request was taken out of the queue while it waited, by whoever cancelled it. */
export class PlaceWithdrawn extends Error {
  constructor() {
    super('The request was taken out of the queue');
    this.name = 'PlaceWithdrawn';
  }
}

/** How long a reservation waits for somebody to adopt it, in milliseconds. */
export const RESERVED_MS = 10_000;

/** Which ticket somebody enters with, and for whom. */
export interface Entrant {
  /** Of the ticket; nobody else's. Entering again with it changes nothing. */
  id: string;
  /** The process that waits. */
  holder: string;
  /** When it first came, if its ticket was lost meanwhile. */
  since?: number;
}

/** Where a ticket stands. `gone`: nobody knows it any more. */
export type Standing =
  | { is: 'running'; waitedMs: number }
  | { is: 'waiting'; place: Place }
  | { is: 'refused'; refusal: Refusal }
  | { is: 'withdrawn' }
  | { is: 'gone' };

/** What a change makes of a pool, and what it tells whoever made it. */
export interface Step<R> {
  state: PoolState;
  result: R;
  /** Nobody else is concerned. */
  quiet?: boolean;
}

/**
 * Enters a pool to wait, at the place of the request's reservation, or of its waiting ticket in a process that is not
 * seen any more or has stopped. A free slot is granted at once.
 * @throws AppError `STORE_UNAVAILABLE` if a newer program keeps the pool
 */
export function enter(
  before: PoolState | undefined,
  request: PlaceRequest,
  entrant: Entrant,
  moment: SharedMoment,
): Step<Standing> {
  const state = settle(underPolicy(before, request), moment);
  if (state.tickets.some(({ id, status }) => id === entrant.id && status !== 'reserved'))
    return { state, result: standing(state, entrant.id, moment.now) };
  const adopted = adoptable(state, request.requestId, moment);
  const since = entrant.since ?? moment.now;
  const ticket = { ...newTicket(request, entrant.id, since, state.turns), holder: entrant.holder };
  if (adopted.length > 0) return adopt(state, ticket, adopted, moment);
  const admitted = admit(state, { ...ticket, status: 'waiting' }, moment.now);
  const refusal = admitted.result;
  if (refusal) return { state: admitted.state, result: { is: 'refused', refusal }, quiet: state === before };
  const settled = settle(admitted.state, moment);
  return { state: settled, result: standing(settled, entrant.id, moment.now) };
}

/**
 * Takes a place for a request that will wait soon.
 * @returns why there is none, or undefined
 * @throws AppError `STORE_UNAVAILABLE` if a newer program keeps the pool
 */
export function reserve(
  before: PoolState | undefined,
  request: PlaceRequest,
  moment: SharedMoment,
): Step<Refusal | undefined> {
  const state = settle(underPolicy(before, request), moment);
  const id = `reserved ${request.requestId}`;
  const until = moment.now + RESERVED_MS;
  const own = state.tickets.filter(({ requestId, status }) => requestId === request.requestId && status !== 'out');
  const reserved = own.find((ticket) => ticket.status === 'reserved');
  if (reserved) {
    const prolonged = { ...reserved, until: Math.max(until, reserved.until ?? 0) };
    return { state: replaced(state, prolonged), result: undefined };
  }
  if (own.length > 0) return { state, result: undefined };
  const admitted = admit(state, { ...newTicket(request, id, moment.now, state.turns), until }, moment.now);
  return { ...admitted, quiet: admitted.result !== undefined && state === before };
}

/** How a ticket is taken out. */
export interface Leave {
  /** Whether the provider worked for its call, and whether that came to an end of its own (else as `served`). */
  served: boolean;
  ended?: boolean;
  /** How long ago its slot was given back in truth, in milliseconds. */
  agoMs: number;
}

/** Takes a ticket out, whether it waits or runs. */
export function leave(
  state: PoolState,
  id: string,
  { served, ended = served, agoMs }: Leave,
  { now }: Pick<SharedMoment, 'now'>,
): PoolState {
  const ticket = state.tickets.find((each) => each.id === id);
  if (!ticket) return state;
  const how = { served: served && isRunning(ticket), ended };
  return released(state, ticket, how, now - agoMs - (ticket.grantedAt ?? now));
}

/** Stops waiting, but keeps the place for a while for the same request in another process. What runs is taken out. */
export function handOver(state: PoolState, id: string, { now }: Pick<SharedMoment, 'now'>): PoolState {
  const ticket = state.tickets.find((each) => each.id === id);
  if (ticket && isWaiting(ticket)) return replaced(state, orphaned(ticket, now));
  return leave(state, id, { served: false, agoMs: 0 }, { now });
}

/** Takes a request out of the queue: its reservation is gone, and whoever waits with it is told so. */
export function withdraw(state: PoolState, request: string): PoolState {
  if (!state.tickets.some((ticket) => ticket.requestId === request && isQueued(ticket))) return state;
  const tickets = state.tickets
    .filter(({ requestId, status }) => requestId !== request || status !== 'reserved')
    .map((ticket) => (ticket.requestId === request && isWaiting(ticket) ? putOut(ticket, 'withdrawn') : ticket));
  return { ...state, tickets };
}

/** Where tickets stand. */
export function standings(state: PoolState, ids: readonly string[], now: number): Map<string, Standing> {
  const tickets = new Map(state.tickets.map((ticket) => [ticket.id, ticket]));
  const waits = ids.some((id) => tickets.get(id)?.status === 'waiting');
  const queue = waits ? places(state, now) : new Map<string, Place>();
  return new Map(ids.map((id) => [id, standingOf(tickets.get(id), queue, now)]));
}

/** Place of each queued ticket, by the ticket's id: the real order, played forward. */
export function places(state: PoolState, now: number): Map<string, Place> {
  return new Map(
    simulate(state, now).starts.map(({ ticket, at }, index) => [
      ticket.id,
      { position: index + 1, expectedWaitMs: corrected(state, ticket.daoId, at - now) },
    ]),
  );
}

/** What an operator is told of a pool. The wait is that of somebody whom everybody else comes before. */
export function poolInfo(name: string, state: PoolState, now: number): PoolInfo {
  const free = freeSlots(state);
  const last = newTicket(
    { requestId: '', provider: '', daoId: '', actor: '', weight: 1, priority: Infinity, deadlineAt: now },
    '',
    now,
    state.turns,
  );
  const { starts } = simulate({ ...state, tickets: [...state.tickets, last] }, now);
  return {
    name,
    slots: state.slots,
    running: state.tickets.filter(isRunning).length,
    waiting: state.tickets.filter(isQueued).length,
    expectedWaitMs: free > 0 ? 0 : Math.round((starts.at(-1)?.at ?? now) - now),
  };
}

const standing = (state: PoolState, id: string, now: number): Standing =>
  standings(state, [id], now).get(id) ?? { is: 'gone' };

function standingOf(ticket: Ticket | undefined, queue: ReadonlyMap<string, Place>, now: number): Standing {
  // A place that was kept for somebody else is taken again by entering.
  if (!ticket || ticket.status === 'reserved') return { is: 'gone' };
  if (isRunning(ticket)) return { is: 'running', waitedMs: (ticket.grantedAt ?? now) - ticket.arrivedAt };
  if (ticket.out === 'withdrawn') return { is: 'withdrawn' };
  if (ticket.out) return { is: 'refused', refusal: ticket.out };
  return { is: 'waiting', place: queue.get(ticket.id) ?? { position: 1, expectedWaitMs: 0 } };
}

/** A ticket that holds a place and for which nobody waits yet. */
function newTicket(
  { requestId, provider, daoId, actor, weight, priority, deadlineAt }: Omit<PlaceRequest, 'pool'>,
  id: string,
  arrivedAt: number,
  turn: number,
): Ticket {
  const place = { arrivedAt, turn, status: 'reserved' as const, holder: '' };
  return { id, requestId, provider, daoId, actor, weight, priority, deadlineAt, ...place };
}

/** Tickets of a request whose place somebody else may take over; never one that was granted. */
function adoptable(state: PoolState, request: string, { alive }: SharedMoment): Ticket[] {
  return state.tickets.filter(
    ({ requestId, status, holder }) =>
      requestId === request && (status === 'reserved' || (status === 'waiting' && !alive.has(holder))),
  );
}

function adopt(state: PoolState, ticket: Ticket, adopted: readonly Ticket[], moment: SharedMoment): Step<Standing> {
  const first = adopted.reduce((one, other) => (other.arrivedAt < one.arrivedAt ? other : one));
  const others = state.tickets.filter((each) => !adopted.includes(each));
  const { forecastMs, arrivedAt, turn } = first;
  const heir: Ticket = {
    ...ticket,
    status: 'waiting',
    arrivedAt,
    turn,
    ...(forecastMs === undefined ? {} : { forecastMs }),
  };
  const settled = settle({ ...state, tickets: [...others, heir] }, moment);
  return { state: settled, result: standing(settled, ticket.id, moment.now) };
}

/** Adds a ticket if there is room and it would be served in time; else says why not, and when there will be room. */
function admit(state: PoolState, ticket: Ticket, now: number): Step<Refusal | undefined> {
  const { daoId, actor, provider } = ticket;
  const back = isBack(state, daoId, actor, now);
  const full = noRoom(state, { daoId, provider, back }, now);
  if (full) return refused(state, ticket, now, full);
  const ready = welcomed(back ? kept(state, daoId, actor) : state, daoId);
  const added = { ...ready, tickets: [...ready.tickets, ticket], turns: ready.turns + 1 };
  const { starts } = simulate(added, now);
  const simulatedMs = (starts.find((start) => start.ticket === ticket)?.at ?? now) - now;
  const inMs = tooLongBy(added, ticket, simulatedMs, now, back);
  if (inMs !== undefined) return refused(state, ticket, now, { reason: 'WaitTooLong', inMs });
  return { state: replaced(added, { ...ticket, forecastMs: simulatedMs }), result: undefined };
}

/** Somebody who is back and refused again loses the old promise for the new one. */
function refused(
  state: PoolState,
  ticket: Ticket,
  now: number,
  { reason, inMs }: { reason: Refusal['reason']; inMs: number },
): Step<Refusal> {
  const { daoId, actor } = ticket;
  const before = isBack(state, daoId, actor, now) ? kept(state, daoId, actor) : state;
  const [after, refusal] = refuse(before, reason, ticket, now, inMs);
  return { state: after, result: refusal };
}
