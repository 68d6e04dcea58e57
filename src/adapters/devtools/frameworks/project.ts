import type { Sandbox, TestFramework } from '../../../contracts/devtools.js';
import { commandOf, requireOwnEnd, type ToolRun } from '../tool-run.js';
import { parsedRecord, recordOf } from '../foreign-json.js';

/** What the files of a folder say about how its tests are run. */
export interface Project {
  /** Names in the folder itself. */
  names: ReadonlySet<string>;
  packageJson: PackageJson | undefined;
  pyproject: string;
  /** `setup.cfg` and `tox.ini`, one after the other. */
  iniFiles: string;
  hasNodeTests: boolean;
  hasPythonTests: boolean;
  /** Programs of Node that are installed, in the folder or above it: their paths from the folder. */
  installed: Partial<Record<TestFramework, string>>;
}

export interface PackageJson {
  scripts: Readonly<Record<string, string>>;
  /** Names of all packages that it wants. */
  wants: ReadonlySet<string>;
  hasJestSettings: boolean;
}

const LOOK_TIMEOUT_MS = 20_000;
const LOOK_BYTES = 2 * 1024 * 1024;
const PROGRAMS: Readonly<Partial<Record<TestFramework, string>>> = {
  jest: 'node_modules/jest/bin/jest.js',
  vitest: 'node_modules/vitest/vitest.mjs',
};

const SEPARATOR = String.raw`printf '\0'`;
const SKIPPED = '-name node_modules -o -name .git -o -name .venv -o -name target';

function contentOf(...files: string[]): string {
  return `for file in ${files.join(' ')}; do [ -f "$file" ] && head -c 262144 "$file"; done; ${SEPARATOR}`;
}

/** Prints the first file of such names, so that the answer is empty or not. */
function firstFile(...names: string[]): string {
  const wanted = names.map((name) => `-name '${name}'`).join(' -o ');
  return `find . -maxdepth 6 \\( ${SKIPPED} \\) -prune -o -type f \\( ${wanted} \\) -print -quit; ${SEPARATOR}`;
}

/** A program of Node is looked for as Node does it: here, and in the folders above. */
function upwards(program: string): string {
  const places = [0, 1, 2, 3, 4, 5].map((levels) => '../'.repeat(levels) + program);
  return `for file in ${places.join(' ')}; do [ -f "$file" ] && { printf '%s' "$file"; break; }; done; ${SEPARATOR}`;
}

/**
 * Everything in one go, and in the sandbox: what a link in the workspace leads to is then a file of the sandbox, never
 * one of this host.
 */
const LOOK = [
  `ls -1a; ${SEPARATOR}`,
  contentOf('package.json'),
  contentOf('pyproject.toml'),
  contentOf('setup.cfg', 'tox.ini'),
  firstFile('*.test.js', '*.test.mjs', '*.test.cjs', '*-test.js', '*-test.mjs', '*_test.js', '*_test.mjs'),
  firstFile('test_*.py', '*_test.py'),
  ...Object.values(PROGRAMS).map(upwards),
  'exit 0',
].join('\n');

/**
 * Looks at the folder of a run.
 * @throws AppError `SANDBOX_UNAVAILABLE`, `TOOL_TIMEOUT`
 */
export async function lookAtProject(sandbox: Sandbox, run: ToolRun): Promise<Project> {
  const argv = ['/bin/sh', '-c', LOOK];
  const end = await sandbox.run(
    commandOf(run, { argv, readOnly: true, outputBytes: LOOK_BYTES, timeoutMs: LOOK_TIMEOUT_MS }),
    run.signal,
  );
  requireOwnEnd('Looking at the folder', end, run.signal);
  return projectOf(end.stdout);
}

/** The project as the script told it: parts with U+0000 between them. */
export function projectOf(told: string): Project {
  const [names = '', json = '', pyproject = '', iniFiles = '', nodeTest = '', pythonTest = '', ...programs] =
    told.split('\0');
  const installed = Object.keys(PROGRAMS).map((name, at) => [name, programs[at] ?? ''] as const);
  return {
    names: new Set(names.split('\n')),
    packageJson: parsePackage(json),
    pyproject,
    iniFiles,
    hasNodeTests: nodeTest !== '',
    hasPythonTests: pythonTest !== '',
    installed: Object.fromEntries(installed.filter(([, path]) => path !== '')),
  };
}

function parsePackage(text: string): PackageJson | undefined {
  if (text === '') return undefined;
  // A broken package.json says nothing; the program that is run will complain of it.
  const json = parsedRecord(text) ?? {};
  const scripts = Object.entries(recordOf(json.scripts)).filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string';
  });
  const wants = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.keys(recordOf(json[kind])),
  );
  return { scripts: Object.fromEntries(scripts), wants: new Set(wants), hasJestSettings: json.jest !== undefined };
}
