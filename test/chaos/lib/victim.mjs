import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromBuild, obtainTemporalCli } from '../../support/parts.mjs';
import { keptPort } from './ports.mjs';

const DAGI = join(resolve(import.meta.dirname, '..', '..', '..'), 'bin', 'dagi.mjs');

/** How much of what a process wrote goes into the message of its failure, in characters. */
const TAIL = 3_000;

/** A process of the product that is started, killed with SIGKILL, and started again. */
export class Victim {
  constructor(name, command, args, { env, ready, log }) {
    Object.assign(this, { name, command, args, env, ready, log });
  }

  async start() {
    this.child = spawn(this.command, this.args, { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const { child } = this;
    this.gone = new Promise((done) => child.once('exit', (code, signal) => done(signal ?? code)));
    this.tail = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.tail = (this.tail + text).slice(-TAIL);
        this.log?.write(text);
      });
    }
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
      if (child.exitCode !== null || child.signalCode !== null) throw await this.failure(child);
      if (await this.ready()) return;
      await sleep(100);
    }
    throw new Error(`${this.name} was not ready in time. The last that it wrote:\n${this.tail}`);
  }

  /** With what the process wrote, which is complete a little after its end. */
  async failure(child) {
    await sleep(200);
    const end = child.signalCode ?? child.exitCode;
    return new Error(`${this.name} ended with ${end} before it was ready. The last that it wrote:\n${this.tail}`);
  }
}

/** Temporal's development server as a process of its own, on a file and on ports that stay. */
export async function temporalVictim(folder, log) {
  const { path } = await obtainTemporalCli();
  const { devServerArguments } = await fromBuild('src/adapters/temporal/dev-server-args.js');
  const [grpc, ui, http, metrics] = [await keptPort(), await keptPort(), await keptPort(), await keptPort()];
  const args = devServerArguments({ grpc, ui, http, metrics }, join(folder, 'temporal.db'), 'default');
  const ready = () => answers(`http://127.0.0.1:${http}/api/v1/system-info`);
  return { address: `127.0.0.1:${grpc}`, victim: new Victim('temporal', path, args, { log, ready }) };
}

/** `dagi api` on a port that stays. */
export async function apiVictim(args, { env, log }) {
  const port = await keptPort();
  const url = `http://127.0.0.1:${port}`;
  const all = [DAGI, 'api', '--port', String(port), ...args];
  return { url, victim: new Victim('api', process.execPath, all, { env, log, ready: () => answers(`${url}/health`) }) };
}

/** `dagi worker`, which says on standard error that it works. */
export function workerVictim(name, args, { env, log, ready }) {
  const victim = new Victim(name, process.execPath, [DAGI, 'worker', ...args], {
    env,
    log,
    ready: ready ?? (() => Promise.resolve(/^worker of /m.test(victim.tail))),
  });
  return victim;
}

/** Whether a URL answers at all, be it late: who has much to do serves, too. */
export const answers = (url) =>
  fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
    () => true,
    () => false,
  );
