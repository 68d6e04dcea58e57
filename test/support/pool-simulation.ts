/** A pool under the load of users who ask, wait, are served and ask again: played on a virtual clock. */
import type { PlaceRequest } from '../../src/contracts/admission.js';
import type { PoolPolicy } from '../../src/contracts/request.js';
import { enter, leave, settle, standings, type PoolState } from '../../src/domain/admission.js';

export interface SimulatedUser {
  daoId: string;
  weight?: number;
  priority?: number;
  /** Pause between an answer and the next question, in milliseconds. */
  thinkMs: () => number;
}

export interface SimulationOptions {
  pool: PoolPolicy;
  users: readonly SimulatedUser[];
  serviceMs: (user: SimulatedUser) => number;
  /** Time that a request has, in milliseconds. */
  deadlineMs: number;
  untilMs: number;
}

export interface Served {
  daoId: string;
  weight: number;
  enteredAt: number;
  waitedMs: number;
  serviceMs: number;
  /** The first wait it was told; undefined if it had a slot at once. */
  promisedMs: number | undefined;
}

export interface Simulation {
  served: Served[];
  /** Of those who came back when they were told to: whether they were let in. */
  cameBack: { daoId: string; letIn: boolean }[];
  refusals: Map<string, number>;
  /** Most requests in the queue at any moment. */
  longest: number;
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Times as a model takes them: about the mean, some much longer (Erlang of the given order). */
export function erlang(random: () => number, meanMs: number, order: number): () => number {
  return () => {
    let sum = 0;
    for (let part = 0; part < order; part += 1) sum -= Math.log(1 - random());
    return (sum * meanMs) / order;
  };
}

interface Call {
  user: SimulatedUser;
  enteredAt: number;
  promisedMs: number | undefined;
}

const ALIVE = new Set(['p']);

/** Plays the load, and tells who was served how. Fails if the pool ever grants more slots than it has. */
export function simulateLoad({ pool, users, serviceMs, deadlineMs, untilMs }: SimulationOptions): Simulation {
  const events: { at: number; run: () => void }[] = [];
  const waiting = new Map<string, Call>();
  const result: Simulation = { served: [], cameBack: [], refusals: new Map(), longest: 0 };
  let state: PoolState | undefined;
  let now = 0;
  let count = 0;
  const later = (ms: number, run: () => void): void => {
    const at = now + Math.max(1, Math.round(ms));
    let index = events.length;
    while (index > 0 && events[index - 1]!.at <= at) index -= 1;
    events.splice(index, 0, { at, run });
  };
  const refused = (user: SimulatedUser, reason: string, retryAfterMs: number): void => {
    result.refusals.set(reason, (result.refusals.get(reason) ?? 0) + 1);
    // Over HTTP the moment is told in whole seconds, rounded up.
    later(Math.ceil(retryAfterMs / 1_000) * 1_000, () => ask(user, true));
  };
  const start = (id: string, { user, enteredAt, promisedMs }: Call, waitedMs: number): void => {
    const took = serviceMs(user);
    later(took, () => {
      const { daoId, weight = 1 } = user;
      result.served.push({ daoId, weight, enteredAt, waitedMs, serviceMs: took, promisedMs });
      state = settle(leave(state!, id, { served: true, agoMs: 0 }, { now }), { now, alive: ALIVE });
      later(user.thinkMs(), () => ask(user));
      look();
    });
  };
  const look = (): void => {
    for (const [id, is] of standings(state!, [...waiting.keys()], now)) {
      if (is.is === 'waiting') continue;
      const call = waiting.get(id)!;
      waiting.delete(id);
      if (is.is === 'running') start(id, call, is.waitedMs);
      else if (is.is === 'refused') {
        state = leave(state!, id, { served: false, agoMs: 0 }, { now });
        refused(call.user, `away ${is.refusal.reason}`, is.refusal.retryAfterMs);
      } else throw new Error(`ticket ${id} is ${is.is}`);
    }
    if (state!.tickets.filter(({ status }) => status === 'running').length > pool.slots) throw new Error('too many');
    result.longest = Math.max(result.longest, waiting.size);
  };
  const ask = (user: SimulatedUser, back = false): void => {
    const id = `t${(count += 1)}`;
    const { daoId, weight = 1, priority = 1 } = user;
    const request: PlaceRequest = {
      ...{
        requestId: id,
        provider: 'm',
        pool,
        daoId,
        actor: `u${users.indexOf(user)}`,
        weight,
        priority,
        deadlineAt: now + deadlineMs,
      },
    };
    const step = enter(state, request, { id, holder: 'p' }, { now, alive: ALIVE });
    ({ state } = step);
    if (back) result.cameBack.push({ daoId, letIn: step.result.is !== 'refused' });
    const call = { user, enteredAt: now, promisedMs: undefined };
    if (step.result.is === 'running') start(id, call, 0);
    else if (step.result.is === 'refused') refused(user, step.result.refusal.reason, step.result.refusal.retryAfterMs);
    else if (step.result.is === 'waiting') {
      waiting.set(id, { ...call, promisedMs: step.result.place.expectedWaitMs });
      look();
    }
  };
  for (const user of users) later(user.thinkMs(), () => ask(user));
  for (;;) {
    const event = events.pop();
    if (!event || event.at > untilMs) return result;
    now = event.at;
    event.run();
  }
}

/** Jain's index of fairness: 1 where all have the same. */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum ** 2 / (shares.length * shares.reduce((total, share) => total + share ** 2, 0));
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}
