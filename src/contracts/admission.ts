import type { PoolPolicy, Unavailable } from './request.js';

/** What a place in a pool is asked for. */
export interface PlaceRequest {
  requestId: string;
  provider: string;
  pool: PoolPolicy;
  daoId: string;
  /** Who asks: whoever was refused and told when to come back is known by it. */
  actor: string;
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
  /**
   * Aborts when the slot could not be kept, or when nobody may see any more that this process holds it: somebody else
   * may have it soon, so the call must stop at once. It is released as always.
   */
  lost: AbortSignal;
  /**
   * Gives the slot back. Safe to repeat.
   * @param served whether the provider worked for it, so that its DAO is charged with its time
   * @param ended whether it came to an end of its own: an answer, a failure, or a timeout, since whatever hangs holds the
   *   slot just as long. Only then it teaches how long calls of the provider take. False for one that was cancelled or
   *   stopped midway. Without it, as `served`.
   */
  release(served: boolean, ended?: boolean): Promise<void>;
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

/** There is no place in a pool for a request. */
export class AdmissionRefused extends Error {
  constructor(readonly refusal: Omit<Unavailable, 'provider'>) {
    super(refusal.reason);
    this.name = 'AdmissionRefused';
  }
}

/** Who may call a provider of which only a few calls at once are allowed, and when. */
export interface Admission {
  /**
   * Takes a place before the request is accepted. It falls away by itself if no activity adopts it.
   * @returns why there is none, or undefined
   */
  reserve(request: PlaceRequest): Promise<Omit<Unavailable, 'provider'> | undefined>;
  /** Takes a request out of every queue: its reservation will not be used, or it was cancelled. Held slots stay held. */
  withdraw(requestId: string, pools: readonly string[]): Promise<void>;
  /**
   * Waits for a slot, at the place of the request's reservation, or of its ticket in a process that died.
   * @param onPlace is told the place when it has changed
   * @throws AdmissionRefused if there is no place, or none any more; PlaceWithdrawn if the request was withdrawn
   * meanwhile; AppError `STORE_UNAVAILABLE`; `SHUTTING_DOWN`, its place then waits some seconds to be acquired elsewhere;
   *   the signal's reason if it comes first
   */
  acquire(request: PlaceRequest, signal: AbortSignal, onPlace: (place: Place) => void): Promise<Slot>;
  pools(): Promise<PoolInfo[]>;
}
