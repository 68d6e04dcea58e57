import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { packagePath } from '../../config/paths.js';
import { Programs, type ProgramTools } from '../../src/adapters/devtools/programs.js';
import { Toolchains } from '../../src/adapters/devtools/toolchains.js';
import { silentReporter } from '../../src/adapters/supply/reporter.js';
import type { Sandbox, ToolLimits, ToolOutput, ToolParams, ToolResults } from '../../src/contracts/devtools.js';
import { realSandbox, testCache } from '../support/sandbox.js';

const LIMITS: ToolLimits = {
  fileBytes: 1_000_000,
  outputBytes: 200_000,
  timeoutMs: 120_000,
  memoryBytes: 1_500_000_000,
  processes: 200,
  scratchBytes: 200_000_000,
};

type Name = keyof ProgramTools;

describe('tools that run programs, in the real sandbox', () => {
  let folder: string;
  let workspace: string;
  let sandbox: Sandbox;
  let programs: Programs;

  beforeAll(async () => {
    sandbox = await realSandbox();
    programs = new Programs(sandbox, new Toolchains(), { cache: testCache(), reporter: silentReporter });
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-programs-'));
    workspace = join(folder, 'workspace');
    await mkdir(workspace);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(workspace, name)), { recursive: true });
      await writeFile(join(workspace, name), content);
    }
  }

  const use = <Tool extends Name>(
    tool: Tool,
    params: ToolParams[Tool],
    at: { folder?: string; signal?: AbortSignal; onOutput?: (output: ToolOutput) => void; limits?: ToolLimits } = {},
  ): Promise<ToolResults[Tool]> => {
    const signal = at.signal ?? new AbortController().signal;
    const program = programs[tool] as ProgramTools[Tool];
    return program({ workspace, folder: at.folder ?? '.' }, params, at.limits ?? LIMITS, signal, at.onOutput);
  };

  describe('fs_search', () => {
    it('should find texts in hidden and ignored files, and in none of git or beyond links', async () => {
      await writeFile(join(folder, 'outside.txt'), 'needle outside');
      await write({ 'a/b.txt': 'one\nneedle\n', '.hidden': 'needle', '.gitignore': 'c.txt', 'c.txt': 'a Needle' });
      await write({ '.git/config': 'needle', 'binary.bin': 'needle\0needle', '-e': 'needle' });
      await symlink(join(folder, 'outside.txt'), join(workspace, 'link.txt'));
      await symlink(folder, join(workspace, 'link'));
      const { matches, truncated } = await use('fs_search', { pattern: 'needle' });
      expect(matches.map(({ path }) => path)).toEqual(['-e', '.hidden', 'a/b.txt', 'c.txt']);
      expect(matches[2]).toEqual({ path: 'a/b.txt', line: 2, column: 1, text: 'needle' });
      expect(truncated).toBe(false);
    });

    it('should look for expressions in a folder, with neighbours and by a glob', async () => {
      await write({ 'src/a.ts': 'x\nfoo1\ny\n', 'src/b.js': 'foo2', 'other/c.ts': 'foo3' });
      const params = { pattern: 'foo\\d', regex: true, context: 1, glob: '*.ts' };
      const { matches } = await use('fs_search', params, { folder: 'src' });
      expect(matches).toEqual([{ path: 'src/a.ts', line: 2, column: 1, text: 'foo1', before: ['x'], after: ['y'] }]);
    });

    it('should take a pattern for a pattern, whatever it looks like', async () => {
      await write({ a: '--pre=touch /tmp/x $(id) `id` .*' });
      for (const pattern of ['--pre=touch', '$(id)', '`id`', '.*']) {
        expect((await use('fs_search', { pattern })).matches).toHaveLength(1);
      }
      await expect(use('fs_search', { pattern: '(', regex: true })).rejects.toMatchObject({
        code: 'TOOL_FAILED',
        message: expect.stringContaining('unclosed group'),
      });
    });

    it('should stop at the limit', async () => {
      await write({ a: 'needle\n'.repeat(100_000) });
      const { matches, truncated } = await use('fs_search', { pattern: 'needle', limit: 3 });
      expect([matches.length, truncated]).toEqual([3, true]);
    });
  });

  describe('git', () => {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', ...args], {
        cwd: workspace,
        encoding: 'utf8',
        env: { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
      });

    beforeEach(() => {
      git('init', '-q', '-b', 'main');
    });

    it('should tell state, differences and commits', async () => {
      expect(await use('git_log', {})).toEqual({ commits: [], truncated: false });
      expect(await use('git_status', {})).toMatchObject({ branch: 'main', head: null, clean: true });
      await write({ 'a.txt': 'one\n', 'sub/b c.txt': 'two\n' });
      git('add', '.');
      git('commit', '-qm', 'First\n\nWhy');
      await write({ 'a.txt': 'one\nmore\n', 'new.txt': '' });
      git('mv', 'sub/b c.txt', 'sub/d.txt');
      const head = git('rev-parse', 'HEAD').trim();
      expect(await use('git_status', {})).toEqual({
        ...{ branch: 'main', head, clean: false, truncated: false },
        entries: [
          { path: 'a.txt', index: '.', worktree: 'M' },
          { path: 'sub/d.txt', index: 'R', worktree: '.', renamed_from: 'sub/b c.txt' },
          { path: 'new.txt', index: '?', worktree: '?' },
        ],
      });
      const { diff, files } = await use('git_diff', {});
      expect(files).toEqual([{ path: 'a.txt', added: 1, removed: 0 }]);
      expect(diff).toContain('+++ b/a.txt\n@@ -1 +1,2 @@\n one\n+more\n');
      expect((await use('git_diff', { staged: true })).files).toEqual([{ path: 'sub/d.txt', added: 0, removed: 0 }]);
      expect((await use('git_status', {}, { folder: 'sub' })).entries).toHaveLength(1);
      expect((await use('git_log', {})).commits).toMatchObject([
        { hash: head, author: 'Ann <ann@example.org>', subject: 'First', body: 'Why' },
      ]);
    });

    it('should compare commits, and refuse what is none', async () => {
      for (const text of ['one', 'two']) {
        await write({ 'a.txt': text });
        git('add', '.');
        git('commit', '-qm', text);
      }
      expect((await use('git_diff', { from: 'HEAD~1', to: 'HEAD' })).files).toHaveLength(1);
      expect(await use('git_log', { from: 'main', limit: 1 })).toMatchObject({ commits: [{}], truncated: true });
      for (const from of ['nowhere', '--output=x', '-p']) {
        await expect(use('git_diff', { from })).rejects.toMatchObject({ code: 'TOOL_FAILED' });
        await expect(use('git_log', { from })).rejects.toMatchObject({ code: 'TOOL_FAILED' });
      }
    });

    it('should run none of the programs that a repository names', async () => {
      // What a program writes to files is thrown away: so it prints.
      const canary = '#!/bin/sh\necho CANARY >&2\necho CANARY\nexit 1\n';
      await write({ 'evil.sh': canary, 'a.txt': 'one\n', '.gitattributes': '*.txt diff=evil filter=evil\n' });
      await chmod(join(workspace, 'evil.sh'), 0o755);
      git('add', '.');
      git('commit', '-qm', 'First');
      const evil = './evil.sh';
      for (const key of [
        ...['core.fsmonitor', 'core.pager', 'core.editor', 'core.sshCommand', 'diff.external', 'gpg.program'],
        ...['diff.evil.textconv', 'diff.evil.command', 'filter.evil.clean', 'filter.evil.process'],
        ...['pager.log', 'pager.diff', 'pager.status', 'interactive.diffFilter', 'credential.helper'],
      ]) {
        git('config', key, evil);
      }
      for (const name of ['status', 'diff', 'log', 'rev-parse']) git('config', `alias.${name}`, `!${evil}`);
      git('config', 'log.showSignature', 'true');
      git('config', 'filter.evil.required', 'true');
      await mkdir(join(workspace, '.git', 'hooks'), { recursive: true });
      for (const hook of ['post-index-change', 'fsmonitor-watchman', 'reference-transaction', 'query-watchman']) {
        await cp(join(workspace, 'evil.sh'), join(workspace, '.git', 'hooks', hook));
      }
      await write({ 'a.txt': 'one\ntwo\n' });
      const printed: string[] = [];
      const listening: Sandbox = {
        kind: sandbox.kind,
        run: async (...call) => {
          const end = await sandbox.run(...call);
          printed.push(end.output);
          return end;
        },
      };
      const heard = new Programs(listening, new Toolchains(), { cache: testCache(), reporter: silentReporter });
      const [place, { signal }] = [{ workspace, folder: '.' }, new AbortController()];
      const seen: unknown[] = [
        await heard.git_status(place, {}, LIMITS, signal),
        await heard.git_diff(place, {}, LIMITS, signal),
        await heard.git_diff(place, { from: 'HEAD' }, LIMITS, signal),
        await heard.git_log(place, {}, LIMITS, signal),
      ];
      expect(JSON.stringify(seen)).not.toContain('CANARY');
      expect(printed.length).toBeGreaterThan(7);
      expect(printed.join('\n')).not.toContain('CANARY');
      expect(seen).toMatchObject([{ entries: [{ path: 'a.txt' }] }, { files: [{ added: 1 }] }, {}, { commits: [{}] }]);
    });

    it('should see that the canary sings where it is let', async () => {
      await write({ 'evil.sh': '#!/bin/sh\necho CANARY >&2\n', 'a.txt': 'one\n' });
      await chmod(join(workspace, 'evil.sh'), 0o755);
      git('config', 'core.fsmonitor', './evil.sh');
      const argv = ['git', '-c', 'safe.directory=*', 'status'];
      const end = await sandbox.run({ argv, workspace, folder: '.', limits: LIMITS }, new AbortController().signal);
      expect(end.output).toContain('CANARY');
    });

    it('should know no repository outside the workspace', async () => {
      await write({ 'plain/a.txt': 'x' });
      await rm(join(workspace, '.git'), { recursive: true });
      execFileSync('git', ['init', '-q', folder]);
      await expect(use('git_status', {}, { folder: 'plain' })).rejects.toMatchObject({ code: 'NOT_A_REPOSITORY' });
      await write({ '.git': `gitdir: ${join(folder, '.git')}\n` });
      await expect(use('git_status', {})).rejects.toMatchObject({ code: 'NOT_A_REPOSITORY' });
      await rm(join(workspace, '.git'));
      await symlink(join(folder, '.git'), join(workspace, '.git'));
      await expect(use('git_log', {})).rejects.toMatchObject({ code: 'NOT_A_REPOSITORY' });
    });
  });

  describe('run_tests', () => {
    const NODE_PROJECT = {
      'app/package.json': '{"type":"module","scripts":{"test":"node --test"}}',
      'app/a.test.js': `
        import assert from 'node:assert/strict';
        import { writeFileSync } from 'node:fs';
        import test from 'node:test';
        test('passes', () => writeFileSync('written.txt', 'x'));
        test('fails', () => assert.equal(1, 2));
        test('sees no network', () => assert.rejects(fetch('http://192.0.2.1')));
      `,
    };

    it('should run the tests of Node, and leave the workspace as it was', async () => {
      await write(NODE_PROJECT);
      const told: string[] = [];
      const result = await use('run_tests', {}, { folder: 'app', onOutput: ({ text }) => told.push(text) });
      expect(result).toMatchObject({ framework: 'node', passed: 2, failed: 1, exit_code: 1, ended_by: 'exit' });
      expect(result.tests[0]).toMatchObject({ name: 'fails', file: 'app/a.test.js', status: 'failed' });
      expect(told.join('')).toContain('sees no network');
      expect(existsSync(join(workspace, 'app', 'written.txt'))).toBe(false);
    });

    it('should run those that a filter names', async () => {
      await write(NODE_PROJECT);
      expect(await use('run_tests', { filter: 'passes' }, { folder: 'app' })).toMatchObject({ passed: 1, failed: 0 });
    });

    it('should stop tests that do not end, in time or when it is asked to', async () => {
      const forever = "import test from 'node:test'; test('x', () => new Promise(() => setInterval(() => 0, 1000)));";
      await write({ 'package.json': '{"type":"module"}', 'a.test.js': `console.log('begun'); ${forever}` });
      expect(await use('run_tests', { timeout_s: 2 })).toMatchObject({ ended_by: 'timeout', exit_code: null });
      const gone = new AbortController();
      const result = use('run_tests', {}, { signal: gone.signal, onOutput: () => gone.abort() });
      expect(await result).toMatchObject({ ended_by: 'cancelled' });
    });

    it('should run jest, out of the node_modules of the project', async () => {
      await write({
        'package.json': '{"devDependencies":{"jest":"*"}}',
        'sub/a.test.js': "it('passes', () => expect(1).toBe(1)); it('fails', () => expect(1).toBe(2));",
        'sub/b.test.js': "require('./nowhere');",
      });
      await copyPackages(join(workspace, 'node_modules'));
      const result = await use('run_tests', {});
      expect(result).toMatchObject({ framework: 'jest', passed: 1, failed: 2, ended_by: 'exit' });
      expect(result.tests.map(({ file }) => file).toSorted()).toEqual([
        ...['sub/a.test.js', 'sub/a.test.js', 'sub/b.test.js'],
      ]);
    });

    it('should run pytest, with ours where Python has none', async () => {
      await write({ 'tests/test_a.py': 'def test_fine():\n    pass\n\ndef test_bad():\n    assert 1 == 2\n' });
      class WithoutPytest extends Toolchains {
        override python = async (): ReturnType<Toolchains['python']> => ({
          ...(await super.python()),
          hasPytest: false,
        });
      }
      const options = { cache: testCache(), reporter: silentReporter };
      const ours = new Programs(sandbox, new WithoutPytest(), options);
      const { signal } = new AbortController();
      const result = await ours.run_tests({ workspace, folder: '.' }, {}, LIMITS, signal);
      expect(result).toMatchObject({ framework: 'pytest', passed: 1, failed: 1, exit_code: 1 });
      expect(result.tests[0]).toMatchObject({ name: 'tests.test_a test_bad', file: 'tests/test_a.py' });
    });

    it('should say that there are no tests, and that jest is missing', async () => {
      await write({ 'README.md': 'x' });
      await expect(use('run_tests', {})).rejects.toMatchObject({ code: 'TOOL_FAILED' });
      await expect(use('run_tests', { framework: 'jest' })).rejects.toMatchObject({ code: 'TOOL_MISSING' });
    });

    it('should look beyond no link', async () => {
      await writeFile(join(folder, 'package.json'), '{"scripts":{"test":"node --test"}}');
      await symlink(join(folder, 'package.json'), join(workspace, 'package.json'));
      await expect(use('run_tests', {})).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    });
  });

  describe('notebook_execute', () => {
    const notebook = (...sources: string[]): Record<string, unknown> => ({
      ...{ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec: { name: 'elsewhere', display_name: 'x' } } },
      cells: sources.map((source, at) => ({ cell_type: 'code', id: `c${at}`, metadata: {}, source, outputs: [] })),
    });

    it('should execute a notebook of the workspace beside its files, and leave it as it was', async () => {
      const cells = ['print(open("data.txt").read())', '40 + 2', '1 / 0', 'open("new.txt", "w").write("x")'];
      const text = JSON.stringify(notebook(...cells));
      await write({ 'nb/a.ipynb': text, 'nb/data.txt': 'hello' });
      const result = await use('notebook_execute', { path: 'nb/a.ipynb' }, { folder: 'nb' });
      expect(result).toMatchObject({ ended_by: 'exit' });
      expect(result.cells.map(({ outputs }) => outputs[0]?.text.split('\n').at(-1))).toEqual([
        ...['', '42', 'ZeroDivisionError: division by zero', '1'],
      ]);
      expect(result.cells[0]?.outputs[0]).toEqual({ type: 'stream', text: 'hello\n' });
      expect(await readFile(join(workspace, 'nb/a.ipynb'), 'utf8')).toBe(text);
      expect(existsSync(join(workspace, 'nb/new.txt'))).toBe(false);
    });

    it('should give what the cells gave before the time was over', async () => {
      const result = await use('notebook_execute', {
        notebook: notebook('print("first")', 'import time; time.sleep(600)'),
        timeout_s: 10,
      });
      expect(result).toMatchObject({
        ended_by: 'timeout',
        cells: [{ outputs: [{ text: 'first\n' }] }, { outputs: [] }],
      });
    });

    it('should read no notebook beyond a link, and none that is none', async () => {
      await writeFile(join(folder, 'a.ipynb'), JSON.stringify(notebook('1')));
      await symlink(join(folder, 'a.ipynb'), join(workspace, 'a.ipynb'));
      await write({ 'b.ipynb': 'rubbish', 'real.ipynb': JSON.stringify(notebook('1')) });
      await symlink('real.ipynb', join(workspace, 'c.ipynb'));
      for (const path of ['a.ipynb', 'b.ipynb', 'c.ipynb', 'nowhere.ipynb', '.']) {
        await expect(use('notebook_execute', { path })).rejects.toMatchObject({ code: 'TOOL_FAILED' });
      }
    });
  });

  /** The packages of this repository that jest is made of: links to the same content, for a copy is dear. */
  async function copyPackages(target: string): Promise<void> {
    execFileSync('cp', ['-al', packagePath('node_modules'), target]);
  }
});
