// The two worlds side by side, block by block, and the first difference between them.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BLOCK = 50;

/** One of the two worlds. */
class WorldProcess {
  constructor(options) {
    // It is killed in the end, so what it leaves is removed here.
    this.folder = mkdtempSync(join(tmpdir(), 'dagi-isolation-'));
    this.child = fork(join(import.meta.dirname, 'world-process.mjs'), [JSON.stringify(options)], {
      // Node 24 died once as it freed the code of a database that was closed: "Check failed: jit_page_->allocations_.erase".
      execArgv: ['--disable-warning=ExperimentalWarning', '--no-wasm-code-gc'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: this.folder },
    });
    this.ended = once(this.child, 'exit').then(([code]) => [{ error: `a world ended with ${code}` }]);
    this.ready = this.told();
  }

  async ask(message) {
    await this.ready;
    this.child.send(message);
    return this.told();
  }

  async told() {
    const [answer] = await Promise.race([once(this.child, 'message'), this.ended]);
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  stop() {
    this.child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * Plays operations in two worlds that differ in the data of the second DAO.
 * @param {{ from: number, operations: number, episode: number, seed: number, planted?: string, progress: (done: number) => void }} options
 * @returns how often each operation was played and let in, routes that there are, and the first difference if there is one
 */
export async function playPair({ from: first, operations, episode, seed, planted, progress }) {
  const beganAt = Date.UTC(2026, 4, 20);
  const worlds = [0, 1].map((variant) => new WorldProcess({ beganAt, seed, variant, planted, episode }));
  const counts = {};
  let routes = [];
  try {
    const end = first + operations;
    for (let from = first, foreign = {}; from < end; from += BLOCK) {
      if (from % episode === 0) {
        const opened = await Promise.all(worlds.map((world) => world.ask({ kind: 'open', from })));
        ({ routes } = opened[0]);
        foreign = {};
      }
      const count = Math.min(BLOCK, end - from);
      const [one, other] = await Promise.all(worlds.map((world) => world.ask({ kind: 'block', from, count, foreign })));
      const difference = firstDifference(one.done.played, other.done.played);
      tally(counts, one.done.played);
      if (difference) return { counts, routes, difference };
      foreign = one.done.known;
      progress(from + count - first);
    }
    return { counts, routes };
  } finally {
    worlds.forEach((world) => world.stop());
  }
}

function firstDifference(one, other) {
  const place = one.findIndex(
    (each, index) => each.seen !== other[index].seen || (each.name !== other[index].name && each.who === 0),
  );
  return place === -1 ? undefined : { n: one[place].n, one: one[place], other: other[place] };
}

function tally(counts, played) {
  for (const { name, status, who } of played) {
    const count = (counts[name] ??= { first: 0, second: 0, letIn: 0 });
    count[who === 0 ? 'first' : 'second'] += 1;
    if (who === 0 && status < 300) count.letIn += 1;
  }
}
