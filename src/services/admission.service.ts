import type { Logger } from 'pino';
import type { Admission, Place, PlaceRequest, PoolInfo, Slot } from '../contracts/admission.js';
import type { SharedState } from '../contracts/shared-state.js';
import type { Refusal } from '../domain/admission.js';
import { AppError } from '../errors/app-error.js';
import { AdmissionPool } from './admission-pool.js';

const PREFIX = 'pool:';

/**
 * Who may call a provider of which only a few calls at once are allowed, and when: each pool is one shared value, which
 * the pure functions of `src/domain/admission.ts` change. One service for a process and its shared state.
 */
export class AdmissionService implements Admission {
  private readonly byKey = new Map<string, AdmissionPool>();
  private tickets = 0;
  private closed = false;

  constructor(
    private readonly shared: SharedState,
    private readonly log: Logger,
  ) {
    shared.onUnseen?.(() => {
      for (const pool of this.byKey.values()) pool.stopCalls();
    });
  }

  /** Looks at the pools there are, so that what a process left that died is gone before anybody asks. Never throws. */
  async start(): Promise<void> {
    try {
      const known = await this.shared.read(PREFIX);
      await Promise.all([...known.keys()].map((key) => this.pool(key).look()));
    } catch (error) {
      this.log.warn({ err: error }, 'the pools could not be looked at yet; they are once they are used');
    }
  }

  /** @throws AppError `STORE_UNAVAILABLE` */
  async reserve(request: PlaceRequest): Promise<Refusal | undefined> {
    return this.poolOf(request).reserve(request);
  }

  /** @throws AppError `STORE_UNAVAILABLE` */
  async withdraw(requestId: string, pools: readonly string[]): Promise<void> {
    await Promise.all([...new Set(pools)].map((name) => this.pool(PREFIX + name).withdraw(requestId)));
  }

  /**
   * @throws AdmissionRefused if there is no place, or none any more; PlaceWithdrawn if somebody took the request out of
   *   the queue; AppError `STORE_UNAVAILABLE`; the signal's reason if it comes first
   */
  async acquire(request: PlaceRequest, signal: AbortSignal, onPlace: (place: Place) => void): Promise<Slot> {
    signal.throwIfAborted();
    this.tickets += 1;
    return this.poolOf(request).acquire(`${this.shared.processId}-${this.tickets}`, request, signal, onPlace);
  }

  /** The pools that were used so far. @throws AppError `STORE_UNAVAILABLE` */
  async pools(): Promise<PoolInfo[]> {
    const known = await this.shared.read(PREFIX);
    const infos = await Promise.all([...known.keys()].map((key) => this.pool(key).info(key.slice(PREFIX.length))));
    return infos.filter((info) => info !== undefined);
  }

  /**
   * Sends away who waits in this process; their places are kept for some seconds, so that they go on elsewhere. Stops
   * looking at the pools. Slots can still be given back.
   */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.byKey.values()].map((pool) => pool.close()));
  }

  /** @throws AppError `SHUTTING_DOWN` */
  private poolOf({ pool }: PlaceRequest): AdmissionPool {
    if (this.closed) throw new AppError('SHUTTING_DOWN');
    return this.pool(PREFIX + pool.name);
  }

  private pool(key: string): AdmissionPool {
    const known = this.byKey.get(key);
    if (known) return known;
    const pool = new AdmissionPool(key, this.shared, this.log);
    this.byKey.set(key, pool);
    return pool;
  }
}
