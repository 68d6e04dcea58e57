import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxMount } from '../../contracts/devtools.js';
import { SYSTEM_PATH } from '../sandbox/bubblewrap-arguments.js';
import { runCommand } from '../supply/command.js';
import type { SupplyReporter } from '../supply/reporter.js';
import { requireTrusted } from '../supply/trust.js';
import type { Toolchain } from './toolchains.js';

export interface GoCacheOptions {
  /** Folder for what is made. */
  cache: string;
  reporter: SupplyReporter;
}

/** A folder at the top, whose name no program in the sandbox can give to something else. */
const PLACE = '/go-cache';
const BUILD_TIMEOUT_MS = 15 * 60_000;
const AGAIN_AFTER_MS = 60 * 60_000;
/** go marks what it uses by the time of the file, and each mark would copy the file into memory. */
const FAR_AHEAD = new Date('2100-01-01T00:00:00Z');

/**
 * go's standard library, compiled once for all runs of tests: each sandbox starts with nothing, and would compile it anew.
 * It is made by the go of this host, of nothing but its own sources, in the background of the first run that wants it.
 */
export class GoCache {
  private making: Promise<void> | undefined;
  private triedAt = -Infinity;

  constructor(private readonly options: GoCacheOptions) {}

  /** What to add to a command of go; nothing until the cache is made, which this begins. */
  async parts(go: Toolchain): Promise<{ mounts: readonly SandboxMount[]; env: Readonly<Record<string, string>> }> {
    const { cache } = this.options;
    const folder = join(cache, `go-${go.version.replace(/[^\w.]+/g, '')}-${process.arch}`);
    if (await isFolder(folder)) {
      await requireTrusted([cache, folder]);
      return { mounts: [{ source: folder, target: PLACE, writable: true }], env: { GOCACHE: PLACE } };
    }
    this.begin(folder, go);
    return { mounts: [], env: {} };
  }

  /** The end of what is being made, if anything is. */
  async settled(): Promise<void> {
    await this.making;
  }

  private begin(folder: string, go: Toolchain): void {
    if (this.making || performance.now() - this.triedAt < AGAIN_AFTER_MS) return;
    this.triedAt = performance.now();
    this.making = this.make(folder, go).finally(() => (this.making = undefined));
  }

  /** Never fails: without a cache tests take longer, and that is all. */
  private async make(folder: string, go: Toolchain): Promise<void> {
    const { cache, reporter } = this.options;
    const title = `standard library of ${go.version}`;
    reporter.trying(title, 'go');
    try {
      await mkdir(cache, { recursive: true, mode: 0o700 });
      // Named as what is obtained is, so that what a killed process leaves is removed with it.
      const scratch = await mkdtemp(join(cache, `incoming-${process.pid}-`));
      try {
        await build(scratch, go);
        await rename(join(scratch, 'cache'), folder);
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
      reporter.done(title);
    } catch (error) {
      reporter.failed(title, 'go', error instanceof Error ? error.message : String(error));
    }
  }
}

async function build(scratch: string, { env, path }: Toolchain): Promise<void> {
  const made = join(scratch, 'cache');
  const empty = join(scratch, 'empty');
  await Promise.all([mkdir(made), mkdir(empty)]);
  // PATH as in the sandbox, so that the same C compiler is found: its name is a part of what is kept.
  const variables = {
    ...{ GOENV: 'off', GOWORK: 'off', GOPATH: join(scratch, 'path'), GOCACHE: made, ...env },
    ...{ HOME: scratch, TMPDIR: scratch, PATH: [...path, ...SYSTEM_PATH].join(':') },
  };
  const stop = new AbortController();
  const onExit = (): void => stop.abort();
  process.once('exit', onExit);
  try {
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(BUILD_TIMEOUT_MS)]);
    const { code, stderr } = await runCommand('nice', ['-n', '19', 'go', 'build', 'std'], {
      cwd: empty,
      variables,
      signal,
    });
    if (code !== 0) throw new Error(`go ended with ${code}: ${stderr.slice(-300)}`);
  } finally {
    process.off('exit', onExit);
  }
  await setTimes(made);
}

async function setTimes(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), FAR_AHEAD, FAR_AHEAD);
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
