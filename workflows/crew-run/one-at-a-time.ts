/**
 * Local activities of a run, one after the other. Where several run at once, each of them comes back for itself; but when
 * a worker reads the history again it hears of all of them in the same moment, so that whatever follows from the first
 * one alone is not done again, and the run is stuck for good.
 */
export class OneAtATime {
  private last: Promise<unknown> = Promise.resolve();

  /** Does something when all is done that came before it, however that ended. */
  readonly do = <T>(act: () => Promise<T>): Promise<T> => {
    const done = this.last.then(act);
    this.last = done.catch(() => undefined);
    return done;
  };
}
