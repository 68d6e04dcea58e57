import { setTimeout as sleep } from 'node:timers/promises';
import { between } from './seed.mjs';

/** Kills in the order of their moments: each of the names at least once, then at random. */
export function planKills(random, { names, kills, lastsMs }) {
  const all = Array.from({ length: kills }, (_, index) => ({
    name: names[index] ?? names[between(random, 0, names.length)],
    at: between(random, 2_000, Math.max(2_001, lastsMs)),
    down: between(random, 100, 1_500),
  }));
  return all.toSorted((a, b) => a.at - b.at);
}

/** The kills of a storm, and when what was killed served again. */
export class Kills {
  done = [];

  /** @param began when the storm did */
  constructor(began = Date.now()) {
    this.began = began;
  }

  /** Seconds since the storm began. */
  elapsed() {
    return ((Date.now() - this.began) / 1_000).toFixed(1);
  }

  /** Resolves at a moment of the storm, in milliseconds. */
  async until(at) {
    await sleep(Math.max(0, this.began + at - Date.now()));
  }

  /** Kills what was planned. @param victims by their names */
  async all(plan, victims) {
    for (const { name, at, down } of plan) {
      await this.until(at);
      await this.strike(name, victims[name], down);
    }
  }

  /** Kills something, and starts it again after so many milliseconds. */
  async strike(name, victim, down) {
    await victim.kill();
    const killedAt = this.elapsed();
    await sleep(down);
    await victim.start();
    this.done.push({ name, killedAt, backAt: this.elapsed() });
  }

  /** A table of them, a line each. */
  table() {
    const lines = this.done.map(({ name, killedAt, backAt }) => `${name.padEnd(10)}${killedAt.padEnd(8)}${backAt}\n`);
    return `kill      at s    serving again at s\n${lines.join('')}`;
  }
}
