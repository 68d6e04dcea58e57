import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SandboxMount } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { runCommand, type CommandOptions } from '../supply/command.js';

/** What a program of a kind needs in the sandbox. */
export interface Toolchain {
  /** What lies outside `/usr`, which every sandbox shows. Files or folders, under their own paths. */
  mounts: readonly SandboxMount[];
  /** Folders that come first on PATH. */
  path: readonly string[];
  env: Readonly<Record<string, string>>;
  /** For people: `Python 3.11.7`. */
  version: string;
}

export interface PythonToolchain extends Toolchain {
  /** The interpreter itself, not a stand-in for it. */
  executable: string;
  hasPytest: boolean;
}

const ASK_TIMEOUT_MS = 20_000;

/** Asked of Python itself: a shim on PATH knows its real place only when it runs. */
const ASK_PYTHON = [
  'import importlib.util as u, json, platform, sys',
  'print(json.dumps([sys.executable, sys.prefix, sys.base_prefix, platform.python_version(),',
  ' u.find_spec("pytest") is not None]))',
].join('\n');

/** Asks a program of the host. @throws the error of its start, or one that says how it ended */
export type AskHost = (program: string, args: readonly string[]) => Promise<string>;

async function askHost(program: string, args: readonly string[]): Promise<string> {
  const options: CommandOptions = {
    // No file of a working folder has a say in which version answers.
    cwd: '/',
    variables: { GOTOOLCHAIN: 'local', PYTHONSAFEPATH: '1' },
    signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
  };
  const { code, stdout } = await runCommand(program, args, options);
  if (code !== 0) throw new Error(`${program} ended with code ${code}`);
  return stdout.trim();
}

/**
 * The toolchains of this host, for programs in the sandbox. Each is looked for when it is first wanted; one that was
 * found stays known, one that was not is looked for again the next time.
 */
export class Toolchains {
  private readonly known = new Map<string, Promise<Toolchain>>();

  constructor(private readonly ask: AskHost = askHost) {}

  /** The Node that runs us. */
  node(): Promise<Toolchain> {
    return this.once('node', async () => ({
      mounts: [itself(process.execPath)],
      path: [dirname(process.execPath)],
      env: {},
      version: `Node ${process.versions.node}`,
    }));
  }

  /** @throws AppError `TOOL_MISSING` */
  python(): Promise<PythonToolchain> {
    return this.once('python', () => this.findPython());
  }

  /** @throws AppError `TOOL_MISSING` */
  go(): Promise<Toolchain> {
    return this.once('go', () => this.findGo());
  }

  /** Cargo with rustc, out of rustc's own folder: `~/.cargo` holds credentials. @throws AppError `TOOL_MISSING` */
  rust(): Promise<Toolchain> {
    return this.once('rust', () => this.findRust());
  }

  /** ripgrep, which comes as a package of ours: the path of its binary. @throws AppError `TOOL_MISSING` */
  ripgrep(): Promise<Toolchain & { executable: string }> {
    return this.once('ripgrep', findRipgrep);
  }

  private once<T extends Toolchain>(name: string, find: () => Promise<T>): Promise<T> {
    const known = this.known.get(name) as Promise<T> | undefined;
    if (known) return known;
    const found = find();
    this.known.set(name, found);
    found.catch(() => this.known.delete(name));
    return found;
  }

  private async findPython(): Promise<PythonToolchain> {
    const answer = await this.answerOf('Python 3', 'python3', ['-c', ASK_PYTHON], 'install python3');
    const [executable, prefix, basePrefix, version, hasPytest] = JSON.parse(answer) as PythonAnswer;
    const places = [...new Set([basePrefix, prefix])];
    return {
      executable,
      hasPytest,
      mounts: places.flatMap((place) => outsideUsr(place)),
      path: [dirname(executable)],
      env: { PYTHONDONTWRITEBYTECODE: '1' },
      version: `Python ${version}`,
    };
  }

  private async findGo(): Promise<Toolchain> {
    const answer = await this.answerOf('Go', 'go', ['env', 'GOROOT', 'GOVERSION'], 'install Go and put "go" on PATH');
    const [root = '', version = ''] = answer.split('\n');
    return {
      mounts: outsideUsr(root),
      path: [join(root, 'bin')],
      // No network: what is not in the module, its vendor folder or the standard library cannot be had.
      env: { GOROOT: root, GOTOOLCHAIN: 'local', GOPROXY: 'off', GOFLAGS: '', GOTELEMETRY: 'off' },
      version: version.replace(/^go/, 'Go '),
    };
  }

  private async findRust(): Promise<Toolchain> {
    const remedy = 'install Rust with cargo and put "rustc" on PATH';
    const root = await this.answerOf('Rust', 'rustc', ['--print', 'sysroot'], remedy);
    const bin = join(root, 'bin');
    const hasCargo = await access(join(bin, 'cargo')).then(
      () => true,
      () => false,
    );
    if (!hasCargo) throw missing('cargo', remedy);
    const version = await this.answerOf('Rust', join(bin, 'rustc'), ['--version'], remedy);
    return { mounts: outsideUsr(root), path: [bin], env: { CARGO_NET_OFFLINE: 'true' }, version };
  }

  private async answerOf(what: string, program: string, args: readonly string[], remedy: string): Promise<string> {
    try {
      return await this.ask(program, args);
    } catch (error) {
      throw missing(what, remedy, error);
    }
  }
}

type PythonAnswer = [executable: string, prefix: string, basePrefix: string, version: string, hasPytest: boolean];

async function findRipgrep(): Promise<Toolchain & { executable: string }> {
  try {
    // It looks for its binary when it is loaded, and throws where the package of this platform is missing.
    const { rgPath } = await import('@vscode/ripgrep');
    return { executable: rgPath, mounts: [itself(rgPath)], path: [], env: {}, version: 'ripgrep' };
  } catch (error) {
    throw missing('ripgrep', 'install the packages of this installation again, with optional ones', error);
  }
}

function missing(what: string, remedy: string, cause?: unknown): AppError {
  return new AppError('TOOL_MISSING', `${what} was not found on this machine: ${remedy}.`, {}, { cause });
}

/** A mount under its own path, also below `/usr`: folders of this product are covered there. */
const itself = (path: string): SandboxMount => ({ source: path, target: path });

/** A mount of a file or folder under its own path, unless it lies below `/usr`. */
function outsideUsr(path: string): SandboxMount[] {
  if (path.startsWith('/usr/') || path === '/usr') return [];
  if (holdsHome(path)) {
    throw new AppError(
      'TOOL_MISSING',
      `A toolchain is installed in ${path} itself, which holds a home folder and is shown to no program: install it elsewhere.`,
    );
  }
  return [itself(path)];
}

/** Whether a folder is a home folder, or one above home folders. */
function holdsHome(path: string): boolean {
  const homes = [homedir(), '/root', '/home'];
  return path === '' || homes.some((home) => `${home}/`.startsWith(path.endsWith('/') ? path : `${path}/`));
}
