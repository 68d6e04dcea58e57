import { fork } from 'node:child_process';
import { join } from 'node:path';

/** The calls that a model in another process had, by the markers of their requests. All moments in ms since 1970. */
export class Model {
  open = 0;
  calls = 0;
  /** Requests whose client left: when it did, until the model was free of them. */
  left = new Map();
  running = new Map();
  /** When the last call for a request began. */
  began = new Map();

  static async start(kind, settings) {
    const model = new Model();
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    model.child = fork(join(import.meta.dirname, 'model.mjs'), [kind, JSON.stringify(settings)], { execArgv });
    model.url = await new Promise((done, fail) => {
      model.child.on('message', (message) => (message.url ? done(message.url) : model.hear(message)));
      model.child.once('exit', (code) => fail(new Error(`the model ${kind} ended with ${code}`)));
    });
    return model;
  }

  hear({ event, marker, at }) {
    const step = event === 'begin' ? 1 : -1;
    this.open += step;
    this.calls += event === 'begin' ? 1 : 0;
    const running = (this.running.get(marker) ?? 0) + step;
    if (running === 0) this.running.delete(marker);
    else this.running.set(marker, running);
    if (event === 'begin') this.began.set(marker, at);
    const left = this.left.get(marker);
    if (left && event === 'end') left.freedAt = at;
  }

  /** The client who asked this is gone, since now. */
  clientLeft(ask) {
    this.left.set(ask.marker, { ask, at: Date.now(), freedAt: undefined });
  }

  /**
   * Takes stock of those that left.
   * @returns {{ ask: object, ms: number, begunMs: number }[]} `ms`: from a client's leaving to the end of the model's work for it; 0 where it had
   *   none, or had done it; infinite where it still works; `begunMs`: how long it had been at work when the client left, negative where it began later
   */
  freedAfter() {
    return [...this.left].map(([marker, { ask, at, freedAt }]) => {
      const begunMs = at - (this.began.get(marker) ?? at);
      if (this.running.has(marker)) return { ask, begunMs, ms: Number.POSITIVE_INFINITY };
      return { ask, begunMs, ms: freedAt === undefined ? 0 : Math.max(0, freedAt - at) };
    });
  }

  async stop() {
    const gone = new Promise((done) => this.child.once('exit', done));
    this.child.kill();
    await gone;
  }
}
