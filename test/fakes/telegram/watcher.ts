const WITHIN_MS = 20_000;

interface Watch {
  check(): void;
}

/** Lets others wait for what the world of a fake has come to. */
export class Watcher {
  private readonly watches = new Set<Watch>();

  /** Something has changed. */
  changed(): void {
    for (const watch of this.watches) watch.check();
  }

  /**
   * Waits until there is something.
   * @param find what there is; undefined: not yet
   * @param tell for the error, when it does not come within the time, in milliseconds
   */
  until<T>(find: () => T | undefined, tell: () => string, withinMs = WITHIN_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.watches.delete(watch);
      };
      const watch: Watch = {
        check: () => {
          const found = find();
          if (found === undefined) return;
          end();
          resolve(found);
        },
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`Not so within ${withinMs} ms: ${tell()}`));
      }, withinMs);
      this.watches.add(watch);
      watch.check();
    });
  }
}
