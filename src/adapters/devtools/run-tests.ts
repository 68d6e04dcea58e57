import { posix } from 'node:path';
import type {
  RunTestsParams,
  RunTestsResult,
  Sandbox,
  SandboxEnd,
  TestCase,
  TestFramework,
  ToolOutput,
} from '../../contracts/devtools.js';
import { TEST_COMMANDS } from './frameworks/commands.js';
import { detectFramework } from './frameworks/detect.js';
import { lookAtProject } from './frameworks/project.js';
import type { GoCache } from './go-cache.js';
import type { PythonKit } from './python-kit.js';
import { parseCargo } from './reports/cargo.js';
import { goText, parseGo } from './reports/go.js';
import { MOST_JSON, parseJest } from './reports/jest.js';
import { parseJunit } from './reports/junit.js';
import { testCase, withoutColours } from './reports/report.js';
import { below, commandOf, endOf, type ToolRun } from './tool-run.js';
import type { Toolchains } from './toolchains.js';

const MOST_TESTS = 500;
const RANK: Readonly<Record<TestCase['status'], number>> = { failed: 0, skipped: 1, passed: 2 };
/** Reports of this length were cut off by the sandbox, about. */
const MOST_REPORT = 15 * 1_024 * 1_024;
const MADE_OF_JSON: readonly TestFramework[] = ['jest', 'vitest'];
/** pytest has a code of its own for a run that met no test. */
const PYTEST_FOUND_NONE = 5;

/**
 * Runs the tests of a folder. That tests fail is a result, not an error; so is a run that was stopped.
 * @throws AppError `TOOL_FAILED` where no framework is recognised, `TOOL_MISSING` where it is not installed
 */
export async function runTests(
  sandbox: Sandbox,
  parts: { toolchains: Toolchains; pytestKit: PythonKit; goCache: GoCache },
  params: RunTestsParams,
  run: ToolRun,
): Promise<RunTestsResult> {
  const project = await lookAtProject(sandbox, run);
  const framework = params.framework ?? detectFramework(project);
  const command = await TEST_COMMANDS[framework]({ ...parts, project, filter: params.filter, signal: run.signal });
  const timeoutMs = params.timeout_s === undefined ? run.limits.timeoutMs : params.timeout_s * 1_000;
  const end = await sandbox.run(commandOf(run, { ...command, timeoutMs }), run.signal, readable(framework, run));
  return resultOf(framework, end, await testsOf(framework, end, run.place.folder), run);
}

/** What readers are told while it runs: go prints JSON, of which they get the texts. */
function readable(framework: TestFramework, { onOutput }: ToolRun): ((output: ToolOutput) => void) | undefined {
  if (framework !== 'go' || !onOutput) return onOutput;
  let rest = '';
  return ({ stream, text }) => {
    if (stream === 'stderr') {
      onOutput({ stream, text });
      return;
    }
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    const told = lines.map(goText).join('');
    if (told !== '') onOutput({ stream, text: told });
  };
}

function resultOf(framework: TestFramework, end: SandboxEnd, found: TestCase[], run: ToolRun): RunTestsResult {
  const output = endOf(framework === 'go' ? goOutput(end.output) : end.output, run.limits.outputBytes);
  const tests = withRunItself(framework, found, end, output);
  const count = (wanted: TestCase['status']): number => tests.filter(({ status }) => status === wanted).length;
  return {
    framework,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    ms: Math.round(end.ms),
    tests: tests.toSorted((one, other) => RANK[one.status] - RANK[other.status]).slice(0, MOST_TESTS),
    truncated: tests.length > MOST_TESTS || wasCut(framework, end),
    exit_code: end.code,
    ended_by: end.endedBy,
    output,
  };
}

async function testsOf(framework: TestFramework, end: SandboxEnd, folder: string): Promise<TestCase[]> {
  const fileOf = (path: string): string => workspacePath(path, folder);
  if (MADE_OF_JSON.includes(framework)) return parseJest(end.report, fileOf);
  if (framework === 'go') return parseGo(end.stdout);
  if (framework === 'cargo') return parseCargo(end.output).map((test) => withFile(test, fileOf));
  return parseJunit(end.report, fileOf);
}

/** Whether there may be more tests than were read. */
function wasCut(framework: TestFramework, { stdoutTruncated, report = '' }: SandboxEnd): boolean {
  if (framework === 'go' || framework === 'cargo') return stdoutTruncated;
  return report.length >= MOST_REPORT || (MADE_OF_JSON.includes(framework) && report.length > MOST_JSON);
}

const withFile = (test: TestCase, fileOf: (path: string) => string): TestCase =>
  test.file === undefined ? test : { ...test, file: fileOf(test.file) };

/** A path as a program told it, relative to the workspace: it knows the workspace under a name of the sandbox. */
function workspacePath(path: string, folder: string): string {
  if (!path.startsWith('/')) return path === '' ? '' : posix.normalize(below(folder, path));
  return path.replace(/^\/(?:.*?\/)??workspace\//, '');
}

/**
 * A run that ended badly though none of its tests failed: it broke before its tests, or after them. Nobody is to take
 * that for a success, so it counts as a failed test.
 */
function withRunItself(framework: TestFramework, tests: TestCase[], end: SandboxEnd, output: string): TestCase[] {
  const foundNone = framework === 'pytest' && end.code === PYTEST_FOUND_NONE;
  const fine = end.endedBy !== 'exit' || end.code === 0 || foundNone;
  if (fine || tests.some(({ status }) => status === 'failed')) return tests;
  const message = `${framework} ended with code ${end.code ?? 'unknown'}.\n${output}`;
  return [testCase({ name: `(the run of ${framework})`, status: 'failed', message }), ...tests];
}

const goOutput = (output: string): string => withoutColours(output.split('\n').map(goText).join(''));
