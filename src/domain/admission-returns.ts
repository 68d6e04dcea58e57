/** Those who were refused and told when to come back: what they were told is a promise, so their places are kept. */
import { lookUp, meanMs, type DaoShare, type PoolState, type Return } from './admission-state.js';

/** Bounds of what a refused caller is told to wait, in milliseconds. */
const SOONEST_MS = 500;
const LATEST_MS = 600_000;
/** Whoever comes a little too early has come; whoever is later than this does not come any more, in milliseconds. */
const EARLY_MS = 1_000;
const LATE_MS = 5_000;
/** Most promises that are remembered, of one DAO and of all. */
const MOST = 300;
const MOST_OF_ALL = 1_000;
/** And of one actor: an application asks for many people. */
const MOST_OF_ACTOR = 5;
/** How much the latest pause between two grants changes what is known about them. */
const LEARNING = 0.1;

/** Those of a DAO who were promised a place, in the order of their moments. */
export const returnsOf = (state: PoolState, daoId: string): readonly Return[] => lookUp(state.returns, daoId) ?? [];

/** How far apart the requests of a DAO are served while it waits: as of late, else by its share, in milliseconds. */
export function everyMs(state: PoolState, daoId: string, provider: string): number {
  const known = lookUp(state.daos, daoId)?.everyMs;
  if (known !== undefined) return known;
  const present = new Map(state.tickets.map((ticket) => [ticket.daoId, ticket.weight]));
  const own = present.get(daoId) ?? 1;
  const all = [...present.values()].reduce((sum, weight) => sum + weight, present.has(daoId) ? 0 : own);
  return (meanMs(state, provider) * all) / (Math.max(1, state.slots) * own);
}

/** A share whose DAO was granted a slot. `waitedMs`: how long the request waited; one that had not teaches nothing. */
export function seenGranted(share: DaoShare, now: number, waitedMs: number): DaoShare {
  const pause = now - (share.grantedAt ?? now);
  const busy = share.grantedAt !== undefined && waitedMs >= pause && pause > 0;
  const everyMs = busy ? (share.everyMs ?? pause) * (1 - LEARNING) + pause * LEARNING : share.everyMs;
  return { ...share, grantedAt: now, ...(everyMs === undefined ? {} : { everyMs }) };
}

/**
 * Tells somebody when to come back, behind all others of the DAO who were told so before.
 * @param inMs when there should be room for one, in milliseconds
 */
export function promise(
  state: PoolState,
  who: { daoId: string; actor: string; provider: string },
  now: number,
  inMs: number,
): [PoolState, number] {
  const { daoId, actor, provider } = who;
  const before = returnsOf(forgetOldest(state, daoId, actor), daoId);
  const behind = (before.at(-1)?.at ?? 0) + everyMs(state, daoId, provider);
  const at = Math.round(Math.min(now + LATEST_MS, Math.max(now + Math.max(SOONEST_MS, inMs), behind)));
  return [bounded(withReturns(state, daoId, [...before, { actor, at }]), daoId), at - now];
}

/** Room for one more promise to an actor: somebody who is refused again and again keeps nobody else out. */
function forgetOldest(state: PoolState, daoId: string, actor: string): PoolState {
  const own = returnsOf(state, daoId).filter((one) => one.actor === actor);
  return own.length < MOST_OF_ACTOR ? state : kept(state, daoId, actor);
}

/** The state without promises beyond what is remembered: the latest of this DAO, or of the one that has most. */
function bounded(state: PoolState, daoId: string): PoolState {
  const own = returnsOf(state, daoId);
  if (own.length > MOST) return withReturns(state, daoId, shortened(own));
  const all = Object.entries(state.returns);
  if (all.reduce((sum, [, { length }]) => sum + length, 0) <= MOST_OF_ALL) return state;
  const [id, most] = all.reduce((one, other) => (other[1].length > one[1].length ? other : one));
  return withReturns(state, id, shortened(most));
}

/** One promise less. Of the latest ones the moment stays, so that whoever is refused next is told a later one. */
function shortened(returns: readonly Return[]): Return[] {
  const last = returns.at(-1);
  return last && returns.length > 1 ? [...returns.slice(0, -2), { at: last.at }] : [];
}

/** Whether somebody is back as promised. */
export const isBack = (state: PoolState, daoId: string, actor: string, now: number): boolean =>
  returnsOf(state, daoId).some((one) => one.actor === actor && one.at <= now + EARLY_MS);

/** The state without the promise with which somebody has come back. */
export function kept(state: PoolState, daoId: string, actor: string): PoolState {
  const before = returnsOf(state, daoId);
  const index = before.findIndex((one) => one.actor === actor);
  return index < 0 ? state : withReturns(state, daoId, before.toSpliced(index, 1));
}

/** Forgets those who did not come. */
export function forgetLate(state: PoolState, now: number): PoolState {
  const isLate = ({ at }: Return): boolean => at < now - LATE_MS;
  const late = Object.entries(state.returns).filter(([, returns]) => returns.some(isLate));
  return late.reduce(
    (next, [daoId, returns]) =>
      withReturns(
        next,
        daoId,
        returns.filter((one) => !isLate(one)),
      ),
    state,
  );
}

function withReturns(state: PoolState, daoId: string, returns: readonly Return[]): PoolState {
  const others = Object.entries(state.returns).filter(([id]) => id !== daoId);
  const own: [string, readonly Return[]][] = returns.length > 0 ? [[daoId, returns]] : [];
  return { ...state, returns: Object.fromEntries([...others, ...own]) };
}
