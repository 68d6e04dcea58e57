import type { PoolPolicy, Unavailable } from './request.js';

/** What a place in a pool is asked for. */
export interface PlaceRequest {
  requestId: string;
  /** Runs of a model so far; 0 for a reservation before the first. A ticket is one request's in one generation. */
  generation: number;
  provider: string;
  pool: PoolPolicy;
  daoId: string;
  weight: number;
  priority: number;
  /** When the whole request must have ended: Unix time in milliseconds. */
  deadlineAt: number;
}

/** Where a waiting request stands: 1 is next. */
export interface Place {
  position: number;
  expectedWaitMs: number;
}

/** A slot of a pool that is held. */
export interface Slot {
  waitedMs: number;
  /** Aborts when the slot could not be kept, so that somebody else may have it: the call must stop. */
  lost: AbortSignal;
  /** Gives the slot back. `served`: whether the provider worked for it, so that its time counts. Safe to repeat. */
  release(served: boolean): Promise<void>;
}

/** State of a pool, as `GET /providers` tells it. */
export interface PoolInfo {
  name: string;
  slots: number;
  running: number;
  waiting: number;
  /** What a newcomer would wait. */
  expectedWaitMs: number;
}

/** Who may call a provider of which only a few calls at once are allowed, and when. */
export interface Admission {
  /**
   * Takes a place before the request is accepted. It falls away by itself if no activity adopts it.
   * @returns why there is none, or undefined
   */
  reserve(request: PlaceRequest): Promise<Omit<Unavailable, 'provider'> | undefined>;
  /** Gives a reservation back that will not be used. */
  cancelReservation(request: Pick<PlaceRequest, 'requestId' | 'pool'>): Promise<void>;
  /**
   * Waits for a slot. The place that was reserved is used if there is one.
   * @param onPlace is told the place when it has changed
   * @throws AdmissionRefused if there is no place; the signal's reason if it comes first
   */
  acquire(request: PlaceRequest, signal: AbortSignal, onPlace: (place: Place) => void): Promise<Slot>;
  pools(): Promise<PoolInfo[]>;
}
