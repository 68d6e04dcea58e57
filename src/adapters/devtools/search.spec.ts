import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeSandbox, LIMITS } from '../../../test/fakes/fake-sandbox.js';
import type { SearchParams, SearchResult } from '../../contracts/devtools.js';
import { search } from './search.js';
import { Toolchains } from './toolchains.js';

const match = (number: number, path = './a'): string => {
  const data = { path: { text: path }, lines: { text: 'x\n' }, line_number: number, submatches: [{ start: 0 }] };
  return `${JSON.stringify({ type: 'match', data })}\n`;
};

describe('search', () => {
  let sandbox: FakeSandbox;

  beforeEach(() => {
    sandbox = new FakeSandbox();
  });

  const run = (params: SearchParams, signal = new AbortController().signal): Promise<SearchResult> =>
    search(sandbox, new Toolchains(), params, { place: { workspace: '/host', folder: 'src' }, limits: LIMITS, signal });

  it('should give the pattern to ripgrep as a pattern, whatever it looks like', async () => {
    sandbox.next({ code: 1 });
    expect(await run({ pattern: '--pre=/bin/sh', glob: '--x' })).toEqual({ matches: [], truncated: false });
    const argv = sandbox.commands[0]?.argv ?? [];
    expect(argv.slice(-3)).toEqual(['--', '--pre=/bin/sh', './']);
    expect(argv).toEqual(expect.arrayContaining(['--glob=--x', '--fixed-strings', '--smart-case', '--no-config']));
  });

  it('should show ripgrep its binary alone', async () => {
    sandbox.next({ code: 1 });
    await run({ pattern: 'x' });
    const [command] = sandbox.commands;
    expect(command?.mounts).toEqual([{ source: command?.argv[0], target: command?.argv[0] }]);
  });

  it('should look for what is asked', async () => {
    sandbox.next({ code: 1 }).next({ code: 1 });
    await run({ pattern: 'a+', regex: true, case_sensitive: true, context: 50 });
    await run({ pattern: 'a+', case_sensitive: false });
    const [one, other] = sandbox.commands.map(({ argv }) => argv);
    expect(one).toEqual(expect.arrayContaining(['--case-sensitive', '--context=10']));
    expect(one).not.toContain('--fixed-strings');
    expect(other).toContain('--ignore-case');
  });

  it('should stop ripgrep once it has found enough', async () => {
    let stopped = false;
    const tooMuch = { stdout: match(1) + match(2) + match(3), endedBy: 'cancelled', code: null } as const;
    sandbox.next(tooMuch).next((_, signal) => {
      signal.addEventListener('abort', () => (stopped = true));
      return tooMuch;
    });
    expect(await run({ pattern: 'x', limit: 2 })).toMatchObject({
      matches: [{ line: 1 }, { line: 2 }],
      truncated: true,
    });
    expect(stopped).toBe(true);
    const inOrder = sandbox.commands.map(({ argv }) => argv.includes('--sort=path'));
    expect(inOrder).toEqual([false, true]);
  });

  it('should put all that there is in the order of names, whichever file was read first', async () => {
    const found = ['./b.txt', './a.txt', './a/z', './a-'].map((path) => match(1, path)).join('');
    sandbox.next({ stdout: found });
    const { matches } = await run({ pattern: 'x' });
    expect(matches.map(({ path }) => path)).toEqual(['src/a/z', 'src/a-', 'src/a.txt', 'src/b.txt']);
    expect(sandbox.commands).toMatchObject([{ readOnly: true }]);
  });

  it('should give what was found where there was too much to print', async () => {
    const flood = { stdout: match(1), endedBy: 'output', code: null } as const;
    sandbox.next(flood).next(flood);
    expect(await run({ pattern: 'x' })).toMatchObject({ matches: [{ line: 1 }], truncated: true });
  });

  it("should tell ripgrep's own complaint of a pattern", async () => {
    sandbox.next({ code: 2, output: 'rg: regex parse error:\n    (?:()\n    ^\nerror: unclosed group\n' });
    await expect(run({ pattern: '(', regex: true })).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: 'The search is not possible: unclosed group.',
    });
  });

  it('should give what was found where a file could not be read', async () => {
    sandbox.next({ code: 2, stdout: match(1) });
    expect(await run({ pattern: 'x' })).toMatchObject({ matches: [{ line: 1 }], truncated: false });
  });

  it('should end with the reason of a caller who went away', async () => {
    sandbox.next({ endedBy: 'cancelled', code: null });
    await expect(run({ pattern: 'x' }, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });

  it('should say that there was no time left', async () => {
    sandbox.next({ endedBy: 'timeout', code: null });
    await expect(run({ pattern: 'x' })).rejects.toMatchObject({ code: 'TOOL_TIMEOUT' });
  });
});
