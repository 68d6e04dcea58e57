import type { SharedState } from '../contracts/shared-state.js';

interface Held {
  holder: string;
}

/** Something that one process does at a time, of all that share the state. Whoever dies lets go of it. */
export class Lease {
  constructor(
    private readonly shared: SharedState,
    private readonly name: string,
  ) {}

  /** Whether this process holds it, or has got it now. @throws AppError `STORE_UNAVAILABLE` */
  held(): Promise<boolean> {
    const { processId } = this.shared;
    return this.shared.change<Held | undefined, boolean>(this.name, (state, { alive }) => {
      if (state?.holder === processId) return { state, result: true };
      if (state && alive.has(state.holder)) return { state, result: false };
      return { state: { holder: processId }, result: true };
    });
  }

  /** Lets go of it, if this process holds it. @throws AppError `STORE_UNAVAILABLE` */
  async release(): Promise<void> {
    const { processId } = this.shared;
    await this.shared.change<Held | undefined, undefined>(this.name, (state) => ({
      state: state?.holder === processId ? { holder: '' } : state,
      result: undefined,
    }));
  }
}
