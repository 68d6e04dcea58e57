import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { AdmissionRefused, type Place, type PlaceRequest, type Slot } from '../contracts/admission.js';
import type { PoolState } from '../domain/admission.js';
import { DEAD_AFTER_MS } from '../domain/admission-settle.js';
import { SharedProcesses } from '../../test/fakes/shared-processes.js';
import { AdmissionService } from './admission.service.js';

const never = new AbortController().signal;
const KEY = 'pool:host';

const twoSlots = { pool: { name: 'host', slots: 2, maxWaiting: 10, maxWaitMs: 60_000 } };

const aRequest = (requestId: string, rest: Partial<PlaceRequest> = {}): PlaceRequest => ({
  ...{ requestId, provider: 'm', daoId: 'a', actor: 'u', weight: 1, priority: 1, deadlineAt: Date.now() + 60_000 },
  pool: { name: 'host', slots: 1, maxWaiting: 10, maxWaitMs: 60_000 },
  ...rest,
});

describe('AdmissionService', () => {
  let shared: SharedProcesses;
  let lines: { msg: string }[];
  let sut: AdmissionService;
  let other: AdmissionService;

  beforeEach(() => {
    jest.useFakeTimers();
    shared = new SharedProcesses();
    lines = [];
    const log = pino(
      { level: 'warn' },
      { write: (line: string) => void lines.push(JSON.parse(line) as { msg: string }) },
    );
    sut = new AdmissionService(shared.process('p'), log);
    other = new AdmissionService(shared.process('q'), log);
  });
  afterEach(async () => {
    await Promise.all([sut.close(), other.close()]);
    await pass(5);
    expect(shared.listening).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
  const tickets = (): PoolState['tickets'] => (shared.values.get(KEY) as PoolState | undefined)?.tickets ?? [];
  const take = (id: string, from = sut, rest: Partial<PlaceRequest> = {}): Promise<Slot> =>
    from.acquire(aRequest(id, rest), never, () => undefined);

  /** Somebody who waits, and what became of it. */
  function wait(
    id: string,
    {
      from = sut,
      signal = never,
      ...rest
    }: Partial<PlaceRequest> & { from?: AdmissionService; signal?: AbortSignal } = {},
  ) {
    const seen: { places: Place[]; slot?: Slot; error?: unknown } = { places: [] };
    from
      .acquire(aRequest(id, rest), signal, (place) => void seen.places.push(place))
      .then(
        (slot) => (seen.slot = slot),
        (error: unknown) => (seen.error = error),
      );
    return seen;
  }

  it('takes a free slot with one change and tells no place', async () => {
    const seen = wait('1');
    await pass(0);
    expect(seen).toMatchObject({ places: [], slot: { waitedMs: 0 } });
    expect(shared.changes.get('p')).toBe(1);
    expect(seen.slot?.lost.aborted).toBe(false);
    await seen.slot?.release(true);
    expect(tickets()).toEqual([]);
  });

  it('wakes who waits in another process when a slot is given back, and tells its place at once', async () => {
    const first = await take('1');
    const seen = wait('2', { from: other });
    const third = wait('3', { from: other });
    await pass(5);
    expect(seen.places).toEqual([{ position: 1, expectedWaitMs: 3_000 }]);
    expect(third.places).toEqual([{ position: 2, expectedWaitMs: 6_000 }]);
    await pass(500);
    await first.release(true);
    await pass(5);
    expect(seen.slot).toMatchObject({ waitedMs: expect.any(Number) });
    expect(third.places.at(-1)).toMatchObject({ position: 1 });
    expect(third.slot).toBeUndefined();
  });

  it('tells a place again only when it has changed noticeably', async () => {
    const pool = (slots: number): Partial<PlaceRequest> => ({
      pool: { name: 'host', slots, maxWaiting: 10, maxWaitMs: 60_000 },
    });
    await take('1', sut, pool(2));
    await take('2', sut, pool(2));
    const [next, second] = [wait('3', pool(2)), wait('4', pool(2))];
    await pass(1_500);
    expect([next.places, second.places]).toEqual([
      [{ position: 1, expectedWaitMs: 3_000 }],
      [{ position: 2, expectedWaitMs: 3_000 }],
    ]);
    await other.reserve(aRequest('r', pool(1)));
    await pass(5);
    expect([next.places.length, second.places.length]).toEqual([1, 2]);
    expect(second.places[1]).toMatchObject({ position: 2, expectedWaitMs: 4_499 });
    wait('chat', { ...pool(1), daoId: 'b' });
    await pass(5);
    expect(next.places.at(-1)).toMatchObject({ position: 2 });
  });

  it('gives a slot back once, however often it is released, and counts its time', async () => {
    const slot = await take('1');
    await pass(700);
    await Promise.all([slot.release(true), slot.release(false), slot.release(true)]);
    expect((shared.values.get(KEY) as PoolState).durations).toEqual({ m: [700] });
    expect(slot.lost.aborted).toBe(false);
  });

  it('learns nothing from a call that was cut, which its DAO pays for all the same', async () => {
    const [slot, own] = [await take('1', sut, twoSlots), await take('2', sut, { ...twoSlots, daoId: 'b' })];
    await pass(700);
    await slot.release(true, false);
    const state = shared.values.get(KEY) as PoolState;
    expect(state.durations).toEqual({});
    expect(state.daos.a!.timeMs).toBe(700 - 10_000);
    await own.release(true, true);
    expect((shared.values.get(KEY) as PoolState).durations).toEqual({ m: [700] });
  });

  it('has its calls stopped once it is not seen, and still gives their slots back, also after it was closed', async () => {
    let tell = (): void => {
      throw new Error('nobody listens');
    };
    const unseen = new AdmissionService(
      { ...shared.process('u'), onUnseen: (listener) => void (tell = listener) },
      pino({ level: 'silent' }),
    );
    const slot = await take('1', unseen);
    await unseen.close();
    tell();
    expect(slot.lost.aborted).toBe(true);
    expect(tickets()).toHaveLength(1);
    await slot.release(true, false);
    expect(tickets()).toEqual([]);
  });

  it('lets nobody into a pool that a newer program keeps, and stops the calls that it does not know', async () => {
    const slot = await take('1');
    const seen = wait('2');
    await pass(5);
    const newer = { version: 3, anything: true };
    shared.values.set(KEY, newer);
    await pass(1_100);
    expect(slot.lost.aborted).toBe(true);
    expect(seen.error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('newer version') });
    await expect(take('3')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(sut.reserve(aRequest('3'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await sut.withdraw('2', ['host']);
    expect(await sut.pools()).toEqual([]);
    expect(shared.values.get(KEY)).toEqual(newer);
  });

  it('leaves the queue at once when its signal aborts, also before it was in it', async () => {
    const first = await take('1');
    const controller = new AbortController();
    const seen = wait('2', { signal: controller.signal });
    await pass(5);
    const early = new AbortController();
    const unseen = wait('3', { signal: early.signal });
    early.abort(new Error('gone too'));
    controller.abort(new Error('gone'));
    await pass(5);
    expect([seen.error, unseen.error]).toEqual([new Error('gone'), new Error('gone too')]);
    expect(tickets().map(({ requestId }) => requestId)).toEqual(['1']);
    await expect(sut.acquire(aRequest('4'), controller.signal, () => undefined)).rejects.toThrow('gone');
    await first.release(true);
  });

  it('refuses with the reason and a moment to come back', async () => {
    const pool = { name: 'host', slots: 1, maxWaiting: 1, maxWaitMs: 60_000 };
    await take('1', sut, { pool });
    wait('2', { pool });
    await pass(5);
    const error: unknown = await take('3', sut, { pool, daoId: 'b' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AdmissionRefused);
    expect(error).toMatchObject({ refusal: { reason: 'QueueFull', retryAfterMs: expect.any(Number) } });
    expect(await sut.reserve(aRequest('4', { pool }))).toMatchObject({ reason: 'ShareFull' });
  });

  it('sends away who no longer fits', async () => {
    const slow = await take('1');
    const seen = wait('2', { deadlineAt: Date.now() + 5_000 });
    await pass(5_100);
    expect(seen.error).toMatchObject({ refusal: { reason: 'WaitTooLong' } });
    expect(tickets()).toHaveLength(1);
    await slow.release(true);
  });

  it('adopts a reservation, which holds its place in the queue', async () => {
    const first = await take('1');
    expect(await other.reserve(aRequest('r'))).toBeUndefined();
    await pass(10);
    const second = wait('2');
    const adopted = wait('r');
    await pass(5);
    expect([adopted.places.at(-1)?.position, second.places.at(-1)?.position]).toEqual([1, 2]);
    await first.release(true);
    await pass(5);
    expect(adopted.slot).toBeDefined();
  });

  it('withdraws a reservation, and from another process a request that waits', async () => {
    await take('1');
    await sut.reserve(aRequest('r'));
    const seen = wait('2');
    await pass(5);
    await other.withdraw('r', ['host', 'host', 'unknown']);
    await other.withdraw('2', ['host']);
    await other.withdraw('1', ['host']);
    await pass(5);
    expect(seen.error).toMatchObject({ name: 'PlaceWithdrawn' });
    expect(tickets().map(({ requestId, status }) => [requestId, status])).toEqual([['1', 'running']]);
    expect(shared.values.has('pool:unknown')).toBe(false);
  });

  it('gives the slots of a process that died to those who wait, seven seconds after it was missed', async () => {
    await take('1', other);
    const seen = wait('2');
    await pass(1_500);
    shared.alive.delete('q');
    await pass(DEAD_AFTER_MS - 100);
    expect(seen.slot).toBeUndefined();
    await pass(1_200);
    expect(seen.slot).toBeDefined();
  });

  it('stops a call whose slot was given away, and does not give back what is another’s', async () => {
    const slot = await take('1', other);
    const seen = wait('2');
    await pass(5);
    // As if this process had not been seen for a while: its ticket fell away.
    const state = shared.values.get(KEY) as PoolState;
    shared.values.set(KEY, { ...state, tickets: state.tickets.filter(({ requestId }) => requestId !== '1') });
    await pass(1_100);
    expect(slot.lost.aborted).toBe(true);
    expect(seen.slot).toBeDefined();
    expect(lines).toMatchObject([{ msg: expect.stringContaining('given to somebody else'), request_id: '1' }]);
    await slot.release(true);
    expect(tickets()).toHaveLength(1);
  });

  it('comes back to where it waited if its ticket fell away', async () => {
    await take('1', other);
    const seen = wait('2');
    await pass(1_000);
    const later = wait('3', { from: other });
    await pass(5);
    const state = shared.values.get(KEY) as PoolState;
    shared.values.set(KEY, { ...state, tickets: state.tickets.filter(({ requestId }) => requestId !== '2') });
    await pass(1_100);
    expect([seen.error, seen.places.at(-1)?.position, later.places.at(-1)?.position]).toEqual([undefined, 1, 2]);
  });

  it('lets nobody through while the store is away, and leaves nothing behind', async () => {
    shared.away = true;
    await expect(take('1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(sut.reserve(aRequest('1'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    shared.away = false;
    await pass(1_100);
    expect(tickets()).toEqual([]);
  });

  it('gives back by itself what was released while the store was away, with its real time', async () => {
    const slot = await take('1');
    await pass(500);
    shared.away = true;
    await slot.release(true);
    await pass(3_000);
    expect(lines).toHaveLength(1);
    expect(tickets()).toHaveLength(1);
    shared.away = false;
    await pass(1_100);
    expect(tickets()).toEqual([]);
    expect((shared.values.get(KEY) as PoolState).durations).toEqual({ m: [500] });
  });

  it('takes out a ticket that was written although its change seemed to fail', async () => {
    const process = shared.process('r');
    const change = process.change.bind(process);
    process.change = async (name, step) => {
      await change(name, step);
      process.change = change;
      throw new Error('connection broke');
    };
    const broken = new AdmissionService(process, pino({ level: 'silent' }));
    await expect(take('1', broken)).rejects.toThrow('connection broke');
    await pass(5);
    expect(tickets()).toEqual([]);
    await broken.close();
  });

  it('survives a listener that throws', async () => {
    await take('1');
    const waiting = sut.acquire(aRequest('2'), never, () => {
      throw new Error('no');
    });
    waiting.catch(() => undefined);
    const seen = wait('3');
    await pass(5);
    expect(seen.places).toHaveLength(1);
    expect(lines).toMatchObject([{ msg: 'a place could not be told', request_id: '2' }]);
  });

  it('tells of the pools there are, and follows a change of their slots', async () => {
    await take('1');
    const seen = wait('2');
    await pass(5);
    expect(await other.pools()).toEqual([
      { name: 'host', slots: 1, running: 1, waiting: 1, expectedWaitMs: expect.any(Number) },
    ]);
    await other.reserve(aRequest('3', { pool: { name: 'host', slots: 2, maxWaiting: 10, maxWaitMs: 60_000 } }));
    await pass(5);
    expect(seen.slot).toBeDefined();
    expect(await sut.pools()).toMatchObject([{ slots: 2, running: 2, waiting: 1 }]);
  });

  it('finds at its start what a process left that died, and looks until it is gone', async () => {
    await take('1', other);
    await other.close();
    shared.alive.delete('q');
    await sut.start();
    await pass(DEAD_AFTER_MS + 100);
    expect(tickets()).toEqual([]);
  });

  it('does not look any more once nobody is in the pool', async () => {
    const slot = await take('1');
    await slot.release(true);
    const before = shared.changes.get('p');
    await pass(10_000);
    expect(shared.changes.get('p')).toBe(before);
  });

  it('hands over the places of who waits when it closes, accepts nobody, and still takes slots back', async () => {
    const slot = await take('1');
    const seen = wait('2');
    const later = wait('3', { from: other });
    await pass(5);
    await sut.close();
    await pass(5);
    expect(seen.error).toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(tickets().map(({ requestId, status }) => [requestId, status])).toEqual([
      ['1', 'running'],
      ['2', 'reserved'],
      ['3', 'waiting'],
    ]);
    await expect(take('4')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await pass(3_000);
    const retried = wait('2', { from: other });
    await pass(5);
    expect([retried.places.at(-1)?.position, later.places.at(-1)?.position]).toEqual([1, 2]);
    await slot.release(true);
    await pass(5);
    expect([retried.slot, later.slot]).toEqual([expect.anything(), undefined]);
  });
});
