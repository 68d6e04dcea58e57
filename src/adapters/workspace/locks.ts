import { Mutex } from 'async-mutex';

/** Lets those who write the same file in this process go one after another. */
export class PathLocks {
  private readonly locks = new Map<string, { mutex: Mutex; users: number }>();

  /** How many paths are being written. */
  get size(): number {
    return this.locks.size;
  }

  /** Runs an action while nobody else has one of the paths. */
  run<T>(paths: readonly string[], action: () => Promise<T>): Promise<T> {
    // In one order for all, so that two who want the same paths do not wait for each other.
    return this.acquire([...new Set(paths)].toSorted(), action);
  }

  private async acquire<T>([path, ...rest]: readonly string[], action: () => Promise<T>): Promise<T> {
    if (path === undefined) return action();
    const lock = this.locks.get(path) ?? { mutex: new Mutex(), users: 0 };
    this.locks.set(path, lock);
    lock.users += 1;
    try {
      return await lock.mutex.runExclusive(() => this.acquire(rest, action));
    } finally {
      lock.users -= 1;
      if (lock.users === 0) this.locks.delete(path);
    }
  }
}
