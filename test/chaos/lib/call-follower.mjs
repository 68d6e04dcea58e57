import { setTimeout as sleep } from 'node:timers/promises';

/** Follows the ledger of a fake model, and tells signals `begun <digest>` and `answered <digest>` as it grows. */
export class CallFollower {
  entries = [];
  over = false;

  constructor(url, signals) {
    Object.assign(this, { url, signals });
  }

  async follow() {
    while (!this.over) {
      const entries = await this.read().catch(() => sleep(100, []));
      this.entries.push(...entries);
      for (const { what, digest, at } of entries) this.signals.tell(`${what} ${digest}`, at);
    }
  }

  async read() {
    const body = JSON.stringify({ after: this.entries.length });
    const answer = await fetch(`${this.url}/__ledger`, { method: 'POST', body, signal: AbortSignal.timeout(5_000) });
    return answer.json();
  }

  /** Each call with its begin and its end: answered in full, broken off, or none yet. */
  calls() {
    const calls = new Map();
    for (const { call, digest, what, at } of this.entries) {
      if (what === 'begun') calls.set(call, { digest, begunAt: at, end: 'none' });
      else Object.assign(calls.get(call), { end: what, endedAt: at });
    }
    return [...calls.values()];
  }
}
