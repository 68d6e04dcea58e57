import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxCommand, SandboxEnd, SandboxMount, ToolOutput } from '../../contracts/devtools.js';
import { REPORT_BYTES, type Bounds, type RunBound } from './bounds.js';
import type { DescribedSandbox, SandboxDescription } from './description.js';
import { unavailable } from './no-sandbox.js';
import { OutputKeeper } from './output-keeper.js';
import { makeOwnFolder } from './own-folders.js';
import { ProcessRun, type RunPlaces } from './process-run.js';
import { sandboxEnd, supervise } from './supervise.js';

/**
 * The weaker way: an ordinary process of our user in a copy of the workspace, without our variables, within limits. It
 * sees what our user sees, the network too.
 */
export class ProcessSandbox implements DescribedSandbox {
  readonly kind = 'process';

  constructor(private readonly bounds: Bounds) {}

  describe(): SandboxDescription {
    const reason =
      'programs see the files of this user and the network, and can read the keys of this product: devtools.sandbox is "process" in the profile.';
    return { kind: this.kind, bounds: this.bounds.kind, reason };
  }

  /** @throws AppError `SANDBOX_UNAVAILABLE` where the workspace cannot be copied or the program not be started */
  async run(
    command: SandboxCommand,
    signal: AbortSignal,
    onOutput?: (output: ToolOutput) => void,
  ): Promise<SandboxEnd> {
    const startedAt = performance.now();
    const output = new OutputKeeper(command.limits.outputBytes, onOutput);
    const home = await makeOwnFolder();
    try {
      const places = await prepare(command, home);
      const bound = await this.bounds.open(command.limits);
      const end = await runBounded({ command, signal, output, places, bound });
      const report = command.report === undefined ? undefined : await readReport(places.translate(command.report));
      return sandboxEnd(end, output, report, startedAt);
    } finally {
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

async function prepare(command: SandboxCommand, home: string): Promise<RunPlaces> {
  const workspace = command.readOnly ? command.workspace : join(home, 'workspace');
  const temporary = join(home, 'tmp');
  await mkdir(join(temporary, 'home'), { recursive: true, mode: 0o700 });
  if (!command.readOnly) await copy(command.workspace, workspace);
  const mounts = await Promise.all(
    (command.mounts ?? []).map((mount, at) => layerOf(mount, join(home, `layer-${at}`))),
  );
  return { home, workspace, temporary, marker: randomUUID(), translate: translator(mounts, workspace, temporary) };
}

/** A mount, or that of a copy where it is written to. */
async function layerOf(mount: SandboxMount, place: string): Promise<SandboxMount> {
  if (!mount.writable) return mount;
  await copy(mount.source, place);
  return { source: place, target: mount.target };
}

/** @throws AppError `SANDBOX_UNAVAILABLE` */
async function copy(from: string, to: string): Promise<void> {
  const code = await runCp(from, to);
  if (code !== 0) throw unavailable(`${from} could not be copied (cp ended with ${code}).`);
}

/** Its own word for a clone of files where the file system can, for sparse files and for links as links. */
function runCp(from: string, to: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn('cp', ['-a', '--reflink=auto', '--', from, to], {
      env: { PATH: '/usr/bin:/bin' },
      stdio: 'ignore',
    });
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

/** Turns paths of the sandbox into those of the copy, wherever a path begins in a text. */
function translator(mounts: readonly SandboxMount[], workspace: string, temporary: string): (text: string) => string {
  const pairs = [
    ['/workspace', workspace],
    ['/tmp', temporary],
    ...mounts.map(({ source, target }) => [target, source]),
  ] as [string, string][];
  // The longest first: what is mounted below /tmp, perhaps under its own path, is no part of the private /tmp.
  pairs.sort(([one], [other]) => other.length - one.length);
  const escaped = pairs.map(([from]) => from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const wanted = new RegExp(`(?<=^|[=:,;\\s"'])(${escaped.join('|')})(?=$|[/:,;\\s"'])`, 'g');
  const targets = new Map(pairs);
  return (text) => text.replace(wanted, (found) => targets.get(found) ?? found);
}

interface BoundedRun {
  command: SandboxCommand;
  signal: AbortSignal;
  output: OutputKeeper;
  places: RunPlaces;
  bound: RunBound;
}

async function runBounded({ command, signal, output, places, bound }: BoundedRun): ReturnType<typeof supervise> {
  try {
    if (signal.aborted) return { endedBy: 'cancelled', code: null };
    const run = await ProcessRun.start(command, places, bound);
    const [look, kill] = [run.look.bind(run), run.kill.bind(run)];
    return await supervise({ child: run.child, limits: command.limits, signal, output, look, kill });
  } catch (error) {
    throw unavailable(`the program could not be started (${String(error)}).`, error);
  } finally {
    await bound.close();
  }
}

async function readReport(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return undefined;
  try {
    if (!(await file.stat()).isFile()) return undefined;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(REPORT_BYTES), 0, REPORT_BYTES, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}
