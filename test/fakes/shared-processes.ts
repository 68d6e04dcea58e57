import type { SharedMoment, SharedState } from '../../src/contracts/shared-state.js';
import { AppError } from '../../src/errors/app-error.js';

type Change<S, R> = (state: S | undefined, moment: SharedMoment) => { state: S; result: R };

/** Values that several "processes" of one test share, each of which can vanish and come back. Tells of changes by timer. */
export class SharedProcesses {
  readonly values = new Map<string, unknown>();
  readonly alive = new Set<string>();
  /** While true every change fails, as if the database were away. */
  away = false;
  /** How often each process has asked for a change. */
  readonly changes = new Map<string, number>();
  private readonly listeners = new Set<{ name: string; call: () => void }>();

  process(processId: string): SharedState {
    this.alive.add(processId);
    return {
      processId,
      change: (name, change) => this.change(processId, name, change),
      read: async (prefix) => new Map([...this.values].filter(([name]) => name.startsWith(prefix))),
      onChange: (name, call) => {
        const entry = { name, call };
        this.listeners.add(entry);
        return () => this.listeners.delete(entry);
      },
      close: async () => {
        this.alive.delete(processId);
      },
    };
  }

  get listening(): number {
    return this.listeners.size;
  }

  private async change<S, R>(processId: string, name: string, change: Change<S, R>): Promise<R> {
    this.changes.set(processId, (this.changes.get(processId) ?? 0) + 1);
    await Promise.resolve();
    // Who is dead hears nothing any more.
    if (!this.alive.has(processId)) return new Promise(() => undefined);
    if (this.away) throw new AppError('STORE_UNAVAILABLE');
    const before = this.values.get(name) as S | undefined;
    const { state, result } = change(before, { now: Date.now(), alive: this.alive });
    if (state !== before) {
      // As a database gives it back.
      this.values.set(name, JSON.parse(JSON.stringify(state)) as S);
      for (const { name: one, call } of this.listeners) if (one === name) setTimeout(call, 1);
    }
    return result;
  }
}
