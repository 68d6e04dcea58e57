/**
 * A process that could not make sure for so long that the others see it, in milliseconds, stops what it does on behalf
 * of shared values, as the others may take it for dead a little later. Long enough for a restart of the database.
 */
export const SEEN_FOR_MS = 6_000;

/** What a change may know beside the value: the clock and the processes that all share. */
export interface SharedMoment {
  /** Unix time in milliseconds by the shared clock. */
  now: number;
  /** Ids of the processes that live: those that hold their session with the database. Always holds the own one. */
  alive: ReadonlySet<string>;
}

/**
 * Named values that all processes share. One operation: a change that nobody can get between. In memory where there is
 * one process, a versioned row of PostgreSQL where there are several.
 */
export interface SharedState {
  /** Id of this process among those that share the values. */
  readonly processId: string;
  /**
   * Replaces a value by what `change` makes of it, and hands on the result. The change must be quick and pure: it runs
   * again if somebody else was quicker. One that hands back the very value that it was given writes nothing and wakes
   * nobody; one that says it is `quiet` wakes nobody either, as far as that can be avoided.
   * @throws AppError `STORE_UNAVAILABLE`
   */
  change<S, R>(
    name: string,
    change: (state: S | undefined, moment: SharedMoment) => { state: S; result: R; quiet?: boolean },
  ): Promise<R>;
  /** Values as they are now, by name. */
  read(prefix: string): Promise<Map<string, unknown>>;
  /** Calls the listener after a value was changed by anybody, at the latest a second later. Returns the way to stop. */
  onChange(name: string, listener: () => void): () => void;
  /**
   * Calls the listener when this process could not make sure for `SEEN_FOR_MS` that the others see it; from then on it
   * can change nothing until they do again. Absent where there are no others.
   */
  onUnseen?(listener: () => void): void;
  close(): Promise<void>;
}
