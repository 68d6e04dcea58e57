import { describe, expect, it } from '@jest/globals';
import type { PlaceRequest } from '../contracts/admission.js';
import type { SharedMoment } from '../contracts/shared-state.js';
import {
  enter,
  handOver,
  leave,
  nextSettleAt,
  places,
  poolInfo,
  reserve,
  settle,
  standings,
  withdraw,
  type PoolState,
  type Standing,
} from './admission.js';
import { DEAD_AFTER_MS, KEPT_FOR_MS } from './admission-settle.js';

const NOW = 1_000_000;
const at = (ms: number, ...alive: string[]): SharedMoment => ({
  now: NOW + ms,
  alive: new Set(alive.length > 0 ? alive : ['p', 'q']),
});

interface Wish extends Partial<Omit<PlaceRequest, 'pool'>> {
  slots?: number;
  maxWaiting?: number;
  maxWaitMs?: number;
}

const aRequest = (
  requestId: string,
  { slots = 1, maxWaiting = 10, maxWaitMs = 60_000, ...rest }: Wish = {},
): PlaceRequest => ({
  ...{ requestId, provider: 'm', daoId: 'a', actor: requestId, weight: 1, priority: 1, deadlineAt: NOW + 60_000 },
  pool: { name: 'pool', slots, maxWaiting, maxWaitMs },
  ...rest,
});

/** Virtual time of a DAO in a pool where nothing has happened yet. */
const FRESH = -10_000;

/** A pool in which things happen one after the other. */
class World {
  state: PoolState | undefined;

  enter(id: string, ms: number, wish: Wish = {}, holder = 'p', since?: number): Standing {
    const entrant = { id, holder, ...(since === undefined ? {} : { since }) };
    const step = enter(this.state, aRequest(wish.requestId ?? id, wish), entrant, at(ms));
    this.state = step.state;
    return step.result;
  }

  reserve(id: string, ms: number, wish: Wish = {}): ReturnType<typeof reserve>['result'] {
    const step = reserve(this.state, aRequest(id, wish), at(ms));
    this.state = step.state;
    return step.result;
  }

  leave(id: string, ms: number, served = true, ended = served): void {
    this.state = settle(leave(this.state!, id, { served, ended, agoMs: 0 }, at(ms)), at(ms));
  }

  settle(ms: number, ...alive: string[]): void {
    this.state = settle(this.state!, at(ms, ...alive));
  }

  is(id: string, ms: number): Standing['is'] {
    return standings(this.state!, [id], NOW + ms).get(id)!.is;
  }

  running(): string[] {
    return this.state!.tickets.filter(({ status }) => status === 'running').map(({ id }) => id);
  }
}

/** A pool that knows that calls take a second. */
function warm(): World {
  const world = new World();
  for (const turn of [0, 1, 2]) {
    world.enter(`warm${turn}`, turn * 1_000 - 10_000);
    world.leave(`warm${turn}`, turn * 1_000 - 9_000);
  }
  return world;
}

describe('a pool', () => {
  it('grants a free slot at once, and tells the next its place', () => {
    const sut = warm();
    expect(sut.enter('1', 0)).toEqual({ is: 'running', waitedMs: 0 });
    expect(sut.enter('2', 0)).toEqual({ is: 'waiting', place: { position: 1, expectedWaitMs: 1_000 } });
    expect(sut.enter('3', 400)).toEqual({ is: 'waiting', place: { position: 2, expectedWaitMs: 1_600 } });
    sut.leave('1', 900);
    expect(standings(sut.state!, ['1', '2', '3'], NOW + 900)).toEqual(
      new Map<string, Standing>([
        ['1', { is: 'gone' }],
        ['2', { is: 'running', waitedMs: 900 }],
        ['3', { is: 'waiting', place: { position: 1, expectedWaitMs: 968 } }],
      ]),
    );
  });

  it('changes nothing, not even the value, when it is entered again with the same ticket or time has done nothing', () => {
    const sut = warm();
    sut.enter('1', 0);
    sut.enter('2', 0);
    const before = sut.state;
    expect(sut.enter('2', 5)).toMatchObject({ is: 'waiting', place: { position: 1 } });
    sut.settle(500);
    expect(leave(sut.state!, 'nobody', { served: true, agoMs: 0 }, at(500))).toBe(before);
    expect(withdraw(sut.state!, '1')).toBe(before);
    expect(sut.state).toBe(before);
  });

  it('serves levels in order, each ten seconds of waiting lifting by one, never above the first', () => {
    const sut = warm();
    sut.enter('first', 0);
    sut.enter('tools', 1, { priority: 4 });
    sut.enter('crew', 2, { priority: 3 });
    sut.enter('chat', 3, { priority: 1 });
    expect([...places(sut.state!, NOW + 4)].sort(([, a], [, b]) => a.position - b.position).map(([id]) => id)).toEqual([
      'chat',
      'crew',
      'tools',
    ]);
    // After 30 s tools are of the first level, and came first.
    sut.enter('late chat', 30_001, { priority: 1 });
    sut.leave('first', 30_002);
    expect(sut.running()).toEqual(['tools']);
  });

  it('gives the next slot to the DAO that was served least for its weight', () => {
    const sut = warm();
    sut.enter('a1', 0, { daoId: 'a' });
    sut.enter('a2', 1, { daoId: 'a' });
    sut.enter('b1', 2, { daoId: 'b' });
    sut.enter('b2', 3, { daoId: 'b' });
    const order = ['a1'];
    for (let ms = 1_000; order.length < 4; ms += 1_000) {
      sut.leave(order.at(-1)!, ms);
      order.push(...sut.running());
    }
    expect(order).toEqual(['a1', 'b1', 'a2', 'b2']);
  });

  it('charges real seconds: who ran long comes later, who was not served has paid nothing', () => {
    const sut = new World();
    const two = { slots: 2 };
    sut.enter('a1', 0, { ...two, daoId: 'a' });
    sut.enter('b1', 0, { ...two, daoId: 'b' });
    for (const id of ['a2', 'b2']) sut.enter(id, 1, { ...two, daoId: id.slice(0, 1) });
    sut.leave('b1', 9_000, false);
    expect(sut.running()).toEqual(['a1', 'b2']);
    sut.leave('a1', 9_000);
    expect(sut.state!.daos.a!.timeMs).toBe(FRESH + 9_000 + 3_000);
    expect(sut.state!.daos.b!.timeMs).toBe(FRESH + 3_000);
    expect(sut.state!.durations).toEqual({ m: [9_000] });
  });

  it('charges a call that was cut for its time, but learns nothing of it', () => {
    const sut = warm();
    const two = { slots: 2 };
    sut.enter('a1', 0, { ...two, daoId: 'a' });
    sut.enter('b1', 0, { ...two, daoId: 'b' });
    sut.leave('a1', 200, true, false);
    expect(sut.state!.daos.a!.timeMs).toBe(FRESH + 200);
    expect(sut.state!.durations.m).toEqual([1_000, 1_000, 1_000]);
    sut.leave('b1', 300, false, true);
    expect(sut.state!.durations.m).toEqual([1_000, 1_000, 1_000]);
  });

  it('promises the same wait after a hundred calls that were cancelled at once', () => {
    const sut = warm();
    for (let turn = 0; turn < 100; turn += 1) {
      sut.enter(`cut${turn}`, turn * 200);
      sut.leave(`cut${turn}`, (turn + 1) * 200, true, false);
    }
    for (const id of ['1', '2', '3']) sut.enter(id, 30_000);
    expect(places(sut.state!, NOW + 30_000).get('3')).toEqual({ position: 2, expectedWaitMs: 2_000 });
  });

  it('is begun anew over what an older program has left, and left alone where a newer one keeps it', () => {
    const sut = warm();
    const older = { ...sut.state!, version: 1 } as unknown as PoolState;
    expect(enter(older, aRequest('1'), { id: '1', holder: 'p' }, at(0)).state).toMatchObject({
      ...{ version: 2, durations: {}, tickets: [{ id: '1' }] },
    });
    const newer = { ...sut.state!, version: 3 } as unknown as PoolState;
    const unavailable = expect.objectContaining({ code: 'STORE_UNAVAILABLE' });
    expect(() => enter(newer, aRequest('1'), { id: '1', holder: 'p' }, at(0))).toThrow(unavailable);
    expect(() => reserve(newer, aRequest('1'), at(0))).toThrow(unavailable);
  });

  it('lets a DAO that was not there go first for ten seconds of service, and not for more that it could have saved up', () => {
    const sut = warm();
    for (const turn of [0, 1, 2, 3, 4, 5]) sut.enter(`a${turn}`, 0, { daoId: 'a' });
    for (const turn of [0, 1, 2, 3]) sut.leave(`a${turn}`, (turn + 1) * 1_000);
    sut.enter('b', 4_500, { daoId: 'constructor' });
    expect(sut.state!.daos.a).toMatchObject({ timeMs: FRESH + 5_000 });
    expect(sut.state!.daos.constructor).toMatchObject({ timeMs: FRESH });
  });

  it('ends a claim that lies more than ten seconds behind the clock, so that nobody pays for it later', () => {
    const sut = warm();
    for (const turn of [0, 1, 2, 3, 4, 5]) sut.enter(`chat${turn}`, 0, { daoId: 'chat', weight: 0.1 });
    sut.enter('tools', 1, { daoId: 'tools', priority: 4 });
    for (const turn of [0, 1, 2, 3, 4]) sut.leave(`chat${turn}`, (turn + 1) * 1_000);
    expect(sut.running()).toEqual(['chat5']);
    expect(sut.state!.clockMs).toBe(FRESH + 50_000);
    expect(sut.state!.daos.tools!.timeMs).toBe(FRESH + 40_000);
  });

  it('forgets who has gone and owes nothing, and starts anew when nobody is left', () => {
    const sut = warm();
    sut.enter('a', 0, { daoId: 'a' });
    sut.leave('a', 1_000);
    expect(sut.state).toMatchObject({ daos: {}, clockMs: 0, tickets: [], deadSince: {} });
    expect(sut.state!.durations.m).toHaveLength(4);
  });

  it('takes the slots of the policy seen last', () => {
    const sut = warm();
    for (const id of ['1', '2', '3']) sut.enter(id, 0);
    expect(sut.running()).toEqual(['1']);
    sut.enter('4', 1, { slots: 3 });
    expect(sut.running()).toEqual(['1', '2', '3']);
    sut.enter('5', 2, { slots: 1 });
    expect(poolInfo('x', sut.state!, NOW + 2)).toMatchObject({ name: 'x', slots: 1, running: 3, waiting: 2 });
    sut.leave('1', 3);
    sut.leave('2', 3);
    expect(sut.running()).toEqual(['3']);
    sut.leave('3', 4);
    expect(sut.running()).toEqual(['4']);
  });

  it('promises nothing of slots that were taken away', () => {
    const sut = warm();
    for (const [turn, id] of ['1', '2', '3'].entries()) sut.enter(id, turn * 400, { slots: 3 });
    expect(sut.enter('4', 800, { slots: 3 })).toMatchObject({ place: { expectedWaitMs: 200 } });
    expect(sut.enter('5', 800, { slots: 1 })).toMatchObject({ place: { position: 2, expectedWaitMs: 2_000 } });
  });
});

describe('reservations', () => {
  it('hold their place without being granted, are adopted once, and fall away after ten seconds', () => {
    const sut = warm();
    sut.enter('1', 0);
    expect(sut.reserve('r', 10)).toBeUndefined();
    sut.enter('2', 20);
    sut.leave('1', 30);
    expect(sut.running()).toEqual(['2']);
    expect(sut.enter('t', 40, { requestId: 'r' })).toMatchObject({ is: 'waiting', place: { position: 1 } });
    expect(sut.state!.tickets.find(({ id }) => id === 't')?.arrivedAt).toBe(NOW + 10);
    expect(sut.state!.tickets.map(({ id }) => id)).toEqual(['2', 't']);
    sut.reserve('other', 100);
    expect(nextSettleAt(sut.state!)).toBe(NOW + 10_100);
    sut.settle(10_099);
    expect(sut.state!.tickets).toHaveLength(3);
    sut.settle(10_100);
    expect(sut.state!.tickets).toHaveLength(2);
  });

  it('are prolonged by being made again, and not made where the request waits already', () => {
    const sut = warm();
    sut.reserve('r', 0);
    sut.reserve('r', 5_000);
    sut.settle(14_999);
    expect(sut.state!.tickets).toHaveLength(1);
    sut.enter('t', 14_999, { requestId: 'r' });
    expect(sut.reserve('r', 15_000)).toBeUndefined();
    expect(sut.state!.tickets.map(({ id }) => id)).toEqual(['t']);
  });

  it('are what becomes of the place of a process that stops, for the same request elsewhere', () => {
    const sut = warm();
    for (const [turn, id] of ['1', '2', '3'].entries()) sut.enter(id, turn);
    for (const id of ['2', '1', 'nobody']) sut.state = settle(handOver(sut.state!, id, at(10)), at(10));
    expect(sut.running()).toEqual(['3']);
    expect(sut.is('2', 10)).toBe('gone');
    sut.reserve('2', 11);
    expect(nextSettleAt(sut.state!)).toBe(NOW + 10 + KEPT_FOR_MS);
    sut.enter('4', 20);
    expect(sut.enter('there', 5_000, { requestId: '2' })).toMatchObject({ is: 'waiting', place: { position: 1 } });
    expect(sut.state!.tickets.map(({ id }) => id)).toEqual(['3', '4', 'there']);
  });

  it('of a process that stopped fall away in time', () => {
    const sut = warm();
    for (const id of ['1', '2', '3']) sut.enter(id, 0, id === '3' ? { deadlineAt: NOW + 8_000 } : {});
    for (const id of ['2', '3']) sut.state = handOver(sut.state!, id, at(0));
    sut.settle(7_999);
    expect(sut.state!.tickets).toHaveLength(3);
    sut.settle(8_000);
    expect(sut.state!.tickets.map(({ id }) => id)).toEqual(['1', '2']);
    sut.settle(KEPT_FOR_MS);
    expect(sut.state!.tickets.map(({ id }) => id)).toEqual(['1']);
  });

  it('go when the request is withdrawn; who waits is told, who runs keeps its slot', () => {
    const sut = warm();
    for (const id of ['1', '2']) sut.enter(id, 0);
    sut.reserve('r', 0);
    for (const id of ['1', '2', 'r']) sut.state = withdraw(sut.state!, id);
    expect([sut.is('1', 1), sut.is('2', 1)]).toEqual(['running', 'withdrawn']);
    expect(sut.state!.tickets.map(({ id }) => id)).toEqual(['1', '2']);
    sut.leave('1', 10);
    expect(sut.running()).toEqual([]);
    sut.leave('2', 20);
    expect(sut.state!.tickets).toEqual([]);
  });
});

describe('a process that is not seen', () => {
  it('is dead after seven seconds, and its slots are free', () => {
    const sut = warm();
    sut.enter('1', 0, {}, 'p');
    sut.enter('2', 0, {}, 'q');
    sut.settle(1_000, 'q');
    sut.settle(999 + DEAD_AFTER_MS, 'q');
    expect(sut.running()).toEqual(['1']);
    expect(nextSettleAt(sut.state!)).toBe(NOW + 8_000);
    sut.settle(8_000, 'q');
    expect(sut.running()).toEqual(['2']);
    expect(sut.state!.deadSince).toEqual({});
  });

  it('keeps its slots if it is back in time, and dies anew after that', () => {
    const sut = warm();
    sut.enter('1', 0, {}, 'p');
    sut.settle(1_000, 'q');
    sut.settle(7_900, 'p', 'q');
    sut.settle(8_500, 'q');
    sut.settle(15_499, 'q');
    expect(sut.running()).toEqual(['1']);
    sut.settle(15_500, 'q');
    expect(sut.running()).toEqual([]);
  });

  it('leaves the place of its waiting ticket, never a granted one, to the same request elsewhere', () => {
    const sut = warm();
    sut.enter('p1', 0, { requestId: 'granted' }, 'p');
    sut.enter('p2', 1, { requestId: 'waiting' }, 'p');
    sut.enter('q1', 2, {}, 'q');
    const moment = at(100, 'q');
    for (const [id, requestId] of [
      ['q2', 'waiting'],
      ['q3', 'granted'],
    ] as const) {
      const step = enter(sut.state, aRequest(requestId), { id, holder: 'q' }, moment);
      sut.state = step.state;
    }
    const order = [...places(sut.state!, NOW + 100).keys()];
    expect(order).toEqual(['q2', 'q1', 'q3']);
    expect(sut.running()).toEqual(['p1']);
  });

  it('is granted nothing, but its place is kept for the retry, which comes seconds after its death', () => {
    const sut = warm();
    sut.enter('1', 0, {}, 'q');
    sut.enter('dead', 1, { requestId: 'r' }, 'p');
    sut.enter('2', 2, {}, 'q');
    sut.settle(100, 'q');
    const moment = at(200, 'q');
    sut.state = settle(leave(sut.state!, '1', { served: true, agoMs: 0 }, moment), moment);
    expect(sut.running()).toEqual(['2']);
    sut.settle(100 + DEAD_AFTER_MS, 'q');
    expect(sut.state.tickets.find(({ id }) => id === 'dead')).toMatchObject({
      ...{ status: 'reserved', holder: '', until: NOW + 100 + DEAD_AFTER_MS + KEPT_FOR_MS },
    });
    const late = at(12_000, 'q');
    sut.state = enter(sut.state, aRequest('3', {}), { id: '3', holder: 'q' }, at(11_000, 'q')).state;
    sut.state = enter(sut.state, aRequest('r', {}), { id: 'retry', holder: 'q' }, late).state;
    expect([...places(sut.state, late.now).keys()]).toEqual(['retry', '3']);
  });

  it('takes its place again if it was taken for dead and is not', () => {
    const sut = warm();
    sut.enter('1', 0, {}, 'q');
    sut.enter('2', 1, {}, 'p');
    sut.enter('3', 2, {}, 'q');
    for (const ms of [100, 100 + DEAD_AFTER_MS]) sut.settle(ms, 'q');
    expect(sut.is('2', 8_000)).toBe('gone');
    expect(sut.enter('2', 8_000, {}, 'p', NOW + 1)).toMatchObject({ is: 'waiting', place: { position: 1 } });
    expect(sut.state!.tickets).toHaveLength(3);
  });

  it('that is only frozen loses its slot ten seconds after the deadline', () => {
    const sut = warm();
    sut.enter('1', 0, { deadlineAt: NOW + 5_000 });
    sut.settle(14_999);
    expect(sut.running()).toEqual(['1']);
    sut.settle(15_000);
    expect(sut.state!.tickets).toEqual([]);
  });

  it('comes back to where it stood if its ticket is gone', () => {
    const sut = warm();
    sut.enter('1', 0);
    sut.enter('2', 500);
    sut.enter('lost', 600, {}, 'p', NOW + 100);
    expect([...places(sut.state!, NOW + 600).keys()]).toEqual(['lost', '2']);
  });
});

describe('refusals', () => {
  it('say that the queue is full, that a DAO has its half of it, or that it takes too long', () => {
    const sut = warm();
    const small = { maxWaiting: 4 };
    sut.enter('1', 0, small);
    for (const id of ['a1', 'a2']) expect(sut.enter(id, 0, small).is).toBe('waiting');
    expect(sut.enter('a3', 0, small)).toEqual({ is: 'refused', refusal: { reason: 'ShareFull', retryAfterMs: 1_000 } });
    for (const id of ['b1', 'c1']) expect(sut.enter(id, 0, { ...small, daoId: id.slice(0, 1) }).is).toBe('waiting');
    expect(sut.enter('d1', 0, { ...small, daoId: 'd' })).toMatchObject({ refusal: { reason: 'QueueFull' } });
    expect(sut.reserve('e1', 0, { maxWaiting: 9, daoId: 'e', deadlineAt: NOW + 1_900 })).toMatchObject({
      reason: 'WaitTooLong',
    });
    expect(sut.reserve('e2', 0, { maxWaiting: 9, daoId: 'e', maxWaitMs: 900 })).toMatchObject({
      reason: 'WaitTooLong',
    });
    expect(sut.state!.tickets).toHaveLength(5);
  });

  it('send each caller back later than the one before, as far apart as its DAO is served', () => {
    const sut = warm();
    const small = { maxWaiting: 1 };
    for (const id of ['1', '2']) sut.enter(id, 0, small);
    const told = Array.from({ length: 100 }, (_, turn) => sut.reserve(`r${turn}`, 0, small)!.retryAfterMs);
    expect(told.slice(0, 3)).toEqual([1_000, 2_000, 3_000]);
    expect(told.at(-1)).toBe(100_000);
  });

  it('send hundreds back at moments of their own, ten minutes away at most, and remember only so many', () => {
    const sut = warm();
    const small = { maxWaiting: 1, slots: 3 };
    for (const id of ['1', '2', '3', '4']) sut.enter(id, 0, small);
    const told = Array.from({ length: 2_000 }, (_, turn) => sut.reserve(`r${turn}`, 0, small)!.retryAfterMs);
    const apart = told.filter((ms) => ms < 600_000);
    expect(apart.length).toBeGreaterThan(500);
    expect(new Set(apart).size).toBe(apart.length);
    expect(told).toEqual([...told].sort((one, other) => one - other));
    expect(Math.max(...told)).toBe(600_000);
    expect(sut.state!.returns.a!.length).toBeLessThanOrEqual(300);
  });

  it('of many DAOs are remembered up to a bound, those of the greediest least', () => {
    const sut = warm();
    const small = { maxWaiting: 1 };
    for (const id of ['1', '2']) sut.enter(id, 0, small);
    for (let dao = 0; dao < 1_500; dao += 1) {
      for (const daoId of dao < 400 ? [`d${dao}`, 'greedy'] : [`d${dao}`]) {
        sut.reserve(`${daoId} ${dao}`, 0, { ...small, daoId });
      }
    }
    const all = Object.values(sut.state!.returns);
    expect(all.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(1_000);
    expect(Object.keys(sut.state!.returns).length).toBeGreaterThan(900);
  });

  it('concern nobody else, unless time has changed something meanwhile', () => {
    const sut = warm();
    const small = { maxWaiting: 1 };
    for (const id of ['1', '2']) sut.enter(id, 0, small);
    const refused = (id: string, ms: number): boolean | undefined =>
      enter(sut.state, aRequest(id, small), { id, holder: 'p' }, at(ms)).quiet;
    expect([refused('3', 1), reserve(sut.state, aRequest('3', small), at(1)).quiet]).toEqual([true, true]);
    sut.reserve('3', 1, small);
    expect(refused('4', 9_000)).toBe(false);
  });

  it('keep the place of whoever comes back as told, and send a newcomer behind those who are still to come', () => {
    const sut = warm();
    const small = { maxWaiting: 4 };
    for (const id of ['1', '2', '3']) sut.enter(id, 0, small);
    const [first, second] = ['r1', 'r2'].map((id) => sut.reserve(id, 0, { ...small, actor: id })!.retryAfterMs);
    expect([first, second]).toEqual([1_000, 2_000]);
    sut.leave('1', 1_000);
    expect(sut.reserve('new', 1_000, { ...small, actor: 'newcomer' })).toMatchObject({ retryAfterMs: 2_000 });
    expect(sut.reserve('again', 1_000, { ...small, actor: 'r1' })).toBeUndefined();
    expect(sut.state!.returns.a!.map(({ actor }) => actor)).toEqual(['r2', 'newcomer']);
  });

  it('keep a few places for one actor, who may ask for many, and no more', () => {
    const sut = warm();
    const small = { maxWaiting: 1, actor: 'app' };
    for (const id of ['1', '2']) sut.enter(id, 0, small);
    sut.reserve('first', 0, { ...small, actor: 'somebody' });
    for (let turn = 0; turn < 20; turn += 1) sut.reserve(`r${turn}`, 0, small);
    expect(sut.state!.returns.a!.filter(({ actor }) => actor === 'app')).toHaveLength(5);
  });

  it('keep nothing for those who do not come', () => {
    const sut = warm();
    const small = { maxWaiting: 1 };
    for (const id of ['1', '2']) sut.enter(id, 0, small);
    sut.reserve('r', 0, { ...small, actor: 'gone' });
    expect(sut.state!.returns.a).toHaveLength(1);
    sut.settle(5_999);
    expect(sut.state!.returns.a).toHaveLength(1);
    sut.settle(6_001);
    expect(sut.state!.returns).toEqual({});
  });

  it('let a free slot be tried however long calls took of late, but not after the deadline', () => {
    const sut = new World();
    for (const turn of [0, 1, 2]) {
      sut.enter(`slow${turn}`, turn * 60_000, { deadlineAt: NOW + 1e9 });
      sut.leave(`slow${turn}`, (turn + 1) * 60_000);
    }
    const late = { deadlineAt: NOW + 190_000 };
    expect(sut.enter('1', 180_000, late).is).toBe('running');
    expect(sut.enter('2', 180_000, late)).toMatchObject({ is: 'refused' });
    sut.leave('1', 180_001);
    expect(sut.enter('3', 190_000, late)).toMatchObject({ is: 'refused', refusal: { reason: 'WaitTooLong' } });
  });

  it('do not come of a guess: with nothing known a short deadline may wait for its turn', () => {
    const sut = new World();
    sut.enter('1', 0);
    sut.settle(2_900);
    expect(sut.enter('2', 2_900, { deadlineAt: NOW + 4_900 }).is).toBe('waiting');
  });

  it('reach who waits, once others came in before it and it misses its deadline by a fifth', () => {
    const sut = warm();
    sut.enter('1', 0);
    expect(sut.enter('crew', 0, { priority: 3, deadlineAt: NOW + 2_600 }).is).toBe('waiting');
    sut.enter('chat', 1);
    expect(sut.is('crew', 1)).toBe('waiting');
    sut.enter('chat2', 2, { daoId: 'b' });
    expect(standings(sut.state!, ['crew'], NOW + 2).get('crew')).toEqual({
      is: 'refused',
      refusal: { reason: 'WaitTooLong', retryAfterMs: 1_400 },
    });
    sut.leave('1', 3);
    expect(sut.running()).toEqual(['chat2']);
    sut.leave('crew', 4);
    expect(sut.is('crew', 4)).toBe('gone');
  });

  it('reach who waits when its deadline passes, free slot or not', () => {
    const sut = warm();
    sut.enter('1', 0);
    sut.enter('2', 0, { deadlineAt: NOW + 2_500 });
    sut.leave('1', 2_500);
    expect(sut.is('2', 2_500)).toBe('refused');
    expect(sut.running()).toEqual([]);
  });
});
