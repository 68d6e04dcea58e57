import type { PlaceRequest } from '../contracts/admission.js';
import type { Unavailable } from '../contracts/request.js';
import { AppError } from '../errors/app-error.js';

/** Why there is no place, and when to come back. */
export type Refusal = Omit<Unavailable, 'provider'>;

/**
 * A request's place in a pool. `reserved`: nobody waits for it, not yet or not any more, so it is never granted. `out`: it was put out of
 * the queue and stays until its process has read why.
 */
export interface Ticket {
  id: string;
  requestId: string;
  provider: string;
  daoId: string;
  actor: string;
  weight: number;
  priority: number;
  deadlineAt: number;
  arrivedAt: number;
  /** Order among those that arrived in the same millisecond. */
  turn: number;
  status: 'reserved' | 'waiting' | 'running' | 'out';
  /** Id of the process that waits or calls; empty for a reservation. */
  holder: string;
  /** When a reservation falls away. */
  until?: number;
  /** The wait that the simulation foretold, before correction. */
  forecastMs?: number;
  grantedAt?: number;
  /** What the grant has charged to the DAO, before its weight. */
  chargedMs?: number;
  out?: Refusal | 'withdrawn';
}

/** Somebody who will come back; without an actor only the moment is remembered. */
export interface Return {
  actor?: string;
  at: number;
}

/** What a pool remembers of a DAO. */
export interface DaoShare {
  /** Milliseconds served, or charged in advance, divided by the weight, on the pool's virtual clock. */
  timeMs: number;
  /** Logarithm of how much longer its requests wait than simulated, since others come in before them. */
  bias: number;
  /** When it was granted a slot last, and how far apart its grants are while it waits, in milliseconds. */
  grantedAt?: number;
  everyMs?: number;
}

/** Version of the value. It changes with every change of its meaning. */
export const VERSION = 2;

/** All that is known of one pool: plain data, never changed in place. Times are Unix times in milliseconds. */
export interface PoolState {
  version: typeof VERSION;
  slots: number;
  maxWaiting: number;
  maxWaitMs: number;
  tickets: readonly Ticket[];
  /** How many tickets there have been. */
  turns: number;
  /** Virtual time of the latest grant. A DAO that comes in starts ten seconds behind it. */
  clockMs: number;
  daos: Readonly<Record<string, DaoShare>>;
  /** How long the latest calls of each provider held their slot, in milliseconds. */
  durations: Readonly<Record<string, readonly number[]>>;
  /** Since when the holder of a ticket is not seen any more. */
  deadSince: Readonly<Record<string, number>>;
  /** Who was refused and told when to come back, by DAO. */
  returns: Readonly<Record<string, readonly Return[]>>;
}

/** Calls of a provider that are remembered. */
const REMEMBERED = 100;
/** Below this many known calls the mean is a guess. */
const KNOWN = 3;
/** A guess of a call's time, in milliseconds. */
export const GUESS_MS = 3_000;
/**
 * How far a DAO may lag behind the virtual clock, in milliseconds. One that asks for less than its share lags, and is
 * served first; what it could have had and did not ask for is lost beyond this, so that nobody saves up for a flood.
 */
const MAX_LAG_MS = 10_000;
/** Most DAOs that are remembered while they ask for nothing. */
const MAX_ABSENT = 200;

/** Whether this program knows what the value means. */
export const isReadable = (state: PoolState | undefined): state is PoolState => state?.version === VERSION;

/**
 * An empty pool, or what is known of it under the policy seen last. A state of an older version counts as empty.
 * @throws AppError `STORE_UNAVAILABLE` if a newer program has written it: its state is left alone
 */
export function underPolicy(state: PoolState | undefined, { pool }: Pick<PlaceRequest, 'pool'>): PoolState {
  const { slots, maxWaiting, maxWaitMs } = pool;
  if (!isReadable(state)) {
    refuseNewer(state);
    const nothing = { tickets: [], turns: 0, clockMs: 0, daos: {}, durations: {}, deadSince: {}, returns: {} };
    return { version: VERSION, slots, maxWaiting, maxWaitMs, ...nothing };
  }
  if (state.slots === slots && state.maxWaiting === maxWaiting && state.maxWaitMs === maxWaitMs) return state;
  return { ...state, slots, maxWaiting, maxWaitMs };
}

/** What is stored may be of any version, or of none. */
function refuseNewer(state: { version?: number } | undefined): void {
  if ((state?.version ?? 0) < VERSION) return;
  throw new AppError(
    'STORE_UNAVAILABLE',
    'The queue of this provider is kept by a newer version of DAGI; update this process, or ask one that is up to date.',
  );
}

/** Value of an own key: a DAO may be called `constructor`. */
export const lookUp = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

export const isWaiting = ({ status }: Ticket): boolean => status === 'waiting';
export const isRunning = ({ status }: Ticket): boolean => status === 'running';
/** Whether it stands in the queue: waits, or holds its place for somebody who will. */
export const isQueued = ({ status }: Ticket): boolean => status === 'waiting' || status === 'reserved';

export function freeSlots(state: PoolState): number {
  return Math.max(0, state.slots - state.tickets.filter(isRunning).length);
}

/** Mean time of a provider's call in milliseconds; a guess until enough are known. */
export function meanMs(state: PoolState, provider: string): number {
  return knownMeanMs(state, provider) ?? GUESS_MS;
}

export function knownMeanMs(state: PoolState, provider: string): number | undefined {
  const known = lookUp(state.durations, provider) ?? [];
  return known.length < KNOWN ? undefined : mean(known);
}

/** How much longer a call will run that has run for a while: as those did that ran for that long, too. */
export function remainingMs(state: PoolState, ticket: Ticket, now: number): number {
  const elapsed = Math.max(0, now - (ticket.grantedAt ?? now));
  const expected = meanMs(state, ticket.provider);
  const known = lookUp(state.durations, ticket.provider) ?? [];
  if (known.length < KNOWN) return Math.max(expected - elapsed, expected / 4);
  const longer = known.filter((duration) => duration > elapsed);
  return longer.length > 0 ? mean(longer) - elapsed : expected / 2;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Virtual times of the DAOs that have tickets, calls that run longer than they were charged for included. */
export function virtualTimes(state: PoolState, now: number): Map<string, number> {
  const times = new Map<string, number>();
  for (const { daoId, weight, chargedMs, grantedAt } of state.tickets) {
    const overrun = grantedAt === undefined ? 0 : Math.max(0, now - grantedAt - (chargedMs ?? 0));
    const before = times.get(daoId) ?? shareOf(state, daoId).timeMs;
    times.set(daoId, before + overrun / weight);
  }
  return times;
}

/** What is known of a DAO; one that is not known has asked for nothing for long. */
const shareOf = (state: PoolState, daoId: string): DaoShare =>
  lookUp(state.daos, daoId) ?? { timeMs: state.clockMs - MAX_LAG_MS, bias: 0 };

/** The state with a DAO's share changed. */
export function withDao(state: PoolState, daoId: string, change: (share: DaoShare) => DaoShare): PoolState {
  return { ...state, daos: { ...state.daos, [daoId]: change(shareOf(state, daoId)) } };
}

/** The state with one more known duration of a provider. */
export function withDuration(state: PoolState, provider: string, ms: number): PoolState {
  const known = [...(lookUp(state.durations, provider) ?? []), Math.round(ms)].slice(-REMEMBERED);
  return { ...state, durations: { ...state.durations, [provider]: known } };
}

/** The state with a share for a DAO that comes in. */
export function welcomed(state: PoolState, daoId: string): PoolState {
  return lookUp(state.daos, daoId) ? state : withDao(state, daoId, (share) => share);
}

/** The virtual clock moved on to the time of a grant; claims that lie too far behind it end. */
export function clockAt(state: PoolState, timeMs: number): PoolState {
  if (timeMs <= state.clockMs) return state;
  const oldest = timeMs - MAX_LAG_MS;
  const daos = Object.entries(state.daos).map(([id, share]): [string, DaoShare] => [
    id,
    share.timeMs < oldest ? { ...share, timeMs: oldest } : share,
  ]);
  return { ...state, clockMs: timeMs, daos: Object.fromEntries(daos) };
}

/**
 * Should too many DAOs be remembered that ask for nothing, forgets those of the least virtual time: they would come back
 * with about the same. A pool that nobody uses starts anew: what was served while there was room for all was taken from
 * nobody.
 */
export function forgetAbsent(state: PoolState): PoolState {
  const present = new Set(state.tickets.map(({ daoId }) => daoId));
  const all = Object.entries(state.daos);
  if (present.size === 0) return all.length === 0 ? state : { ...state, clockMs: 0, daos: {}, returns: {} };
  const tooMany = all.length - present.size - MAX_ABSENT;
  if (tooMany <= 0) return state;
  const absent = all.filter(([id]) => !present.has(id)).sort(([, one], [, other]) => one.timeMs - other.timeMs);
  const dropped = new Set(absent.slice(0, tooMany).map(([id]) => id));
  return { ...state, daos: Object.fromEntries(all.filter(([id]) => !dropped.has(id))) };
}
