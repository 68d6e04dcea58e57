import type { TestFramework } from '../../../contracts/devtools.js';
import { AppError } from '../../../errors/app-error.js';
import type { CommandParts } from '../tool-run.js';
import type { GoCache } from '../go-cache.js';
import type { PythonKit } from '../python-kit.js';
import type { Toolchain, Toolchains } from '../toolchains.js';
import type { Project } from './project.js';

/** What commands are made of. */
export interface CommandContext {
  toolchains: Toolchains;
  project: Project;
  /** Names of tests to run; it goes to the framework as one argument. */
  filter: string | undefined;
  /** pytest, where the Python of this host has none. */
  pytestKit: PythonKit;
  goCache: GoCache;
  signal: AbortSignal;
}

/** Where a framework writes its report: the scratch space of the sandbox. */
const REPORT = '/tmp/dagi-test-report';
/** What go and cargo print is their report. */
const PRINTED_BYTES = 4 * 1024 * 1024;

type MakeCommand = (context: CommandContext) => Promise<CommandParts>;

/** The command of each framework. @throws AppError `TOOL_MISSING` with the remedy */
export const TEST_COMMANDS: Readonly<Record<TestFramework, MakeCommand>> = {
  jest: async (context) => {
    const options = ['--json', `--outputFile=${REPORT}`, '--ci', '--watchman=false', '--passWithNoTests'];
    const name = context.filter === undefined ? [] : [`--testNamePattern=${context.filter}`];
    return nodeProgram(context, 'jest', [...options, ...name]);
  },
  vitest: async (context) => {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
    const name = context.filter === undefined ? [] : [`--testNamePattern=${context.filter}`];
    return nodeProgram(context, 'vitest', ['run', ...reporters, '--passWithNoTests', ...name]);
  },
  node: async ({ toolchains, filter }) => {
    const reporters = ['spec', 'stdout', 'junit', REPORT];
    const flags = reporters.map((value, at) => `--test-reporter${at % 2 === 0 ? '' : '-destination'}=${value}`);
    const name = filter === undefined ? [] : [`--test-name-pattern=${filter}`];
    return withToolchain(await toolchains.node(), ['node', '--test', ...flags, ...name], REPORT);
  },
  pytest: pytestCommand,
  go: async ({ toolchains, goCache, filter }) => {
    const name = filter === undefined ? [] : [`-run=${filter}`];
    const argv = ['go', 'test', '-json', ...name, './...'];
    const go = await toolchains.go();
    const { mounts, env } = await goCache.parts(go);
    const whole = { ...go, mounts: [...go.mounts, ...mounts], env: { ...go.env, ...env } };
    return { ...withToolchain(whole, argv), outputBytes: PRINTED_BYTES };
  },
  cargo: async ({ toolchains, filter }) => {
    if (filter?.startsWith('-'))
      throw new AppError('TOOL_FAILED', 'A filter of cargo is a name: it begins with no "-".');
    const name = filter === undefined ? [] : [filter];
    const argv = ['cargo', 'test', '--offline', '--no-fail-fast', '--color=never', '--', '--color=never', ...name];
    return { ...withToolchain(await toolchains.rust(), argv), outputBytes: PRINTED_BYTES };
  },
};

function withToolchain({ mounts, path, env }: Toolchain, argv: readonly string[], report?: string): CommandParts {
  return { argv, mounts, path, env, ...(report !== undefined && { report }) };
}

async function nodeProgram(
  { toolchains, project }: CommandContext,
  name: 'jest' | 'vitest',
  args: readonly string[],
): Promise<CommandParts> {
  const program = project.installed[name];
  if (program === undefined) {
    const remedy = `node_modules with ${name} must lie in the workspace, for there is no network to install it from`;
    throw new AppError('TOOL_MISSING', `${name} is not installed in this folder: ${remedy}.`);
  }
  // Projects with modules of ECMAScript say so in their script.
  const flag = '--experimental-vm-modules';
  const asked = Object.values(project.packageJson?.scripts ?? {}).some((script) => script.includes(flag));
  const command = withToolchain(await toolchains.node(), ['node', ...(asked ? [flag] : []), program, ...args], REPORT);
  return { ...command, env: { ...command.env, CI: 'true' } };
}

async function pytestCommand({ toolchains, filter, pytestKit, signal }: CommandContext): Promise<CommandParts> {
  const python = await toolchains.python();
  const options = ['-p', 'no:cacheprovider', '--rootdir=.', '--color=no', '--continue-on-collection-errors'];
  // Written on to its option: a filter that begins with "-" stays a filter.
  const name = filter === undefined ? [] : [`-k${filter}`];
  // This family of reports names the files.
  const report = ['-o', 'junit_family=xunit1', `--junitxml=${REPORT}`];
  const argv = [python.executable, '-m', 'pytest', ...options, ...report, ...name];
  const command = withToolchain(python, argv, REPORT);
  if (python.hasPytest) return command;
  const kit = await pytestKit.obtain(python, signal);
  return { ...command, mounts: [...python.mounts, kit.mount], env: { ...python.env, ...kit.env } };
}
