import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { obtainPythonClients } from './python-clients.js';

const SCRIPTS = join(import.meta.dirname, 'python');

/** What a client made of an answer that it did not like. */
export class ClientError extends Error {
  /** Names of the exception's classes, its own first. */
  readonly kinds: readonly string[];
  readonly status: number | undefined;
  readonly code: string | undefined;

  constructor(told: { message: string; kinds: string[]; description?: string; status_code?: number; code?: string }) {
    super(told.description ?? told.message);
    this.kinds = told.kinds;
    this.status = told.status_code;
    this.code = told.code;
  }
}

type Line = { event: unknown } | { value: unknown } | { error: ConstructorParameters<typeof ClientError>[0] };

/** A client in Python, in a process of its own. It does one thing at a time. */
export class Driver {
  private readonly lines: AsyncIterator<string>;
  private readonly exited: Promise<unknown>;

  private constructor(private readonly child: ChildProcessByStdio<Writable, Readable, null>) {
    this.exited = new Promise((done) => child.once('close', done));
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Starts one of the scripts `drive_….py`. */
  static async start(client: 'dify' | 'openai' | 'langchain'): Promise<Driver> {
    const { python, packages } = await obtainPythonClients();
    const env = {
      ...{ PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', NO_PROXY: '*', PYTHONUTF8: '1' },
      ...{ PYTHONPATH: `${SCRIPTS}:${packages}`, PYTHONNOUSERSITE: '1', PYTHONPYCACHEPREFIX: `${packages}.compiled` },
    };
    const script = join(SCRIPTS, `drive_${client}.py`);
    const driver = new Driver(spawn(python, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] }));
    await driver.next();
    return driver;
  }

  /**
   * Has the client do something.
   * @param onEvent is told what happens meanwhile
   * @throws ClientError what the client threw
   */
  async call<Value>(
    op: string,
    parameters: object,
    onEvent: (event: unknown) => void = () => undefined,
  ): Promise<Value> {
    this.child.stdin.write(`${JSON.stringify({ op, with: parameters })}\n`);
    for (;;) {
      const line = await this.next();
      if ('value' in line) return line.value as Value;
      if ('error' in line) throw new ClientError(line.error);
      onEvent(line.event);
    }
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async close(): Promise<void> {
    this.child.stdin.end();
    await this.exited;
  }

  private async next(): Promise<Line> {
    const next = await this.lines.next();
    if (next.done === true) throw new Error('the client has ended');
    return JSON.parse(next.value) as Line;
  }
}
