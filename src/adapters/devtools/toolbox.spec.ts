import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LIMITS } from '../../../test/fakes/fake-sandbox.js';
import { strict } from '../../../test/factories/strict.js';
import type { RunTestsResult, ToolCaller, ToolRequest, ToolResult } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { Workspaces } from '../workspace/workspaces.js';
import type { Programs } from './programs.js';
import { Toolbox } from './toolbox.js';

const TESTS: RunTestsResult = {
  ...{ framework: 'node', passed: 1, failed: 0, skipped: 0, ms: 5, tests: [], truncated: false },
  ...{ exit_code: 0, ended_by: 'exit', output: '' },
};

describe('Toolbox', () => {
  let home: string;
  let stop: AbortController;
  let limits: typeof LIMITS;
  /** Programs that began, by their places. */
  let begun: string[];

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'dagi-test-toolbox-'));
    [stop, limits, begun] = [new AbortController(), LIMITS, []];
  });
  afterEach(() => {
    rmSync(home, { recursive: true, force: true });
  });

  const open = (programs: Partial<Programs> | AppError = {}, atOnce = 1): Toolbox =>
    new Toolbox({
      workspaces: new Workspaces(home),
      programs: () =>
        programs instanceof AppError
          ? Promise.reject(programs)
          : Promise.resolve(strict<Programs>('programs', programs)),
      limits: () => limits,
      atOnce,
    });

  const caller = (part: Partial<ToolCaller> = {}): ToolCaller => ({
    ...{ signal: stop.signal, onOutput: () => undefined, journal: null },
    ...{ plan: () => Promise.resolve(), mayWrite: () => Promise.resolve(), ...part },
  });
  const ask = (toolbox: Toolbox, request: ToolRequest, dao = 'one'): Promise<ToolResult> =>
    toolbox.run(dao, request, caller());

  it('works for each DAO in a folder of its own, under the same names', async () => {
    const toolbox = open();
    for (const dao of ['one', 'two']) {
      const params = { path: 'notes.txt', content: `of ${dao}` };
      expect(await ask(toolbox, { tool: 'fs_write', params }, dao)).toMatchObject({ created: true });
    }
    for (const dao of ['one', 'two']) {
      expect(readFileSync(join(home, dao, 'notes.txt'), 'utf8')).toBe(`of ${dao}`);
      const read = await ask(toolbox, { tool: 'fs_read', params: { path: 'notes.txt' } }, dao);
      expect(read).toMatchObject({ content: `of ${dao}` });
      const list = await ask(toolbox, { tool: 'fs_list', params: {} }, dao);
      expect(list).toMatchObject({ entries: [{ path: 'notes.txt' }] });
    }
    const out: ToolRequest = { tool: 'fs_read', params: { path: '../two/notes.txt' } };
    await expect(ask(toolbox, out)).rejects.toMatchObject({ code: 'PATH_DENIED' });
  });

  it('looks at the limits at each call', async () => {
    const toolbox = open();
    const write: ToolRequest = { tool: 'fs_write', params: { path: 'a.txt', content: 'x'.repeat(100) } };
    await ask(toolbox, write);
    limits = { ...LIMITS, fileBytes: 10 };
    await expect(ask(toolbox, write)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });

  it.each<ToolRequest>([
    { tool: 'fs_search', params: { pattern: 'x', path: 'src' } },
    { tool: 'git_status', params: { path: 'src' } },
    { tool: 'git_diff', params: { path: 'src' } },
    { tool: 'git_log', params: { path: 'src' } },
    { tool: 'run_tests', params: { path: 'src' } },
  ])('has $tool run in the folder that is asked for', async (request) => {
    mkdirSync(join(home, 'one', 'src'), { recursive: true });
    const seen: unknown[] = [];
    const program = (place: unknown, params: unknown): Promise<never> => {
      seen.push([place, params]);
      return Promise.resolve({ matches: [] } as never);
    };
    await ask(open({ [request.tool]: program }), request);
    expect(seen).toEqual([[{ workspace: join(home, 'one'), folder: 'src' }, request.params]]);
  });

  it.each([
    ['..', 'PATH_DENIED'],
    ['/etc', 'PATH_DENIED'],
    ['nowhere', 'FILE_NOT_FOUND'],
    ['a.txt', 'NOT_A_FOLDER'],
  ])('starts no program in %j', async (path, code) => {
    const toolbox = open({ run_tests: () => Promise.resolve(TESTS) });
    await ask(toolbox, { tool: 'fs_write', params: { path: 'a.txt', content: '' } });
    await expect(ask(toolbox, { tool: 'run_tests', params: { path } })).rejects.toMatchObject({ code });
  });

  it('goes on with files where no programs run', async () => {
    const toolbox = open(new AppError('SANDBOX_UNAVAILABLE'));
    await expect(ask(toolbox, { tool: 'git_log', params: {} })).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' });
    expect(await ask(toolbox, { tool: 'fs_list', params: {} })).toMatchObject({ entries: [] });
  });

  it('takes half a result for none where the caller went away', async () => {
    const run_tests = (): Promise<RunTestsResult> => {
      stop.abort(new Error('gone'));
      return Promise.resolve({ ...TESTS, ended_by: 'cancelled' });
    };
    await expect(ask(open({ run_tests }), { tool: 'run_tests', params: {} })).rejects.toThrow('gone');
  });

  it('begins nothing for a caller who is gone', async () => {
    stop.abort(new Error('gone'));
    await expect(ask(open(), { tool: 'fs_write', params: { path: 'a', content: '' } })).rejects.toThrow('gone');
    expect(() => readFileSync(join(home, 'one', 'a'))).toThrow('ENOENT');
  });

  it('lets a search pass by tests that wait for one another', async () => {
    const ends: (() => void)[] = [];
    const run_tests: Programs['run_tests'] = (_place, { filter }) => {
      begun.push(filter ?? '');
      return new Promise((resolve) => ends.push(() => resolve(TESTS)));
    };
    const fs_search = () => Promise.resolve({ matches: [], truncated: false });
    const toolbox = open({ run_tests, fs_search });
    const first = ask(toolbox, { tool: 'run_tests', params: { filter: 'first' } });
    while (ends.length < 1) await new Promise((resolve) => setImmediate(resolve));
    const second = ask(toolbox, { tool: 'run_tests', params: { filter: 'second' } });
    const search = ask(toolbox, { tool: 'fs_search', params: { pattern: 'x' } });
    expect(await search).toMatchObject({ matches: [] });
    expect(begun).toEqual(['first']);
    ends[0]?.();
    await first;
    while (ends.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual(['first', 'second']);
    ends[1]?.();
    expect(await second).toEqual(TESTS);
  });

  it('hands on what a program prints', async () => {
    const heard: string[] = [];
    const run_tests: Programs['run_tests'] = (_place, _params, _limits, _signal, onOutput) => {
      onOutput?.({ stream: 'stdout', text: 'ok 1' });
      return Promise.resolve(TESTS);
    };
    writeFileSync(join(home, 'unrelated.txt'), '');
    const onOutput: ToolCaller['onOutput'] = ({ text }) => heard.push(text);
    await open({ run_tests }).run('one', { tool: 'run_tests', params: {} }, caller({ onOutput }));
    expect(heard).toEqual(['ok 1']);
  });
});
