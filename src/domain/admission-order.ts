import {
  isQueued,
  isRunning,
  meanMs,
  remainingMs,
  virtualTimes,
  type PoolState,
  type Ticket,
} from './admission-state.js';

/** Each wait of this length lifts a request by one level, in milliseconds. */
const LIFT_MS = 10_000;

/** Level of a request at a moment: 1 is served first. */
export function levelOf({ priority, arrivedAt }: Pick<Ticket, 'priority' | 'arrivedAt'>, now: number): number {
  return Math.max(1, priority - Math.max(0, Math.floor((now - arrivedAt) / LIFT_MS)));
}

/**
 * Tickets in the order of the pool: level, then the DAO with the least virtual time, then first come. Those of one DAO
 * and priority never overtake each other, so only the first of each such line is looked at.
 */
export class Line {
  private readonly lines: Ticket[][];

  constructor(tickets: readonly Ticket[]) {
    const lines = new Map<string, Ticket[]>();
    for (const ticket of tickets) {
      const key = `${ticket.priority} ${ticket.daoId}`;
      const line = lines.get(key);
      if (line) line.push(ticket);
      else lines.set(key, [ticket]);
    }
    this.lines = [...lines.values()];
    // Backwards: taking the last one is cheap.
    for (const line of this.lines) line.sort((one, other) => compareArrival(other, one));
  }

  /** Takes out the next one at a moment, or gives undefined. `times`: virtual time of each DAO. */
  next(now: number, times: ReadonlyMap<string, number>): Ticket | undefined {
    let best: Ticket[] | undefined;
    for (const line of this.lines) {
      const [head, first] = [line.at(-1), best?.at(-1)];
      if (head && (!first || compare(head, first, now, times) < 0)) best = line;
    }
    return best?.pop();
  }
}

const compareArrival = (one: Ticket, other: Ticket): number => one.arrivedAt - other.arrivedAt || one.turn - other.turn;

function compare(one: Ticket, other: Ticket, now: number, times: ReadonlyMap<string, number>): number {
  const time = ({ daoId }: Ticket): number => times.get(daoId) ?? 0;
  return levelOf(one, now) - levelOf(other, now) || time(one) - time(other) || compareArrival(one, other);
}

/** When a queued ticket is expected to have its turn. */
export interface Start {
  ticket: Ticket;
  at: number;
}

/**
 * Plays the queue forward with mean service times, as if nobody else came: who is granted when. Reservations count as if
 * they were waited for.
 * @param fits whether a ticket still makes sense when its turn comes; one that does not takes no slot and is in `out`
 */
export function simulate(
  state: PoolState,
  now: number,
  fits: (ticket: Ticket, at: number) => boolean = () => true,
): { starts: Start[]; out: Start[] } {
  const [starts, out]: [Start[], Start[]] = [[], []];
  const times = virtualTimes(state, now);
  const serviceOf = memoized((provider) => meanMs(state, provider));
  const line = new Line(state.tickets.filter(isQueued));
  const free = slotTimes(state, now);
  if (free.length === 0) return { starts, out };
  for (;;) {
    const slot = earliest(free);
    const at = free[slot] ?? now;
    const ticket = line.next(at, times);
    if (!ticket) return { starts, out };
    if (!fits(ticket, at)) {
      out.push({ ticket, at });
      continue;
    }
    const service = serviceOf(ticket.provider);
    starts.push({ ticket, at });
    free[slot] = at + service;
    times.set(ticket.daoId, (times.get(ticket.daoId) ?? 0) + service / ticket.weight);
  }
}

/** When each slot is expected to be free. Calls beyond the number of slots, which was lowered, free none. */
function slotTimes(state: PoolState, now: number): number[] {
  const ends = state.tickets.filter(isRunning).map((ticket) => now + remainingMs(state, ticket, now));
  ends.sort((one, other) => one - other);
  const beyond = Math.max(0, ends.length - state.slots);
  return [...ends.slice(beyond), ...Array<number>(Math.max(0, state.slots - ends.length)).fill(now)];
}

function earliest(times: readonly number[]): number {
  let best = 0;
  for (let index = 1; index < times.length; index += 1) {
    if ((times[index] ?? Infinity) < (times[best] ?? Infinity)) best = index;
  }
  return best;
}

/** A function of a name that works each one out once. */
export function memoized<T>(compute: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const value = compute(name);
    known.set(name, value);
    return value;
  };
}
