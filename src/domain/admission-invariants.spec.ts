import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PlaceRequest } from '../contracts/admission.js';
import type { SharedMoment } from '../contracts/shared-state.js';
import { enter, handOver, leave, places, reserve, settle, withdraw, type PoolState, type Ticket } from './admission.js';
import { levelOf, Line } from './admission-order.js';
import { DEAD_AFTER_MS, KEPT_FOR_MS } from './admission-settle.js';
import { VERSION, virtualTimes } from './admission-state.js';

const SLOTS = 3;
const MAX_WAITING = 6;
const PROCESSES = ['p0', 'p1', 'p2'];

type Action =
  | { does: 'enter'; process: number; request: number; dao: number; priority: number; hasMs: number }
  | { does: 'reserve'; request: number; dao: number; priority: number; hasMs: number }
  | { does: 'leave'; ticket: number; served: boolean; ended: boolean }
  | { does: 'hand over'; ticket: number }
  | { does: 'withdraw'; request: number }
  | { does: 'vanish' | 'come back'; process: number }
  | { does: 'wait'; ms: number };

const small = (max: number): fc.Arbitrary<number> => fc.nat({ max });
const asks = {
  request: small(12),
  dao: small(3),
  priority: fc.integer({ min: 1, max: 4 }),
  hasMs: fc.constantFrom(2_000, 20_000, 60_000),
};
const anAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('enter' as const), process: small(2), ...asks }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('reserve' as const), ...asks }) },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('leave' as const),
      ...{ ticket: small(20), served: fc.boolean(), ended: fc.boolean() },
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('hand over' as const), ticket: small(20) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('withdraw' as const), request: small(12) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('vanish' as const, 'come back'), process: small(2) }) },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.constantFrom(1, 700, 3_000, 7_000, 12_000) }),
  },
);

/** A pool, and what is expected of it whatever happens. */
class Model {
  state: PoolState | undefined;
  now = 0;
  private count = 0;
  private readonly alive = new Set(PROCESSES);
  private readonly goneSince = new Map<string, number>();
  /** Tickets whose process has taken them out. */
  private readonly left = new Set<string>();
  /** When each ticket was granted. */
  private readonly granted = new Map<string, number>();
  private readonly entered = new Map<string, Ticket>();

  run(action: Action): void {
    const moment = { now: this.now, alive: this.alive };
    switch (action.does) {
      case 'enter': {
        const holder = PROCESSES[action.process]!;
        if (!this.alive.has(holder)) return;
        const id = `t${(this.count += 1)}`;
        const step = enter(this.state, this.asked(action), { id, holder }, moment);
        this.state = step.state;
        expect(step.result.is === 'refused').toBe(
          !this.state.tickets.some((ticket) => ticket.id === id && !ticket.out),
        );
        break;
      }
      case 'reserve':
        ({ state: this.state } = reserve(this.state, this.asked(action), moment));
        break;
      case 'leave':
      case 'hand over':
        this.takeOut(action, moment);
        break;
      case 'withdraw':
        if (this.state) this.state = withdraw(this.state, `r${action.request}`);
        break;
      case 'vanish':
        this.alive.delete(PROCESSES[action.process]!);
        break;
      case 'come back':
        this.alive.add(PROCESSES[action.process]!);
        break;
      case 'wait':
        this.now += action.ms;
    }
    this.settle();
    this.check();
  }

  private takeOut(action: Action & { does: 'leave' | 'hand over' }, moment: SharedMoment): void {
    const ticket = this.state?.tickets.filter(({ status }) => status !== 'reserved').at(action.ticket % 9);
    if (!this.state || !ticket) return;
    this.left.add(ticket.id);
    if (action.does === 'hand over') this.state = handOver(this.state, ticket.id, moment);
    else this.state = leave(this.state, ticket.id, { ...action, agoMs: 0 }, moment);
  }

  private asked({ request, dao, priority, hasMs }: Omit<Action & { does: 'reserve' }, 'does'>): PlaceRequest {
    return {
      ...{
        requestId: `r${request}`,
        provider: 'm',
        daoId: `d${dao}`,
        actor: `u${request % 3}`,
        weight: dao + 1,
        priority,
      },
      deadlineAt: this.now + hasMs,
      pool: { name: 'pool', slots: SLOTS, maxWaiting: MAX_WAITING, maxWaitMs: 40_000 },
    };
  }

  private settle(): void {
    if (!this.state) return;
    const moment = { now: this.now, alive: this.alive };
    this.state = settle(this.state, moment);
    expect(settle(this.state, moment)).toBe(this.state);
    for (const process of PROCESSES) {
      if (this.alive.has(process)) this.goneSince.delete(process);
      else if (!this.goneSince.has(process)) this.goneSince.set(process, this.now);
    }
  }

  private check(): void {
    if (!this.state) return;
    const { tickets } = this.state;
    const by = (status: Ticket['status']): Ticket[] => tickets.filter((ticket) => ticket.status === status);
    expect(new Set(tickets.map(({ id }) => id)).size).toBe(tickets.length);
    expect(by('running').length).toBeLessThanOrEqual(SLOTS);
    // No slot is idle while somebody waits who may have it.
    const there = by('waiting').filter(({ holder }) => this.alive.has(holder));
    if (by('running').length < SLOTS) expect(there).toEqual([]);
    const queued = [...by('waiting'), ...by('reserved')];
    expect(queued.length + by('running').length).toBeLessThanOrEqual(SLOTS + MAX_WAITING);
    for (const dao of ['d0', 'd1', 'd2', 'd3']) {
      const own = queued.filter(({ daoId }) => daoId === dao).length;
      expect(own).toBeLessThanOrEqual(MAX_WAITING / 2 + (SLOTS - by('running').length));
    }
    expect([...places(this.state, this.now).keys()].sort()).toEqual(queued.map(({ id }) => id).sort());
    for (const share of Object.values(this.state.daos)) expect(Number.isFinite(share.timeMs)).toBe(true);
    this.checkNothingLost(tickets);
  }

  private checkNothingLost(tickets: readonly Ticket[]): void {
    for (const ticket of tickets) this.checkGrantedOnce(ticket);
    const there = new Set(tickets.map(({ id }) => id));
    for (const [id, ticket] of this.entered) {
      if (there.has(id)) continue;
      this.entered.delete(id);
      expect(this.mayBeGone(ticket, tickets)).toBe(true);
    }
  }

  /** Granted once, and nobody who was put out is granted later. */
  private checkGrantedOnce(ticket: Ticket): void {
    const { id, status, grantedAt } = ticket;
    if (status === 'running') {
      expect(this.granted.get(id) ?? grantedAt).toBe(grantedAt);
      expect(this.entered.get(id)?.out).toBeUndefined();
      this.granted.set(id, grantedAt!);
    } else expect(this.granted.has(id)).toBe(false);
    if (status !== 'reserved') this.entered.set(id, ticket);
    else if (this.entered.has(id)) this.checkKept(ticket);
  }

  /** A place is kept only where its process has stopped or died, and only for a while. */
  private checkKept({ id, holder, until }: Ticket): void {
    const before = this.entered.get(id)!;
    expect(this.left.has(id) || before.status === 'reserved' || this.isDead(before.holder)).toBe(true);
    expect([before.status, holder]).toEqual([before.out ? 'nothing' : before.status, '']);
    expect(until! - this.now).toBeLessThanOrEqual(KEPT_FOR_MS);
    this.left.add(id);
  }

  private isDead(holder: string): boolean {
    const goneSince = this.goneSince.get(holder);
    return goneSince !== undefined && this.now - goneSince >= DEAD_AFTER_MS;
  }

  /** Whether a ticket left, belonged to the dead, was overdue, or has an heir. */
  private mayBeGone(
    { id, requestId, status, holder, arrivedAt, deadlineAt }: Ticket,
    others: readonly Ticket[],
  ): boolean {
    if (this.left.has(id) || this.now >= deadlineAt + 10_000) return true;
    const heir = others.some((other) => other.requestId === requestId && other.arrivedAt <= arrivedAt);
    // Who waits loses its place to nobody but itself, unless the deadline passes.
    if (status === 'waiting') return this.goneSince.has(holder) && (heir || this.now >= deadlineAt);
    return this.isDead(holder);
  }
}

describe('a pool, whatever happens to it', () => {
  it('never grants more than it has, never idles, loses nobody and stays bounded', () => {
    fc.assert(
      fc.property(fc.array(anAction, { minLength: 1, maxLength: 60 }), (actions) => {
        const sut = new Model();
        for (const action of actions) sut.run(action);
      }),
      { numRuns: 400 },
    );
  });

  it('empties once its processes are gone', () => {
    fc.assert(
      fc.property(fc.array(anAction, { minLength: 1, maxLength: 40 }), (actions) => {
        const sut = new Model();
        for (const action of actions) sut.run(action);
        for (const process of [0, 1, 2]) sut.run({ does: 'vanish', process });
        for (const ms of [DEAD_AFTER_MS, KEPT_FOR_MS]) sut.run({ does: 'wait', ms });
        expect(sut.state?.tickets ?? []).toEqual([]);
        expect(sut.state?.daos ?? {}).toEqual({});
      }),
      { numRuns: 100 },
    );
  });
});

const aTicket: fc.Arbitrary<Ticket> = fc
  .record({
    dao: small(3),
    priority: fc.integer({ min: 1, max: 4 }),
    arrivedAt: small(40_000),
    number: small(1_000_000),
  })
  .map(({ dao, priority, arrivedAt, number }) => ({
    ...{ id: `t${number}`, requestId: `r${number}`, provider: 'm', daoId: `d${dao}`, actor: 'u', weight: 1, priority },
    ...{ deadlineAt: 1e6, arrivedAt, turn: number, status: 'waiting' as const, holder: 'p' },
  }));

describe('the order', () => {
  it('is by level with ageing, then by virtual time, then by arrival: as a plain sort says', () => {
    const tickets = fc.uniqueArray(aTicket, { selector: ({ id }) => id, minLength: 1, maxLength: 30 });
    const times = fc.tuple(small(3), small(3), small(3), small(3));
    fc.assert(
      fc.property(tickets, times, (all, vector) => {
        const virtual = new Map(vector.map((time, dao) => [`d${dao}`, time]));
        const now = 40_000;
        const keys = (ticket: Ticket): number[] => [
          Math.max(1, ticket.priority - Math.floor((now - ticket.arrivedAt) / 10_000)),
          virtual.get(ticket.daoId)!,
          ticket.arrivedAt,
        ];
        const plain = [...all].sort((one, other) => {
          const [first, second] = [keys(one), keys(other)];
          const differs = first.findIndex((key, index) => key !== second[index]);
          return differs < 0 ? one.turn - other.turn : first[differs]! - second[differs]!;
        });
        const line = new Line(all);
        const order = all.map(() => line.next(now, virtual)?.id);
        expect(order).toEqual(plain.map(({ id }) => id));
        expect(line.next(now, virtual)).toBeUndefined();
      }),
    );
  });

  it('lifts by one level for each ten seconds, and not for an arrival in the future', () => {
    const level = (priority: number, waited: number): number => levelOf({ priority, arrivedAt: 0 }, waited);
    expect([0, 9_999, 10_000, 29_999, 30_000, 1e9].map((waited) => level(4, waited))).toEqual([4, 4, 3, 2, 1, 1]);
    expect([level(1, 0), level(2, -50_000)]).toEqual([1, 2]);
  });

  it('counts a call that runs longer than it was charged for', () => {
    const running = { ...fc.sample(aTicket, { numRuns: 1, seed: 1 })[0]!, daoId: 'a', weight: 2 };
    const state = {
      ...{
        version: VERSION as typeof VERSION,
        slots: 1,
        maxWaiting: 1,
        maxWaitMs: 1,
        clockMs: 0,
        durations: {},
        deadSince: {},
      },
      ...{ turns: 1, returns: {}, daos: { a: { timeMs: 1_000, bias: 0 } } },
      tickets: [{ ...running, status: 'running' as const, grantedAt: 0, chargedMs: 2_000 }],
    };
    expect([2_000, 6_000].map((now) => virtualTimes(state, now).get('a'))).toEqual([1_000, 3_000]);
  });
});
