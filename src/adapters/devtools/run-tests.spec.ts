import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeSandbox, LIMITS } from '../../../test/fakes/fake-sandbox.js';
import { packagePath } from '../../../config/paths.js';
import type { RunTestsParams, RunTestsResult, SandboxEnd, ToolOutput } from '../../contracts/devtools.js';
import { silentReporter } from '../supply/reporter.js';
import { GoCache } from './go-cache.js';
import { PythonKit } from './python-kit.js';
import { runTests } from './run-tests.js';
import { Toolchains } from './toolchains.js';

const recorded = (name: string): string => readFileSync(packagePath('test', 'fixtures', 'devtools', name), 'utf8');

/** What the look at a folder prints. */
interface Folder {
  names?: string[];
  packageJson?: unknown;
  pyproject?: string;
  ini?: string;
  nodeTest?: string;
  pythonTest?: string;
  jest?: string;
  vitest?: string;
}
const look = (folder: Folder): Partial<SandboxEnd> => ({
  stdout: [
    `${(folder.names ?? []).join('\n')}\n`,
    folder.packageJson === undefined ? '' : JSON.stringify(folder.packageJson),
    ...[folder.pyproject, folder.ini, folder.nodeTest, folder.pythonTest, folder.jest, folder.vitest],
    '',
  ].join('\0'),
});
const JEST: Folder = { packageJson: { devDependencies: { jest: '30' } }, jest: '../node_modules/jest/bin/jest.js' };
const NODE: Folder = { packageJson: { scripts: { test: 'node --test' } } };

describe('runTests', () => {
  let sandbox: FakeSandbox;

  beforeEach(() => {
    sandbox = new FakeSandbox();
  });

  const python = JSON.stringify(['/usr/bin/python3', '/usr', '/usr', '3.12.1', true]);
  const toolchains = new Toolchains(async (program) => (program === 'python3' ? python : '/usr/lib/go\ngo1.26'));
  const pytestKit = new PythonKit({
    name: 'none',
    title: 'none',
    requirements: 'pytest-requirements.txt',
    cache: '/nowhere',
    reporter: silentReporter,
  });
  const goCache = new GoCache({ cache: '/dev/null/nowhere', reporter: silentReporter });
  const run = (params: RunTestsParams = {}, onOutput?: (output: ToolOutput) => void): Promise<RunTestsResult> => {
    const place = { workspace: '/host', folder: 'app' };
    const signal = new AbortController().signal;
    return runTests(sandbox, { toolchains, pytestKit, goCache }, params, { place, limits: LIMITS, signal, onOutput });
  };
  const argvOf = async (folder: Folder, params: RunTestsParams = {}): Promise<string> => {
    sandbox.next(look(folder)).next({});
    await run(params);
    return sandbox.commands.at(-1)?.argv.join(' ') ?? '';
  };

  it.each<[string, Folder, string]>([
    ['jest by its dependency', JEST, 'node ../node_modules/jest/bin/jest.js --json'],
    ['jest by its settings', { ...JEST, packageJson: {}, names: ['jest.config.mjs'] }, 'jest.js'],
    ['jest before others', { ...JEST, names: ['go.mod', 'conftest.py'] }, 'jest.js'],
    [
      'vitest',
      { packageJson: { scripts: { test: 'vitest' } }, vitest: 'node_modules/vitest/vitest.mjs' },
      'vitest.mjs run',
    ],
    ['node by its script', NODE, 'node --test'],
    ['node by its files', { packageJson: {}, nodeTest: './a.test.js' }, 'node --test'],
    ['node with a broken package.json', { packageJson: 'no object', nodeTest: './a.test.js' }, 'node --test'],
    ['pytest by pytest.ini', { names: ['pytest.ini'] }, '-m pytest'],
    ['pytest by pyproject.toml', { pyproject: '[tool.pytest.ini_options]' }, '-m pytest'],
    ['pytest by tox.ini', { ini: '[pytest]\n' }, '-m pytest'],
    ['pytest by its files', { pythonTest: './tests/test_a.py' }, '-m pytest'],
    ['go', { names: ['go.mod'] }, 'go test -json ./...'],
  ])('should recognise %s', async (_, folder, command) => {
    expect(await argvOf(folder)).toContain(command);
  });

  it('should run the framework that is named, though the files tell of another first', async () => {
    expect(await argvOf({ ...JEST, names: ['go.mod'] }, { framework: 'go' })).toContain('go test');
  });

  it('should say what was looked for', async () => {
    sandbox.next(look({ names: ['README.md'] }));
    await expect(run()).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringContaining('pytest.ini'),
    });
  });

  it('should say that jest is not installed in the workspace', async () => {
    sandbox.next(look({ packageJson: JEST.packageJson }));
    await expect(run()).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: expect.stringContaining('node_modules'),
    });
  });

  it.each<[string, Folder, string]>([
    ['jest', JEST, '--testNamePattern=-x; rm -rf /'],
    ['node', NODE, '--test-name-pattern=-x; rm -rf /'],
    ['pytest', { names: ['pytest.ini'] }, '-k-x; rm -rf /'],
    ['go', { names: ['go.mod'] }, '-run=-x; rm -rf /'],
  ])('should give a filter to %s as one argument', async (_, folder, argument) => {
    await argvOf(folder, { filter: '-x; rm -rf /' });
    expect(sandbox.commands.at(-1)?.argv).toContain(argument);
  });

  it('should pass on the flag for modules of ECMAScript', async () => {
    const packageJson = { scripts: { test: 'NODE_OPTIONS=--experimental-vm-modules jest' } };
    expect(await argvOf({ ...JEST, packageJson })).toMatch(/^node --experimental-vm-modules /);
  });

  it('should tell the failed tests first, with paths from the workspace', async () => {
    sandbox.next(look(NODE)).next({ code: 1, report: recorded('node.xml'), output: 'printed' });
    const result = await run();
    expect(result).toMatchObject({
      framework: 'node',
      ...{ passed: 2, failed: 2, skipped: 2, truncated: false, exit_code: 1, ended_by: 'exit', output: 'printed' },
    });
    expect(result.tests.map(({ status }) => status)).toEqual([
      ...['failed', 'failed', 'skipped', 'skipped', 'passed', 'passed'],
    ]);
    expect(result.tests[0]?.file).toBe('node/broken.test.js');
  });

  it('should tell the paths of a sandbox that is a copy elsewhere, too', async () => {
    const report = recorded('node.xml').replaceAll('/workspace/', '/tmp/dagi-run-12-abc/workspace/');
    sandbox.next(look(NODE)).next({ code: 1, report });
    expect((await run()).tests[0]?.file).toBe('node/broken.test.js');
  });

  it('should tell paths from the workspace, though a folder in it has the same name', async () => {
    const report = '<testcase name="a" file="/workspace/x/workspace/a.js"/><testcase name="/workspace/b.js"/>';
    sandbox.next(look(NODE)).next({ report });
    expect((await run()).tests).toEqual([
      { name: 'a', file: 'x/workspace/a.js', status: 'passed' },
      { name: 'b.js', file: 'b.js', status: 'passed' },
    ]);
  });

  it('should tell no more than 500 tests, and count all', async () => {
    const report = `<testsuite>${'<testcase name="a"/>'.repeat(700)}</testsuite>`;
    sandbox.next(look(NODE)).next({ report });
    const result = await run();
    expect(result).toMatchObject({ passed: 700, truncated: true });
    expect(result.tests).toHaveLength(500);
  });

  it('should count a run that broke before its tests as a failed one, and say why', async () => {
    sandbox.next(look(NODE)).next({ code: 1, output: 'SyntaxError: nonsense' });
    const { failed, tests } = await run();
    expect(failed).toBe(1);
    expect(tests[0]).toMatchObject({
      name: '(the run of node)',
      message: 'node ended with code 1.\nSyntaxError: nonsense',
    });
  });

  it('should count a run as failed that broke after tests that all passed', async () => {
    sandbox.next(look(NODE)).next({ code: 7, report: '<testsuite><testcase name="a"/></testsuite>' });
    expect(await run()).toMatchObject({ passed: 1, failed: 1 });
  });

  it('should not take it for a failure that pytest found no tests', async () => {
    sandbox.next(look({ names: ['pytest.ini'] })).next({ code: 5 });
    expect(await run()).toMatchObject({ passed: 0, failed: 0, exit_code: 5 });
  });

  it('should say by what a run was ended', async () => {
    sandbox.next(look(NODE)).next({ endedBy: 'memory', code: null });
    expect(await run()).toMatchObject({ failed: 0, exit_code: null, ended_by: 'memory' });
  });

  it('should end a run when it is asked to, and no later than it may', async () => {
    await argvOf(NODE, { timeout_s: 5 });
    expect(sandbox.commands.at(-1)?.limits.timeoutMs).toBe(5_000);
    await argvOf(NODE, { timeout_s: 5_000 });
    expect(sandbox.commands.at(-1)?.limits.timeoutMs).toBe(LIMITS.timeoutMs);
  });

  it('should tell what go prints as people read it', async () => {
    const stdout = recorded('go.jsonl');
    sandbox.next(look({ names: ['go.mod'] })).next({ code: 1, stdout });
    const told: string[] = [];
    const { output, failed } = await run({}, ({ text }) => told.push(text));
    expect(failed).toBe(3);
    for (const text of [output, told.join('')]) {
      expect(text).toContain('--- FAIL: TestFails');
      expect(text).not.toContain('"Action"');
    }
  });
});
