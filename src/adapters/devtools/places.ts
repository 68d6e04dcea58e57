import { Semaphore } from 'async-mutex';
import { LRUCache } from 'lru-cache';
import { orAborted } from '../or-aborted.js';

/** DAOs that are remembered; those that have nothing running are forgotten first. */
const MOST_DAOS = 10_000;

/** A bounded number of places for programs, of which no DAO has all where there are several. */
export class Places {
  private readonly all: Semaphore;
  private readonly share: number;
  private readonly ofDaos = new LRUCache<string, Semaphore>({ max: MOST_DAOS });

  /** @param count how many there are */
  constructor(count: number) {
    this.all = new Semaphore(count);
    this.share = Math.max(1, count - 1);
  }

  /**
   * Runs an action once there is a place for the DAO.
   * @throws the signal's reason where it comes first; then the action has not begun
   */
  async with<T>(daoId: string, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
    const giveBack = await taken(this.of(daoId), signal);
    try {
      return await this.withShared(signal, action);
    } finally {
      giveBack();
    }
  }

  private async withShared<T>(signal: AbortSignal, action: () => Promise<T>): Promise<T> {
    const giveBack = await taken(this.all, signal);
    try {
      return await action();
    } finally {
      giveBack();
    }
  }

  private of(daoId: string): Semaphore {
    const known = this.ofDaos.get(daoId);
    if (known) return known;
    const made = new Semaphore(this.share);
    this.ofDaos.set(daoId, made);
    return made;
  }
}

/** A place of a semaphore; gives what frees it. One that comes after the signal is freed at once. */
async function taken(semaphore: Semaphore, signal: AbortSignal): Promise<() => void> {
  signal.throwIfAborted();
  const acquired = semaphore.acquire().then(([, release]) => release);
  try {
    return await orAborted(acquired, signal);
  } catch (error) {
    void acquired.then((release) => {
      release();
    });
    throw error;
  }
}
