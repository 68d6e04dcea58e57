import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../errors/app-error.js';
import { devServerArguments } from './dev-server-args.js';
import { DevServerLog, lastProblem } from './dev-server-log.js';
import { waitUntilServing } from './dev-server-ready.js';
import { GuardedProcess, type ProcessEnd } from './guarded-process.js';
import { choosePorts, isFree, type DevServerPorts, type PortWishes } from './ports.js';

export interface DevServerOptions {
  cli: { path: string; serverVersion: string };
  /** State folder: the database lies in it, the log under `logs/`. */
  home: string;
  namespace: string;
  ports: PortWishes;
  /** Hears of deaths and restarts while we run. */
  log?: (message: string) => void;
}

const START_TIMEOUT_MS = 30_000;
const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5_000;
/** A server that served this long was well: the next death starts with a short pause again. */
const HEALTHY_AFTER_MS = 60_000;
/** Two starts at the same moment may choose the same free port; the loser chooses again. */
const PORT_TRIES = 3;

/**
 * The Temporal development server as a child process: persistent, tuned, reachable from this machine only. It is
 * started again on the same ports if it dies while we run, and ends when we do, however we end.
 */
export class TemporalDevServer {
  private process: GuardedProcess | undefined;
  private readonly stopped = new AbortController();
  private watching: Promise<void> = Promise.resolve();
  private readonly logFile: DevServerLog;

  private constructor(
    private readonly options: DevServerOptions,
    private ports: DevServerPorts,
  ) {
    this.logFile = new DevServerLog(join(options.home, 'logs', 'temporal.log'));
  }

  /**
   * Starts a server and waits until it serves.
   * @throws AppError `SETUP_FAILED` with the reason and the remedy
   */
  static async start(options: DevServerOptions): Promise<TemporalDevServer> {
    const server = new TemporalDevServer(options, await choosePorts(options.ports));
    try {
      await server.startFirst();
    } catch (error) {
      await server.stop();
      throw error;
    }
    server.watching = server.keepRunning();
    return server;
  }

  /** Host and port for Temporal's clients. */
  get address(): string {
    return `127.0.0.1:${this.ports.grpc}`;
  }

  get uiUrl(): string {
    return `http://127.0.0.1:${this.ports.ui}`;
  }

  /** Process id of the server's guard, for tests and `dagi doctor`. */
  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** Ends the server gracefully; it is not started again. */
  async stop(): Promise<void> {
    this.stopped.abort(new Error('stopped'));
    await this.process?.stop();
    await this.watching;
  }

  private get database(): string {
    return join(this.options.home, `temporal-${this.options.cli.serverVersion}.db`);
  }

  private async startFirst(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const problem = await this.launch();
      if (problem === undefined) return;
      const lostAPort = await this.lostAPort();
      if (!lostAPort || tries === PORT_TRIES) throw this.startFailure(problem);
      this.ports = await choosePorts(this.options.ports);
    }
  }

  /** Starts the process; gives the reason if it ended, or was silent for too long, before it served. */
  private async launch(): Promise<string | undefined> {
    const descriptor = this.logFile.open();
    const started = new GuardedProcess(
      this.options.cli.path,
      devServerArguments(this.ports, this.database, this.options.namespace),
      descriptor,
    );
    closeSync(descriptor);
    this.process = started;
    const giveUp = new AbortController();
    const signal = AbortSignal.any([giveUp.signal, this.stopped.signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
    const ended = started.ended.then((end) => giveUp.abort(new Error(`it ended at once (${describeEnd(end)})`)));
    try {
      await waitUntilServing(this.address, this.options.namespace, signal);
      // Another server may have answered on our port while ours could not bind it.
      if (started.running) return undefined;
      await ended;
    } catch {
      await started.stop();
    }
    return lastProblem(this.logFile.tail());
  }

  private async lostAPort(): Promise<boolean> {
    const free = await Promise.all(Object.values(this.ports).map((port: number) => isFree(port)));
    return free.includes(false);
  }

  private startFailure(problem: string): AppError {
    const remedy = /malformed|not a database|disk image/i.test(problem)
      ? `its database is damaged, delete ${this.database}* (answers and requests are kept elsewhere)`
      : `see ${this.logFile.path}, or set TEMPORAL_ADDRESS to a running server`;
    return new AppError('SETUP_FAILED', `The Temporal server did not start (${problem}): ${remedy}.`);
  }

  private async keepRunning(): Promise<void> {
    let backoff = FIRST_BACKOFF_MS;
    while (!this.stopped.signal.aborted && this.process) {
      const since = Date.now();
      const end = await this.process.ended;
      if (this.stopped.signal.aborted) return;
      if (Date.now() - since > HEALTHY_AFTER_MS) backoff = FIRST_BACKOFF_MS;
      this.options.log?.(`The Temporal server died (${describeEnd(end)}); starting it again in ${backoff} ms`);
      await sleep(backoff, undefined, { signal: this.stopped.signal }).catch(() => undefined);
      if (this.stopped.signal.aborted) return;
      backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
      const problem = await this.launch();
      this.options.log?.(problem ? `It did not start: ${problem}` : 'The Temporal server serves again');
    }
  }
}

const describeEnd = ({ code, signal }: ProcessEnd): string => (signal ? `signal ${signal}` : `exit code ${code}`);
