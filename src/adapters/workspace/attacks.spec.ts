import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FILE_LIMITS, FREELY, openTestWorkspace, type TestWorkspace } from '../../../test/support/workspace.js';

const system = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: 'ignore' });

/** Ways out of a workspace: nothing of outside is read, written, or told of. */
describe('attacks on a workspace', () => {
  let test: TestWorkspace;

  beforeEach(async () => {
    test = await openTestWorkspace();
    test.put('inside/file.txt', 'inside\n');
  });

  afterEach(() => {
    expect(readdirSync(test.outside)).toEqual(['secret.txt']);
    expect(readFileSync(join(test.outside, 'secret.txt'), 'utf8')).toBe('SECRET\n');
    expect(statSync(join(test.outside, 'secret.txt')).mode & 0o777).toBe(0o644);
    test.close();
  });

  /** Everything that can be done with a path, by name, and the code of the error that each ends with. */
  async function attempts(path: string): Promise<Record<string, string>> {
    const { workspace } = test;
    const patch = (head: string) =>
      workspace.patch({ patch: `${head}\n@@ -1 +1 @@\n-SECRET\n+x\n` }, FILE_LIMITS, FREELY);
    const all: Record<string, () => Promise<unknown>> = {
      read: () => workspace.read({ path }, FILE_LIMITS),
      write: () => workspace.write({ path, content: 'x' }, FILE_LIMITS, FREELY),
      create: () => workspace.write({ path, content: 'x', expected_hash: null }, FILE_LIMITS, FREELY),
      'write below': () => workspace.write({ path: `${path}/x`, content: 'x' }, FILE_LIMITS, FREELY),
      list: () => workspace.list({ path }),
      folder: () => workspace.requireFolder(path),
      diff: () => workspace.diff({ path, content: '' }, FILE_LIMITS),
      'diff with': () => workspace.diff({ path: 'inside/file.txt', other_path: path }, FILE_LIMITS),
      patch: () => patch(`--- ${path}\n+++ ${path}`),
    };
    const ends = Object.entries(all).map(async ([name, attempt]) => [name, await codeOf(attempt)] as const);
    return Object.fromEntries(await Promise.all(ends));
  }

  async function codeOf(attempt: () => Promise<unknown>): Promise<string> {
    try {
      return `succeeded: ${JSON.stringify(await attempt())}`;
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  }

  const only = (ends: Record<string, string>): string[] => [...new Set(Object.values(ends))];

  it.each(['..', '../outside', '../outside/secret.txt', 'inside/../../outside/secret.txt', '/etc/passwd', '//etc'])(
    'refuses %s as a text',
    async (path) => expect(only(await attempts(path))).toEqual(['PATH_DENIED']),
  );

  it('refuses the whole path to what is outside, and U+0000', async () => {
    expect(only(await attempts(join(test.outside, 'secret.txt')))).toEqual(['PATH_DENIED']);
    expect((await attempts('inside/file.txt\0.png')).read).toBe('PATH_DENIED');
  });

  it.each([
    '..%2foutside%2fsecret.txt',
    '%2e%2e/outside/secret.txt',
    '..\\outside\\secret.txt',
    '．．/outside/secret.txt',
  ])('takes %s for the names that they are', async (path) => {
    const { read, list, patch } = await attempts(path);
    expect([read, list, patch].filter((end) => end!.includes('SECRET'))).toEqual([]);
    expect(await codeOf(() => test.workspace.list({ path: 'nothing/'.repeat(3) + path }))).toBe('FILE_NOT_FOUND');
  });

  it.each([
    ['a file outside', () => join(test.outside, 'secret.txt')],
    ['a file outside, relatively', () => '../../outside/secret.txt'],
    ['a folder outside', () => test.outside],
    ['a file inside', () => 'inside/file.txt'],
    ['a folder inside', () => 'inside'],
    ['nothing', () => 'nowhere'],
    ['itself', () => 'evil'],
    ['the workspace', () => '.'],
    ['the environment of the process', () => '/proc/self/environ'],
    ['the root of the process', () => '/proc/self/root'],
    ['the working folder of the process', () => '/proc/self/cwd'],
    ['the handles of the process', () => '/proc/self/fd'],
    ['a device', () => '/dev/zero'],
  ])('follows no link to %s', async (_, target) => {
    symlinkSync(target(), test.at('evil'));
    expect(only(await attempts('evil'))).toEqual(['PATH_DENIED']);
    expect(only(await attempts('evil/secret.txt'))).toEqual(['PATH_DENIED']);
    symlinkSync(target(), test.at('inside/evil'));
    expect(only(await attempts('inside/evil/etc/passwd'))).toEqual(['PATH_DENIED']);
    const { entries } = await test.workspace.list({ depth: 20 });
    expect(entries.map(({ path, type }) => `${type} ${path}`)).toEqual([
      ...['link evil', 'folder inside', 'link inside/evil', 'file inside/file.txt'],
    ]);
  });

  it('neither reads nor replaces a file that has a name outside too', async () => {
    linkSync(join(test.outside, 'secret.txt'), test.at('evil'));
    const { read, write, create, diff, patch } = await attempts('evil');
    expect([read, write, create, diff, patch]).toEqual(Array(5).fill('PATH_DENIED'));
    // Not even if it has a name that a write of ours could have made.
    linkSync(join(test.outside, 'secret.txt'), test.at('.dagi-evil.tmp'));
    expect((await attempts('evil')).read).toBe('PATH_DENIED');
  });

  it('opens no pipe, which would have it wait for ever', async () => {
    system('mkfifo', test.at('evil'));
    const { read, write, diff, patch, list } = await attempts('evil');
    expect([read, write, diff, patch]).toEqual(Array(4).fill('PATH_DENIED'));
    expect(list).toBe('NOT_A_FOLDER');
    expect((await test.workspace.list({ glob: 'evil' })).entries).toEqual([
      { path: 'evil', type: 'other', modified_at: expect.any(String) },
    ]);
  });

  it('opens no socket', async () => {
    const server = await new Promise<Server>((resolve) => {
      const opened = createServer().listen(test.at('evil'), () => resolve(opened));
    });
    try {
      const { read, write, diff, patch } = await attempts('evil');
      expect([read, write, diff, patch]).toEqual(Array(4).fill('PATH_DENIED'));
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('opens no device', async () => {
    // Only root can make one; for others a link to one is the nearest there is.
    try {
      system('mknod', test.at('evil'), 'c', '1', '5');
    } catch {
      symlinkSync('/dev/zero', test.at('evil'));
    }
    const { read, write, diff, patch } = await attempts('evil');
    expect([read, write, diff, patch]).toEqual(Array(4).fill('PATH_DENIED'));
  });

  it('reaches nothing that is mounted in a workspace, as far as we may mount', async () => {
    test.put('mounted/x', 'below');
    try {
      system('mount', '-t', 'tmpfs', 'none', test.at('mounted'));
    } catch {
      // The comparison of devices has a test of its own.
      return;
    }
    try {
      expect(only(await attempts('mounted/x'))).toEqual(['PATH_DENIED']);
      expect(await codeOf(() => test.workspace.list({ path: 'mounted' }))).toBe('PATH_DENIED');
      const { entries } = await test.workspace.list({ depth: 3 });
      expect(entries.map(({ path }) => path)).toEqual(['inside', 'inside/file.txt', 'mounted']);
    } finally {
      system('umount', test.at('mounted'));
    }
  });

  it('leaves no handle open, whatever it ends with', async () => {
    const open = (): string[] =>
      readdirSync('/proc/self/fd')
        .map(target)
        .filter((path) => path.startsWith(test.home));
    const target = (handle: string): string => {
      try {
        return readlinkSync(`/proc/self/fd/${handle}`);
      } catch {
        return '';
      }
    };
    for (let index = 0; index < 30; index += 1) test.put(`many/f${index}/x`, '');
    symlinkSync(test.outside, test.at('many/evil'));
    for (const path of ['inside/file.txt', 'inside', 'many/evil', 'many/evil/x', 'many/f1/x/y', 'no/thing', '.']) {
      await attempts(path);
    }
    for (const limit of [1, 5, 40]) await test.workspace.list({ depth: 9, limit });
    await test.workspace.list({ glob: 'many/*/x' });
    expect(open()).toEqual([]);
  });

  it('tells no path of the host in an error', async () => {
    chmodSync(test.at('inside'), 0o500);
    symlinkSync(test.outside, test.at('evil'));
    for (const path of ['evil', 'nothing', '../x', 'inside/file.txt/x', 'inside/nothing/x']) {
      const error: unknown = await test.workspace.read({ path }, FILE_LIMITS).catch((error: unknown) => error);
      const { message, detail } = error as { message: string; detail: unknown };
      expect(message + JSON.stringify(detail)).not.toContain(test.home);
      expect(message + JSON.stringify(detail)).not.toContain('/proc/');
    }
  });
});
