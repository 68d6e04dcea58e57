/**
 * Named values that all processes share. One operation: a change that nobody can get between. In memory where there is
 * one process, a locked row of PostgreSQL where there are several.
 */
export interface SharedState {
  /**
   * Replaces a value by what `change` makes of it, and hands on the result. The change must be quick and pure: it runs
   * under a lock, and again if the database asks for it.
   * @param now Unix time in milliseconds by the clock that all processes share
   * @throws AppError `STORE_UNAVAILABLE`
   */
  change<S, R>(name: string, change: (state: S | undefined, now: number) => { state: S; result: R }): Promise<R>;
  /** Values as they are now, by name. */
  read<S>(prefix: string): Promise<Map<string, S>>;
  /** Calls the listener after a value was changed by anybody, at the latest a second later. Returns the way to stop. */
  onChange(name: string, listener: () => void): () => void;
  close(): Promise<void>;
}
