import type { Logger } from 'pino';
import { AdmissionRefused, type Place, type PlaceRequest, type PoolInfo, type Slot } from '../contracts/admission.js';
import type { SharedMoment, SharedState } from '../contracts/shared-state.js';
import {
  enter,
  handOver,
  isReadable,
  leave,
  nextSettleAt,
  PlaceWithdrawn,
  poolInfo,
  reserve,
  settle,
  standings,
  withdraw,
  type Leave,
  type PoolState,
  type Refusal,
  type Standing,
  type Step,
} from '../domain/admission.js';
import { AppError } from '../errors/app-error.js';

/** How often a pool is looked at while somebody is in it: nobody tells of a process that died, in milliseconds. */
const LOOK_MS = 1_000;
/** Least pause between two looks that nothing but time asks for, in milliseconds. */
const PAUSE_MS = 20;
/** An expected wait has changed noticeably if it is off by this much and this part, in milliseconds. */
const NOTICEABLE_MS = 1_000;
const NOTICEABLE_PART = 0.25;

/** Somebody in this process who waits for a slot. */
interface Waiter {
  id: string;
  request: PlaceRequest;
  since?: number;
  told?: { place: Place; at: number };
  resolve(slot: Slot): void;
  reject(reason: Error): void;
  onPlace(place: Place): void;
}

interface HeldSlot {
  request: PlaceRequest;
  lost: AbortController;
}

/** How a ticket is taken out, since when by the monotonic clock; `kept`: its place stays for another process. */
type Leaving = { at: number } & (({ kept?: false } & Omit<Leave, 'agoMs'>) | { kept: true });

/** What a look at the pool has shown. */
interface Look {
  standings: Map<string, Standing>;
  /** Tickets that were taken out. */
  left: string[];
  /** Nobody is in the pool. */
  empty: boolean;
  /** In how many milliseconds time alone may change something. */
  nextInMs: number;
}

/**
 * This process's part in one pool: who waits here and which slots are held here. It looks at the shared state whenever
 * that changes and at least once a second, and tells whoever is concerned. What could not be written while the database
 * was away is written at the next look.
 */
export class AdmissionPool {
  private readonly waiters = new Map<string, Waiter>();
  private readonly slots = new Map<string, HeldSlot>();
  /** Tickets to be taken out, and how. */
  private readonly leaving = new Map<string, Leaving>();
  private empty = true;
  private away = false;
  private closed = false;
  private looking: Promise<void> | undefined;
  private lookAfter: Promise<void> | undefined;
  private timer: { at: number; handle: NodeJS.Timeout } | undefined;
  private stopListening: (() => void) | undefined;

  /** @param key name of the pool's value among those that are shared */
  constructor(
    private readonly key: string,
    private readonly shared: SharedState,
    private readonly log: Logger,
  ) {}

  /** @returns why there is no place, or undefined */
  async reserve(request: PlaceRequest): Promise<Refusal | undefined> {
    const refusal = await this.change((before, moment) => reserve(before, request, moment));
    this.empty = false;
    this.attend(LOOK_MS);
    return refusal;
  }

  async withdraw(requestId: string): Promise<void> {
    await this.shared.change<PoolState | undefined, undefined>(this.key, (before) => ({
      state: isReadable(before) ? withdraw(before, requestId) : before,
      result: undefined,
    }));
  }

  /** @param id of the new ticket */
  acquire(id: string, request: PlaceRequest, signal: AbortSignal, onPlace: (place: Place) => void): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        signal.removeEventListener('abort', giveUp);
      };
      const giveUp = (): void => {
        if (this.waiters.has(id)) this.dismiss(waiter, signal.reason as Error);
      };
      const waiter: Waiter = {
        ...{ id, request, onPlace },
        resolve: (slot) => {
          stop();
          resolve(slot);
        },
        reject: (reason) => {
          stop();
          reject(reason);
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiters.set(id, waiter);
      void this.enter(waiter);
    });
  }

  info(name: string): Promise<PoolInfo | undefined> {
    return this.shared.change<PoolState | undefined, PoolInfo | undefined>(this.key, (before, { now }) => ({
      state: before,
      result: isReadable(before) ? poolInfo(name, before, now) : undefined,
    }));
  }

  /** Looks at the pool, in a look that begins from now on. Never throws. */
  look(): Promise<void> {
    if (!this.looking) return this.lookNow();
    this.lookAfter ??= this.looking.then(() => {
      this.lookAfter = undefined;
      return this.lookNow();
    });
    return this.lookAfter;
  }

  /**
   * Sends away who waits here, to come back to the same place in another process, and stops looking. Slots that are held
   * stay so: their calls may be running.
   */
  async close(): Promise<void> {
    this.closed = true;
    for (const waiter of [...this.waiters.values()]) {
      this.leaving.set(waiter.id, { kept: true, at: performance.now() });
      this.dismiss(waiter, new AppError('SHUTTING_DOWN'), false);
    }
    if (this.leaving.size > 0) await this.look();
    this.attend(0);
  }

  /** Has the calls stopped that hold slots here, as nobody may see any more that they do. They are released as always. */
  stopCalls(): void {
    for (const { lost } of this.slots.values()) {
      lost.abort(new Error('The slot of this call may be given to somebody else: the database cannot be reached'));
    }
  }

  private change<R>(step: (before: PoolState | undefined, moment: SharedMoment) => Step<R>): Promise<R> {
    return this.shared.change<PoolState, R>(this.key, step);
  }

  private async enter(waiter: Waiter): Promise<void> {
    const { id, request, since } = waiter;
    const entrant = { id, holder: this.shared.processId, ...(since === undefined ? {} : { since }) };
    try {
      const { at, standing } = await this.change((before, moment) => {
        const { result, ...step } = enter(before, request, entrant, moment);
        return { ...step, result: { at: moment.now, standing: result } };
      });
      waiter.since ??= at;
      this.empty = false;
      // Whoever has gone meanwhile has left behind a ticket that is taken out already, or is next.
      if (this.waiters.get(id) === waiter) this.tell(waiter, standing, standing.is !== 'refused');
      this.attend(LOOK_MS);
    } catch (error) {
      // It may have been written all the same.
      if (this.waiters.get(id) === waiter) this.dismiss(waiter, error as Error);
    }
  }

  /** Tells a waiter where it stands. `hasTicket`: whether something is left behind if it has to go. */
  private tell(waiter: Waiter, standing: Standing, hasTicket = true): void {
    switch (standing.is) {
      case 'running':
        this.waiters.delete(waiter.id);
        waiter.resolve(this.hold(waiter, standing.waitedMs));
        return;
      case 'waiting':
        this.tellPlace(waiter, standing.place);
        return;
      case 'refused':
        this.dismiss(waiter, new AdmissionRefused(standing.refusal), hasTicket);
        return;
      case 'withdrawn':
        this.dismiss(waiter, new PlaceWithdrawn());
        return;
      case 'gone':
        // Others took this process for dead. It comes back to where it stood.
        void this.enter(waiter);
    }
  }

  private tellPlace(waiter: Waiter, place: Place): void {
    const at = performance.now();
    if (waiter.told && !isNews(place, waiter.told.place, at - waiter.told.at)) return;
    waiter.told = { place, at };
    try {
      waiter.onPlace(place);
    } catch (error) {
      this.log.warn({ pool: this.key, request_id: waiter.request.requestId, err: error }, 'a place could not be told');
    }
  }

  private hold({ id, request }: Waiter, waitedMs: number): Slot {
    const held: HeldSlot = { request, lost: new AbortController() };
    this.slots.set(id, held);
    let released: Promise<void> | undefined;
    return {
      waitedMs,
      lost: held.lost.signal,
      release: (served, ended = served) => (released ??= this.release(id, { served, ended })),
    };
  }

  private async release(id: string, how: Omit<Leave, 'agoMs'>): Promise<void> {
    // One that was lost is nobody's any more.
    if (!this.slots.delete(id)) return;
    this.leaving.set(id, { ...how, at: performance.now() });
    await this.look();
  }

  /** Ends a wait; its ticket, should there be one, is taken out. */
  private dismiss(waiter: Waiter, reason: Error, hasTicket = true): void {
    this.waiters.delete(waiter.id);
    waiter.reject(reason);
    if (!hasTicket) return;
    this.leaving.set(waiter.id, { served: false, at: performance.now() });
    void this.look();
  }

  private lookNow(): Promise<void> {
    this.looking = this.lookOnce().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async lookOnce(): Promise<void> {
    let nextInMs = LOOK_MS;
    try {
      const seen = await this.shared.change<PoolState | undefined, Look>(this.key, (before, moment) =>
        this.step(before, moment),
      );
      for (const id of seen.left) this.leaving.delete(id);
      ({ empty: this.empty, nextInMs } = seen);
      this.away = false;
      for (const [id, standing] of seen.standings) this.follow(id, standing);
    } catch (error) {
      if (!this.away) this.log.warn({ pool: this.key, err: error }, 'a pool cannot be looked at; tried every second');
      this.away = true;
    }
    this.attend(nextInMs);
  }

  /** What a look does with the state: takes out what has left, and lets time do its part. */
  private step(before: PoolState | undefined, moment: SharedMoment): { state: PoolState | undefined; result: Look } {
    const left = [...this.leaving.keys()];
    const mine = [...this.waiters.keys(), ...this.slots.keys()];
    if (!isReadable(before)) {
      const gone = mine.map((id): [string, Standing] => [id, { is: 'gone' }]);
      return { state: before, result: { standings: new Map(gone), left, empty: true, nextInMs: LOOK_MS } };
    }
    let state = before;
    for (const { id, holder } of before.tickets) {
      if (holder !== this.shared.processId || this.waiters.has(id) || this.slots.has(id)) continue;
      const { at, ...how } = this.leaving.get(id) ?? { served: false, at: performance.now() };
      state = how.kept
        ? handOver(state, id, moment)
        : leave(state, id, { ...how, agoMs: performance.now() - at }, moment);
    }
    state = settle(state, moment);
    const nextInMs = nextSettleAt(state) - moment.now;
    const seen = { standings: standings(state, mine, moment.now), left, empty: state.tickets.length === 0, nextInMs };
    return { state, result: seen };
  }

  private follow(id: string, standing: Standing): void {
    const waiter = this.waiters.get(id);
    if (waiter) this.tell(waiter, standing);
    const slot = this.slots.get(id);
    if (!slot || standing.is === 'running') return;
    this.slots.delete(id);
    if (slot.lost.signal.aborted) return;
    const fields = { pool: this.key, request_id: slot.request.requestId, dao_id: slot.request.daoId };
    this.log.warn(fields, 'a slot was given to somebody else while this process was not seen; its call is stopped');
    slot.lost.abort(new Error('The slot of this call was given to somebody else'));
  }

  /** Sees to it that the pool is looked at again in time, as long as anybody is in it. */
  private attend(nextInMs: number): void {
    const busy = this.waiters.size + this.slots.size + this.leaving.size > 0 || !this.empty;
    if (busy && !this.closed) this.lookWithin(Math.max(PAUSE_MS, Math.min(LOOK_MS, nextInMs)));
    else this.clearTimer();
    // Whoever waits must know at once; for the others once a second is enough.
    if (this.waiters.size > 0 && !this.closed) {
      this.stopListening ??= this.shared.onChange(this.key, () => void this.look());
    } else {
      this.stopListening?.();
      this.stopListening = undefined;
    }
  }

  private lookWithin(ms: number): void {
    const at = performance.now() + ms;
    if (this.timer && this.timer.at <= at) return;
    this.clearTimer();
    const handle = setTimeout(() => {
      this.timer = undefined;
      void this.look();
    }, ms);
    this.timer = { at, handle: handle.unref() };
  }

  private clearTimer(): void {
    clearTimeout(this.timer?.handle);
    this.timer = undefined;
  }
}

/** Whether a place differs from what somebody was told a while ago by more than the time that has passed. */
function isNews(place: Place, told: Place, agoMs: number): boolean {
  const off = Math.abs(place.expectedWaitMs - Math.max(0, told.expectedWaitMs - agoMs));
  return place.position !== told.position || off > Math.max(NOTICEABLE_MS, told.expectedWaitMs * NOTICEABLE_PART);
}
