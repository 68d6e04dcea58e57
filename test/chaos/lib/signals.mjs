/** What has happened, by name, for those who wait for it: whoever comes late hears of it all the same. */
export class Signals {
  heard = new Map();
  waiting = new Map();
  listeners = [];

  /** Says that something has happened; only the first time counts. */
  tell(name, about = true) {
    if (this.heard.has(name)) return;
    this.heard.set(name, about);
    for (const wake of this.waiting.get(name) ?? []) wake(about);
    this.waiting.delete(name);
    for (const listener of this.listeners) listener(about);
  }

  /** Resolves with what was told, once it has happened. */
  until(name) {
    if (this.heard.has(name)) return Promise.resolve(this.heard.get(name));
    return new Promise((wake) => this.waiting.set(name, [...(this.waiting.get(name) ?? []), wake]));
  }

  /** Calls with whatever is told from now on. */
  onEach(listener) {
    this.listeners.push(listener);
  }
}
