import { SEEN_FOR_MS, type SharedMoment } from '../contracts/shared-state.js';
import { Line, simulate } from './admission-order.js';
import { forgetLate, seenGranted } from './admission-returns.js';
import {
  clockAt,
  forgetAbsent,
  freeSlots,
  isWaiting,
  lookUp,
  meanMs,
  virtualTimes,
  withDao,
  withDuration,
  type DaoShare,
  type PoolState,
  type Refusal,
  type Ticket,
} from './admission-state.js';
import { refuse, serviceMs } from './admission-refusal.js';

/**
 * A process that is not seen for this long is dead, in milliseconds. What it called has ended with it, or was stopped by
 * itself: it knows before, by its own clock, that it is not seen.
 */
export const DEAD_AFTER_MS = SEEN_FOR_MS + 1_000;
/**
 * How long a place is kept for the same request in another process, in milliseconds: Temporal finds out within six
 * seconds that a process is gone, and then repeats the activity.
 */
export const KEPT_FOR_MS = 15_000;
/** What is held longer than this past its request's deadline is held by nobody, in milliseconds. */
const OVERDUE_MS = 10_000;
/** A waiting request is sent away only when it would miss its deadline by this much of what is left. */
const SLACK = 1.2;
/** A forecast below this teaches nothing, in milliseconds. */
const TELLING_MS = 500;
/** How much one request's wait changes what is known about forecasts, and how far it can. */
const LEARNING = 0.07;
const MAX_BIAS = Math.log(4);

/**
 * What time alone has changed: reservations and processes that are gone, tickets that are overdue or do not fit any
 * more, and then whoever is next in the free slots. Gives the very state back if that is nothing.
 */
export function settle(state: PoolState, moment: SharedMoment): PoolState {
  const known = noteDeaths(state, moment);
  const { now } = moment;
  return forgetAbsent(sendAway(grant(dropGone(forgetLate(known, now), now), now), now));
}

/** When `settle` would change something by itself, as far as that is foreseen; Infinity if never. */
export function nextSettleAt(state: PoolState): number {
  const dead = Object.values(state.deadSince).map((since) => since + DEAD_AFTER_MS);
  const ends = state.tickets.map(({ until, deadlineAt }) => until ?? deadlineAt + OVERDUE_MS);
  return Math.min(Infinity, ...dead, ...ends);
}

/** Writes down which holders are not seen, and since when. */
function noteDeaths(state: PoolState, { now, alive }: SharedMoment): PoolState {
  const holders = new Set(state.tickets.map(({ holder }) => holder));
  holders.delete('');
  const gone = [...holders].filter((holder) => !alive.has(holder));
  const before = Object.keys(state.deadSince);
  if (gone.length === before.length && gone.every((holder) => lookUp(state.deadSince, holder) !== undefined)) {
    return state;
  }
  const deadSince = gone.map((holder): [string, number] => [holder, lookUp(state.deadSince, holder) ?? now]);
  return { ...state, deadSince: Object.fromEntries(deadSince) };
}

/** Drops what nobody holds any more. The places of the dead that waited are kept for a while. */
function dropGone(state: PoolState, now: number): PoolState {
  let next = state;
  for (const ticket of state.tickets) {
    const diedAt = deathOf(state, ticket, now);
    const kept = diedAt !== undefined && isWaiting(ticket) ? orphaned(ticket, now) : ticket;
    if (isOver(kept, now)) next = without(next, ticket, (diedAt ?? now) - (ticket.grantedAt ?? now));
    else if (kept !== ticket) next = replaced(next, kept);
    else if (diedAt !== undefined) next = without(next, ticket, diedAt - (ticket.grantedAt ?? now));
  }
  if (next === state) return state;
  const holders = new Set(next.tickets.map(({ holder }) => holder));
  const deadSince = Object.entries(next.deadSince).filter(([holder]) => holders.has(holder));
  return { ...next, deadSince: Object.fromEntries(deadSince) };
}

/** When the holder of a ticket died, if it counts as dead. */
function deathOf(state: PoolState, { holder }: Ticket, now: number): number | undefined {
  const since = lookUp(state.deadSince, holder);
  return since !== undefined && now - since >= DEAD_AFTER_MS ? since : undefined;
}

const isOver = ({ until, deadlineAt }: Ticket, now: number): boolean =>
  now >= (until ?? Infinity) || now >= deadlineAt + OVERDUE_MS;

/** The place of a request whose process waits no longer: the same request may adopt it as long as it makes sense. */
export function orphaned(ticket: Ticket, now: number): Ticket {
  return { ...ticket, status: 'reserved', holder: '', until: Math.min(now + KEPT_FOR_MS, ticket.deadlineAt) };
}

/**
 * The state without a ticket, its DAO charged with what it really used: `ranMs` milliseconds of a slot, 0 for one that
 * was not served.
 */
export function without(state: PoolState, ticket: Ticket, ranMs: number): PoolState {
  const left = { ...state, tickets: state.tickets.filter(({ id }) => id !== ticket.id) };
  if (ticket.status !== 'running') return left;
  const correction = (Math.max(0, ranMs) - (ticket.chargedMs ?? 0)) / ticket.weight;
  return withDao(left, ticket.daoId, (share) => ({ ...share, timeMs: share.timeMs + correction }));
}

/**
 * The state after a slot was given back. `served`: whether the provider worked for the call, which ran `ranMs`.
 * `ended`: whether it came to an end of its own, so that it shows how long calls take.
 */
export function released(
  state: PoolState,
  ticket: Ticket,
  { served, ended }: { served: boolean; ended: boolean },
  ranMs: number,
): PoolState {
  if (!served) return without(state, ticket, 0);
  const left = without(state, ticket, ranMs);
  return ended ? withDuration(left, ticket.provider, Math.max(0, ranMs)) : left;
}

/** Puts waiting tickets into the free slots, in order; those whose process is not seen would leave theirs unused. */
function grant(state: PoolState, now: number): PoolState {
  if (freeSlots(state) === 0 || !state.tickets.some(isWaiting)) return state;
  const isThere = ({ holder }: Ticket): boolean => lookUp(state.deadSince, holder) === undefined;
  const line = new Line(
    state.tickets.filter((ticket) => isWaiting(ticket) && isThere(ticket) && ticket.deadlineAt > now),
  );
  let next = state;
  for (let free = freeSlots(state); free > 0; free -= 1) {
    const times = virtualTimes(next, now);
    const ticket = line.next(now, times);
    if (!ticket) return next;
    next = granted(next, ticket, now, times.get(ticket.daoId) ?? next.clockMs);
  }
  return next;
}

function granted(state: PoolState, ticket: Ticket, now: number, timeMs: number): PoolState {
  const chargedMs = meanMs(state, ticket.provider);
  const running: Ticket = { ...ticket, status: 'running', grantedAt: now, chargedMs };
  const charged = withDao(replaced(state, running), ticket.daoId, (share) => ({
    ...seenGranted(learned(share, now - ticket.arrivedAt, ticket.forecastMs), now, now - ticket.arrivedAt),
    timeMs: share.timeMs + chargedMs / ticket.weight,
  }));
  return clockAt(charged, timeMs);
}

/** What is known about forecasts, after one more wait. */
function learned(share: DaoShare, waitedMs: number, forecastMs: number | undefined): DaoShare {
  if (forecastMs === undefined || forecastMs < TELLING_MS) return share;
  const seen = Math.min(MAX_BIAS, Math.max(-MAX_BIAS, Math.log(Math.max(waitedMs, 1) / forecastMs)));
  return { ...share, bias: share.bias + LEARNING * (seen - share.bias) };
}

/** Puts out of the queue who would not be served in time any more: the next provider may be quicker. */
function sendAway(state: PoolState, now: number): PoolState {
  if (!state.tickets.some(isWaiting)) return state;
  const { out } = simulate(state, now, (ticket, at) => !isWaiting(ticket) || stillFits(state, ticket, at, now));
  let next = state;
  for (const { ticket, at } of out) {
    const inMs = Math.max(0, at + serviceMs(state, ticket.provider, ticket.deadlineAt - now) - ticket.deadlineAt);
    const [after, refusal] = refuse(next, 'WaitTooLong', ticket, now, inMs);
    const taught = withDao(after, ticket.daoId, (share) => learned(share, at - ticket.arrivedAt, ticket.forecastMs));
    next = replaced(taught, putOut(ticket, refusal));
  }
  return next;
}

function stillFits(state: PoolState, ticket: Ticket, at: number, now: number): boolean {
  const left = ticket.deadlineAt - now;
  if (left <= 0) return false;
  // Whoever is next stays: a slot may come at any moment.
  if (at <= now) return true;
  return at - now + serviceMs(state, ticket.provider, left) <= left * SLACK;
}

/** A ticket that has left the queue and waits for its process to read why. */
export function putOut(ticket: Ticket, out: Refusal | 'withdrawn'): Ticket {
  return { ...ticket, status: 'out', out };
}

/** The state with a ticket in the place of the one of the same id. */
export function replaced(state: PoolState, ticket: Ticket): PoolState {
  return { ...state, tickets: state.tickets.map((each) => (each.id === ticket.id ? ticket : each)) };
}
