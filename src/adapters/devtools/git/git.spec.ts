import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeSandbox, LIMITS } from '../../../../test/fakes/fake-sandbox.js';
import type { ToolRun } from '../tool-run.js';
import { gitDiff, gitLog, gitStatus } from './git.js';

const runAt = (folder: string, signal = new AbortController().signal): ToolRun => ({
  place: { workspace: '/host/dao', folder },
  limits: LIMITS,
  signal,
});

/** What the look at a repository prints. */
const look = (here: string, top: string, gitDir = `${top}/.git`, filters: string[] = []): { stdout: string } => ({
  stdout: `${here}\n\0${[top, gitDir, gitDir].join('\n')}\n\0${filters.map((key) => `${key}\0`).join('')}`,
});
const settingsOf = (env: Readonly<Record<string, string>> = {}): Record<string, string | undefined> =>
  Object.fromEntries(
    Array.from({ length: Number(env.GIT_CONFIG_COUNT) }, (_, at) => [
      env[`GIT_CONFIG_KEY_${at}`] ?? '',
      env[`GIT_CONFIG_VALUE_${at}`],
    ]),
  );

describe('git', () => {
  let sandbox: FakeSandbox;

  beforeEach(() => {
    sandbox = new FakeSandbox();
  });

  it('should leave no program of the settings to run', async () => {
    sandbox.next(
      look('/workspace', '/workspace', '/workspace/.git', ['filter.odd.name.clean', 'filter.odd.name.process']),
    );
    await gitStatus(sandbox.next({ stdout: '# branch.head main\0' }), runAt('.'));
    const [, status] = sandbox.commands;
    expect(settingsOf(status?.env)).toMatchObject({
      'core.fsmonitor': 'false',
      'core.hooksPath': '/dev/null',
      'diff.external': '',
      'filter.odd.name.clean': '',
      'filter.odd.name.process': '',
      'filter.odd.name.required': 'false',
    });
    expect(status?.env).toMatchObject({ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' });
  });

  it('should look at a folder of a repository alone, and tell paths from the workspace', async () => {
    sandbox.next(look('/workspace/app/src', '/workspace/app')).next({ stdout: '? src/a\0' });
    const { entries } = await gitStatus(sandbox, runAt('app/src'));
    expect(entries).toEqual([{ path: 'app/src/a', index: '?', worktree: '?' }]);
    expect(sandbox.commands[1]?.argv.slice(-2)).toEqual(['--', '.']);
  });

  it.each([
    ['whose top lies outside', look('/workspace', '/')],
    ['whose folder of git lies outside', look('/workspace', '/workspace', '/tmp/elsewhere')],
    ['that seems to be ours by its name', look('/workspace', '/workspace', '/workspace-of-another/.git')],
    ['that there is none of', { code: 3, stdout: '/workspace\n\0', output: 'fatal: not a git repository' }],
  ])('should refuse a repository %s', async (_, end) => {
    await expect(gitStatus(sandbox.next(end), runAt('.'))).rejects.toMatchObject({ code: 'NOT_A_REPOSITORY' });
  });

  it('should say that git is missing', async () => {
    const end = { code: 3, stdout: '/workspace\n\0', output: 'sh: 3: git: not found' };
    await expect(gitStatus(sandbox.next(end), runAt('.'))).rejects.toMatchObject({ code: 'TOOL_MISSING' });
  });

  it.each(['-O/etc/passwd', '--output=x', 'a..b', 'HEAD:secret', 'a b', 'x\0', '', '*', 'x'.repeat(300)])(
    'should not take %j for a commit',
    async (ref) => {
      await expect(gitDiff(sandbox, { from: ref }, runAt('.'))).rejects.toMatchObject({ code: 'TOOL_FAILED' });
      await expect(gitLog(sandbox, { from: ref }, runAt('.'))).rejects.toMatchObject({ code: 'TOOL_FAILED' });
      expect(sandbox.commands).toEqual([]);
    },
  );

  it('should compare two commits, and write paths as the workspace has them', async () => {
    sandbox.next(look('/workspace/app', '/workspace/app')).next({ stdout: '1\t0\ta\0\0diff --git a/app/a b/app/a\n' });
    const result = await gitDiff(sandbox, { from: 'main~2', to: 'v1.0', context: 500 }, runAt('app'));
    expect(result).toEqual({
      diff: 'diff --git a/app/a b/app/a\n',
      files: [{ path: 'app/a', added: 1, removed: 0 }],
      truncated: false,
    });
    const argv = sandbox.commands[1]?.argv ?? [];
    expect(argv).toEqual(
      expect.arrayContaining(['--src-prefix=a/app/', '--no-ext-diff', '--no-textconv', '--unified=100']),
    );
    expect(argv.slice(argv.indexOf('--end-of-options'))).toEqual(['--end-of-options', 'main~2', 'v1.0', '--']);
  });

  it.each([{ to: 'main' }, { from: 'main', to: 'v1', staged: true }])('should refuse %j', async (params) => {
    await expect(gitDiff(sandbox, params, runAt('.'))).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  });

  it('should cut a long diff', async () => {
    sandbox.next(look('/workspace', '/workspace')).next({ stdout: `1\t0\ta\0\0${'é'.repeat(LIMITS.outputBytes)}` });
    const { diff, truncated } = await gitDiff(sandbox, {}, runAt('.'));
    expect(truncated).toBe(true);
    expect(diff).toBe('é'.repeat(LIMITS.outputBytes / 2));
  });

  it('should give no commits where there are none', async () => {
    sandbox.next(look('/workspace', '/workspace')).next({ code: 1 });
    expect(await gitLog(sandbox, {}, runAt('.'))).toEqual({ commits: [], truncated: false });
  });

  it('should say that there are more commits', async () => {
    const commit = ['a', 'b', 'c', 'd', ''].map((field) => `${field}\0`).join('');
    sandbox
      .next(look('/workspace', '/workspace'))
      .next({})
      .next({ stdout: commit.repeat(3) });
    expect(await gitLog(sandbox, { limit: 2 }, runAt('.'))).toMatchObject({ commits: [{}, {}], truncated: true });
  });

  it("should tell git's own complaint", async () => {
    const output = "hint: x\nfatal: bad revision 'nowhere'\n";
    sandbox.next(look('/workspace', '/workspace')).next({ code: 128, output });
    await expect(gitLog(sandbox, { from: 'nowhere' }, runAt('.'))).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: "git could not do that: bad revision 'nowhere'.",
    });
  });

  it('should say that git was stopped, and not take that for an answer', async () => {
    sandbox.next(look('/workspace', '/workspace')).next({ endedBy: 'timeout', code: null });
    await expect(gitStatus(sandbox, runAt('.'))).rejects.toMatchObject({ code: 'TOOL_TIMEOUT' });
    sandbox.next(look('/workspace', '/workspace')).next({ endedBy: 'memory', code: null });
    await expect(gitStatus(sandbox, runAt('.'))).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  });

  it('should end with the reason of a caller who went away', async () => {
    const gone = new AbortController();
    sandbox.next(() => {
      gone.abort(new Error('gone'));
      return { endedBy: 'cancelled', code: null };
    });
    await expect(gitStatus(sandbox, runAt('.', gone.signal))).rejects.toThrow('gone');
  });
});
