import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WriteJournal } from '../../contracts/devtools.js';
import { FILE_LIMITS, FREELY, openTestWorkspace, type TestWorkspace } from '../../../test/support/workspace.js';
import { hashOf } from './content.js';

const hash = (text: string): string => hashOf(Buffer.from(text));
const lines = (...list: string[]): string => `${list.join('\n')}\n`;
const header = (path: string): string[] => [`--- a/${path}`, `+++ b/${path}`];

describe('fs_patch', () => {
  let test: TestWorkspace;

  beforeEach(async () => {
    test = await openTestWorkspace();
    test.put('src/a.js', lines('one', 'two', 'three', 'four', 'five'));
    test.put('old.txt', 'gone\n');
  });

  afterEach(() => test.close());

  const patch = (text: string, expected_hashes?: Record<string, string>, limits = FILE_LIMITS, more = {}) =>
    test.workspace.patch({ patch: text, ...(expected_hashes && { expected_hashes }) }, limits, { ...FREELY, ...more });
  const CHANGE = lines(...header('src/a.js'), '@@ -2,3 +2,4 @@', ' two', '-three', '+3', '+3.5', ' four');
  const MAKE = lines('--- /dev/null', '+++ b/new/dir/x.txt', '@@ -0,0 +1,2 @@', '+x', '+y');
  const DELETE = lines('--- a/old.txt', '+++ /dev/null', '@@ -1 +0,0 @@', '-gone');
  const CHANGED = lines('one', 'two', '3', '3.5', 'four', 'five');

  const before = () => hash(lines('one', 'two', 'three', 'four', 'five'));
  const FILES = () => [
    { path: 'src/a.js', hash: hash(CHANGED), previous_hash: before() },
    { path: 'new/dir/x.txt', hash: hash('x\ny\n'), previous_hash: null },
    { path: 'old.txt', hash: null, previous_hash: hash('gone\n') },
  ];
  const JOURNAL = (): WriteJournal => ({
    files: FILES().map(({ path, hash, previous_hash }) => ({ path, before: previous_hash, after: hash })),
  });
  const ALL = CHANGE + MAKE + DELETE;
  const expectPatched = (): void => {
    expect([test.get('src/a.js'), test.get('new/dir/x.txt')]).toEqual([CHANGED, 'x\ny\n']);
    expect(existsSync(test.at('old.txt'))).toBe(false);
    expect(readdirSync(test.at('new/dir'))).toEqual(['x.txt']);
  };

  it('changes, makes and deletes files', async () => {
    expect(await patch(ALL)).toEqual({ files: FILES() });
    expectPatched();
  });

  it('tells what it is about to do once all is known and nothing done, and asks before each change', async () => {
    const told: unknown[] = [];
    const look = () => [test.get('src/a.js') === CHANGED, existsSync(test.at('new')), existsSync(test.at('old.txt'))];
    await patch(ALL, undefined, FILE_LIMITS, {
      onPlan: async (journal: WriteJournal) => told.push(journal, look()),
      beforeWrite: async () => told.push(look()),
    });
    const [untouched, changed] = [
      [false, false, true],
      [true, false, true],
    ];
    const made = [true, true, true];
    // Two folders are made for the second file.
    expect(told).toEqual([JOURNAL(), untouched, untouched, changed, made, made, made]);
  });

  it.each([
    ['nothing', ''],
    ['the first file', CHANGE],
    ['the second', MAKE],
    ['the third', DELETE],
    ['everything', ALL],
  ])('goes on where %s was written before it was cut off', async (_, part) => {
    if (part !== '') await patch(part);
    expect(await patch(ALL, { 'src/a.js': before() }, FILE_LIMITS, { journal: JOURNAL() })).toEqual({ files: FILES() });
    expectPatched();
  });

  it('adds repeating lines only once, if it knows what it has done', async () => {
    test.put('f', lines('a', 'a'));
    const change = lines(...header('f'), '@@ -1,1 +1,2 @@', ' a', '+a');
    let journal: WriteJournal | null = null;
    const onPlan = async (plan: WriteJournal) => void (journal = plan);
    const first = await patch(change, undefined, FILE_LIMITS, { onPlan });
    expect(await patch(change, undefined, FILE_LIMITS, { journal })).toEqual(first);
    expect(test.get('f')).toBe(lines('a', 'a', 'a'));
    await patch(change);
    expect(test.get('f')).toBe(lines('a', 'a', 'a', 'a'));
  });

  it('refuses to go on where somebody else has written meanwhile', async () => {
    test.put('src/a.js', lines('zero', 'one', 'two', 'three', 'four', 'five'));
    const again = (journal: WriteJournal) => patch(ALL, undefined, FILE_LIMITS, { journal });
    await expect(again(JOURNAL())).rejects.toMatchObject({ code: 'FILE_CHANGED', detail: { path: 'src/a.js' } });
    const now = hash(test.get('src/a.js'));
    const others = {
      files: JOURNAL().files.map((file) => ({ ...file, ...(file.before === before() && { before: now }) })),
    };
    await expect(again(others)).rejects.toMatchObject({ code: 'PATCH_REJECTED', detail: { path: 'src/a.js' } });
    await expect(again({ files: [] })).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(existsSync(test.at('new'))).toBe(false);
  });

  it.each([1, 2, 3, 4, 5])('changes nothing more once it may not, at question %i', async (last) => {
    const refusal = Object.assign(new Error('another attempt has begun'), { code: 'EEXIST' });
    let asked = 0;
    const beforeWrite = async () => {
      asked += 1;
      if (asked === last) throw refusal;
    };
    await expect(patch(ALL, undefined, FILE_LIMITS, { beforeWrite })).rejects.toBe(refusal);
    expect(asked).toBe(last);
    const files = readdirSync(test.workspace.folder, { recursive: true }).toSorted();
    const made = ['new', 'new/dir', 'new/dir/x.txt'].slice(0, Math.max(0, last - 2));
    expect(files).toEqual([...made, 'old.txt', 'src', 'src/a.js']);
    expect(test.get('src/a.js') === CHANGED).toBe(last > 1);
  });

  it('changes nothing if its plan cannot be kept', async () => {
    const refusal = new Error('no');
    const onPlan = () => Promise.reject(refusal);
    await expect(patch(ALL, undefined, FILE_LIMITS, { onPlan })).rejects.toBe(refusal);
    expect(readdirSync(test.workspace.folder).toSorted()).toEqual(['old.txt', 'src']);
  });

  it('writes nothing if one hunk of one file does not fit', async () => {
    const bad = lines(...header('old.txt'), '@@ -1 +1 @@', '-other', '+x');
    await expect(patch(CHANGE + MAKE + bad)).rejects.toMatchObject({
      code: 'PATCH_REJECTED',
      detail: { path: 'old.txt', hunk: 1 },
    });
    expect(test.get('src/a.js')).toContain('three');
    expect(readdirSync(test.workspace.folder).toSorted()).toEqual(['old.txt', 'src']);
  });

  it.each([
    ['at the end', ['one'], ['@@ -1,1 +1,2 @@', ' one', '+x'], ['one', 'x']],
    ['at the beginning', ['one'], ['@@ -1,1 +1,2 @@', '+x', ' one'], ['x', 'one']],
    ['into an empty file', [], ['@@ -0,0 +1,1 @@', '+x'], ['x']],
    ['without lines after', ['a', 'b', 'c'], ['@@ -1,2 +1,3 @@', ' a', ' b', '+x'], ['a', 'b', 'x', 'c']],
    ['without lines around', ['a', 'b'], ['@@ -1,0 +2,1 @@', '+x'], ['a', 'x', 'b']],
    ['elsewhere', ['z', 'z', 'a', 'c'], ['@@ -1,2 +1,3 @@', ' a', '+x', ' c'], ['z', 'z', 'a', 'x', 'c']],
  ])('adds a line %s, and takes it away', async (_, before, hunk, after) => {
    test.put('f', before.map((line) => `${line}\n`).join(''));
    await patch(lines(...header('f'), ...hunk));
    expect(test.get('f')).toBe(lines(...after));
    const [head = '', ...rest] = hunk;
    const [, old, made] = /^@@ -(\S+) \+(\S+) @@$/.exec(head)!;
    await patch(lines(...header('f'), `@@ -${made} +${old} @@`, ...rest.map((line) => line.replace(/^\+/, '-'))));
    expect(test.get('f')).toBe(before.map((line) => `${line}\n`).join(''));
  });

  it('patches only the file that is expected', async () => {
    const was = before();
    await expect(patch(CHANGE, { g: was })).rejects.toMatchObject({ code: 'PATCH_REJECTED' });
    expect(await patch(CHANGE, { './src/a.js': was })).toMatchObject({ files: [{ previous_hash: was }] });
    await expect(patch(CHANGE, { 'src/a.js': was })).rejects.toMatchObject({
      ...{ code: 'FILE_CHANGED', detail: { path: 'src/a.js', hash: hash(CHANGED) } },
    });
    await expect(patch(CHANGE)).rejects.toMatchObject({ code: 'PATCH_REJECTED', detail: { hunk: 1 } });
  });

  it('finds hunks that have moved, in their order', async () => {
    test.put('f', lines('new', 'new', 'a', 'b', 'c', 'd', 'e'));
    const change = [...header('f'), '@@ -1,2 +1,2 @@', ' a', '-b', '+B', '@@ -3,3 +3,3 @@', ' c', '-d', '+D', ' e'];
    await patch(lines(...change));
    expect(test.get('f')).toBe(lines('new', 'new', 'a', 'B', 'c', 'D', 'e'));
  });

  it('heeds the end of the last line, and keeps line ends of the other kind', async () => {
    const NONE = '\\ No newline at end of file';
    test.put('f', 'a\nb');
    await patch(lines(...header('f'), '@@ -1,2 +1,3 @@', ' a', '-b', NONE, '+b', '+c', NONE));
    expect(test.get('f')).toBe('a\nb\nc');
    test.put('f', 'a\r\nb\r\n');
    await patch(lines(...header('f'), '@@ -1,2 +1,2 @@', ' a', '-b', '+B'));
    expect(test.get('f')).toBe('a\r\nB\r\n');
  });

  it('makes what git made a patch of', async () => {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: test.home, encoding: 'utf8' });
    const write = (folder: string, path: string, text: string) => {
      test.put(`../../${folder}/${path}`, text);
    };
    for (const folder of ['x', 'y']) write(folder, 'same', 'same\n');
    write('x', 'src/é.txt', lines(...Array.from({ length: 40 }, (_, at) => `line ${at}`)));
    write(
      'y',
      'src/é.txt',
      lines('top', ...Array.from({ length: 40 }, (_, at) => `line ${at === 20 ? 'x' : at}`), 'end'),
    );
    write('y', 'empty', '');
    mkdirSync(test.at('src'), { recursive: true });
    test.put('src/é.txt', lines(...Array.from({ length: 40 }, (_, at) => `line ${at}`)));
    let diff = '';
    try {
      git('diff', '--no-index', 'x', 'y');
    } catch (error) {
      diff = (error as { stdout: string }).stdout
        .replaceAll('a/x/', 'a/')
        .replaceAll('b/y/', 'b/')
        .replaceAll('a/y/', 'a/');
    }
    expect(diff).toContain('new file mode');
    await patch(diff);
    expect(test.get('src/é.txt')).toMatch(/^top\n[^]*line x[^]*end\n$/);
    expect(statSync(test.at('empty')).size).toBe(0);
  });

  it.each([
    ['no patch', 'hello'],
    ['nothing', '\n'],
    ['a hunk without a file', '@@ -1 +1 @@\n-a\n+b\n'],
    ['wrong counts', lines(...header('src/a.js'), '@@ -1,5 +1,5 @@', ' one')],
    ['no numbers', lines(...header('src/a.js'), '@@ ... @@', '-one')],
    ['a hunk that changes nothing', lines(...header('src/a.js'), '@@ -1,1 +1,1 @@', ' one')],
    [
      'a rename',
      lines('diff --git a/old.txt b/new.txt', 'similarity index 100%', 'rename from old.txt', 'rename to new.txt'),
    ],
    ['a rename without saying so', lines('--- a/old.txt', '+++ b/new.txt', '@@ -1 +1 @@', '-gone', '+x')],
    ['bytes', lines('diff --git a/x.png b/x.png', 'index 1..2 100644', 'Binary files a/x.png and b/x.png differ')],
    ['a mode alone', lines('diff --git a/old.txt b/old.txt', 'old mode 100644', 'new mode 100755')],
    ['a file twice', CHANGE + CHANGE],
    ['a file that is there already', lines('--- /dev/null', '+++ b/old.txt', '@@ -0,0 +1 @@', '+x')],
    ['a deletion of less than there is', lines('--- a/src/a.js', '+++ /dev/null', '@@ -1 +0,0 @@', '-one')],
    ['a deletion of what is missing', DELETE.replace('old.txt', 'older.txt')],
    ['a file that is missing', lines(...header('nothing'), '@@ -1 +1 @@', '-a', '+b')],
    ['too many files', Array.from({ length: 101 }, (_, at) => MAKE.replace('x.txt', `${at}`)).join('')],
  ])('refuses %s', async (_, text) => {
    await expect(patch(text)).rejects.toMatchObject({ code: 'PATCH_REJECTED' });
    expect(readdirSync(test.workspace.folder).toSorted()).toEqual(['old.txt', 'src']);
  });

  it.each(['../outside/x', '/etc/x', 'a/../../x', 'link/x'])('never leads to %s', async (path) => {
    symlinkSync(test.outside, test.at('link'));
    for (const name of [path, `b/${path}`]) {
      await expect(patch(MAKE.replace('b/new/dir/x.txt', name))).rejects.toMatchObject({ code: 'PATH_DENIED' });
    }
    expect(readdirSync(test.outside)).toEqual(['secret.txt']);
  });

  it.each(['.git/hooks/pre-commit', 'sub/.GIT/config', '.git', 'a/.Git'])('writes no %s', async (path) => {
    test.put('.git/hooks/pre-commit', 'gone\n');
    const made = MAKE.replace('new/dir/x.txt', path);
    await expect(patch(made)).rejects.toMatchObject({ code: 'PATH_DENIED' });
    const all = DELETE.replace('old.txt', path);
    await expect(patch(all)).rejects.toMatchObject({ code: 'PATH_DENIED' });
    expect(readdirSync(test.workspace.folder).toSorted()).toEqual(['.git', 'old.txt', 'src']);
  });

  it('refuses what is too large, before and after', async () => {
    await expect(patch('x'.repeat(1_000_001))).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    const small = { ...FILE_LIMITS, fileBytes: 150 };
    test.put('f', `${'x'.repeat(145)}\n`);
    const grow = lines(...header('f'), '@@ -1,0 +2,1 @@', '+abcdefgh');
    await expect(patch(grow, undefined, small)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });

  it('gives up on hunks that are like too many places', async () => {
    test.put('f', 'a\n'.repeat(400_000));
    const hunk = ['@@ -200000,2001 +200000,2001 @@', ...Array.from({ length: 2_000 }, () => ' a'), '-b', '+c'];
    const began = performance.now();
    await expect(patch(lines(...header('f'), ...hunk))).rejects.toMatchObject({ code: 'PATCH_REJECTED' });
    expect(performance.now() - began).toBeLessThan(8_000);
  });
});
