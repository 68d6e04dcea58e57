import { randomUUID } from 'node:crypto';
import type { SharedMoment, SharedState } from '../../contracts/shared-state.js';

type Change<S, R> = (state: S | undefined, moment: SharedMoment) => { state: S; result: R; quiet?: boolean };

/**
 * Shared values where there is one process only: a map in memory, this process the only one that lives. A change that
 * hands back the very value it was given changes nothing and wakes nobody.
 */
export class MemorySharedState implements SharedState {
  readonly processId = randomUUID();
  private readonly values = new Map<string, unknown>();
  private readonly listeners = new Listeners();
  private readonly alive = new Set([this.processId]);

  /** @param clock Unix time in milliseconds */
  constructor(private readonly clock: () => number = Date.now) {}

  async change<S, R>(name: string, change: Change<S, R>): Promise<R> {
    const before = this.values.get(name) as S | undefined;
    const { state, result, quiet = false } = change(before, { now: this.clock(), alive: this.alive });
    if (state !== before) {
      this.values.set(name, state);
      if (!quiet) this.listeners.tell(name);
    }
    return result;
  }

  async read(prefix: string): Promise<Map<string, unknown>> {
    return new Map([...this.values].filter(([name]) => name.startsWith(prefix)));
  }

  onChange(name: string, listener: () => void): () => void {
    return this.listeners.add(name, listener);
  }

  async close(): Promise<void> {
    this.listeners.clear();
  }
}

/** Who wants to know of changes of named values. Changes in quick succession are told once. */
export class Listeners {
  private readonly byName = new Map<string, Set<() => void>>();
  private readonly due = new Set<string>();

  /** Names that somebody listens to. */
  names(): string[] {
    return [...this.byName.keys()];
  }

  add(name: string, listener: () => void): () => void {
    const own = (): void => {
      listener();
    };
    const all = this.byName.get(name) ?? new Set();
    this.byName.set(name, all.add(own));
    return () => {
      all.delete(own);
      if (all.size === 0 && this.byName.get(name) === all) this.byName.delete(name);
    };
  }

  /** Calls the listeners of a name, once whoever changes values now has come to an end. */
  tell(name: string): void {
    if (this.due.size === 0) setImmediate(() => this.flush());
    this.due.add(name);
  }

  clear(): void {
    this.byName.clear();
  }

  private flush(): void {
    const names = [...this.due];
    this.due.clear();
    for (const name of names) for (const listener of [...(this.byName.get(name) ?? [])]) listener();
  }
}
