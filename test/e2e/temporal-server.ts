import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TemporalDevServer } from '../../src/adapters/temporal/dev-server.js';
import { choosePorts } from '../../src/adapters/temporal/ports.js';

type Cli = Parameters<typeof TemporalDevServer.start>[0]['cli'];

/** A Temporal server of one test file's own, that can be away, be killed and be silent. Its port and data stay. */
export class TestTemporal {
  private server: TemporalDevServer | undefined;

  private constructor(
    private readonly home: string,
    private readonly port: number,
  ) {}

  /** Chooses where it will be; nothing is started yet. */
  static async prepare(): Promise<TestTemporal> {
    const { grpc } = await choosePorts({ grpc: 0, ui: 0 });
    return new TestTemporal(await mkdtemp(join(tmpdir(), 'dagi-test-own-temporal-')), grpc);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const cli = JSON.parse(process.env.TEST_TEMPORAL_CLI ?? '') as Cli;
    const ports = { grpc: this.port, ui: 0 };
    this.server = await TemporalDevServer.start({ cli, home: this.home, namespace: 'default', ports });
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    this.server = undefined;
  }

  /** `kill -9` of the server and its guard. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.stop();
  }

  /** The server keeps its port and its connections, and says nothing. */
  pause(): void {
    this.signal('SIGSTOP');
  }

  resume(): void {
    this.signal('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.home, { recursive: true, force: true });
  }

  private signal(name: NodeJS.Signals): void {
    if (this.server?.pid === undefined) throw new Error('the server does not run');
    process.kill(-this.server.pid, name);
  }
}
