import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process of the product that is started, killed with SIGKILL, and started again. */
export class Victim {
  constructor(name, command, args, { env, ready, log }) {
    Object.assign(this, { name, command, args, env, ready, log });
  }

  async start() {
    this.child = spawn(this.command, this.args, { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const { child } = this;
    this.gone = new Promise((done) => child.once('exit', (code, signal) => done(signal ?? code)));
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => this.log?.write(text));
    await this.untilReady(child);
  }

  get alive() {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.gone;
  }

  async stop() {
    if (!this.alive) return;
    this.child.kill('SIGTERM');
    const late = sleep(45_000, 'late', { ref: false });
    if ((await Promise.race([this.gone, late])) === 'late') await this.kill();
  }

  async untilReady(child) {
    const limit = Date.now() + 90_000;
    while (Date.now() < limit) {
      if (child.exitCode !== null) throw new Error(`${this.name} ended with ${child.exitCode} before it was ready`);
      if (await this.ready()) return;
      await sleep(100);
    }
    throw new Error(`${this.name} was not ready in time`);
  }
}

/** Whether a URL answers at all. */
export const answers = (url) =>
  fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    () => true,
    () => false,
  );
