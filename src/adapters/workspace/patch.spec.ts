import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FILE_LIMITS, openTestWorkspace, type TestWorkspace } from '../../../test/support/workspace.js';
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

  const patch = (text: string, expected_hashes?: Record<string, string>, limits = FILE_LIMITS) =>
    test.workspace.patch({ patch: text, ...(expected_hashes && { expected_hashes }) }, limits);
  const CHANGE = lines(...header('src/a.js'), '@@ -2,3 +2,4 @@', ' two', '-three', '+3', '+3.5', ' four');
  const MAKE = lines('--- /dev/null', '+++ b/new/dir/x.txt', '@@ -0,0 +1,2 @@', '+x', '+y');
  const DELETE = lines('--- a/old.txt', '+++ /dev/null', '@@ -1 +0,0 @@', '-gone');
  const CHANGED = lines('one', 'two', '3', '3.5', 'four', 'five');

  it('changes, makes and deletes files, and knows that it has', async () => {
    const before = hash(test.get('src/a.js'));
    const files = [
      { path: 'src/a.js', hash: hash(CHANGED), previous_hash: before },
      { path: 'new/dir/x.txt', hash: hash('x\ny\n'), previous_hash: null },
      { path: 'old.txt', hash: null, previous_hash: hash('gone\n') },
    ];
    expect(await patch(CHANGE + MAKE + DELETE)).toEqual({ files, already_applied: false });
    expect(test.get('src/a.js')).toBe(CHANGED);
    expect(test.get('new/dir/x.txt')).toBe('x\ny\n');
    expect(existsSync(test.at('old.txt'))).toBe(false);
    const again = await patch(CHANGE + MAKE + DELETE);
    expect(again.already_applied).toBe(true);
    expect(again.files.map((file) => file.hash)).toEqual(files.map((file) => file.hash));
    expect(again.files[0]).toEqual(files[0]);
    expect(test.get('src/a.js')).toBe(CHANGED);
  });

  it.each([
    ['first', CHANGE],
    ['second', MAKE],
    ['third', DELETE],
  ])('goes on where only the %s file was written before a crash', async (_, part) => {
    await patch(part);
    expect((await patch(CHANGE + MAKE + DELETE)).already_applied).toBe(false);
    expect([test.get('src/a.js'), test.get('new/dir/x.txt')]).toEqual([CHANGED, 'x\ny\n']);
    expect(existsSync(test.at('old.txt'))).toBe(false);
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
    ['at the end', ['one', 'x'], ['@@ -1,1 +1,2 @@', ' one', '+x'], ['one', 'x', 'x'], ['one']],
    ['at the beginning', ['x', 'one'], ['@@ -1,1 +1,2 @@', '+x', ' one'], ['x', 'x', 'one'], ['one']],
    ['into an empty file', ['x'], ['@@ -0,0 +1,1 @@', '+x'], ['x', 'x'], []],
    [
      'in the middle, without lines after',
      ['a', 'b', 'x', 'c'],
      ['@@ -1,2 +1,3 @@', ' a', ' b', '+x'],
      [],
      ['a', 'b', 'c'],
    ],
    ['in the middle, without lines around', ['a', 'x', 'b'], ['@@ -1,0 +2,1 @@', '+x'], [], ['a', 'b']],
    [
      'elsewhere than it says',
      ['z', 'z', 'a', 'x', 'c'],
      ['@@ -1,2 +1,3 @@', ' a', '+x', ' c'],
      [],
      ['z', 'z', 'a', 'c'],
    ],
  ])('adds a line %s only once', async (_, after, hunk, twice, before) => {
    const text = before.length === 0 ? '' : lines(...before);
    test.put('f', text);
    const change = lines(...header('f'), ...hunk);
    expect(await patch(change)).toMatchObject({ already_applied: false });
    expect(test.get('f')).toBe(lines(...after));
    expect(await patch(change)).toMatchObject({ already_applied: true, files: [{ previous_hash: hash(text) }] });
    expect(test.get('f')).toBe(lines(...after));
    expect(test.get('f')).not.toBe(lines(...twice));
  });

  it.each([
    ['at the end', ['a', 'x'], ['@@ -1,2 +1,1 @@', ' a', '-x'], ['a']],
    ['at the beginning', ['x', 'a'], ['@@ -1,2 +1,1 @@', '-x', ' a'], ['a']],
    ['in the middle, without lines after', ['a', 'x', 'b'], ['@@ -1,2 +1,1 @@', ' a', '-x'], ['a', 'b']],
  ])('takes a line away %s', async (_, before, hunk, after) => {
    test.put('f', lines(...before));
    const change = lines(...header('f'), ...hunk);
    expect(await patch(change)).toMatchObject({ already_applied: false });
    expect(test.get('f')).toBe(lines(...after));
    expect(await patch(change)).toMatchObject({ already_applied: true });
    expect(test.get('f')).toBe(lines(...after));
  });

  it('is certain about what was written if it knows the hash', async () => {
    test.put('f', lines('a', 'a'));
    const before = hash(test.get('f'));
    const change = lines(...header('f'), '@@ -1,1 +1,2 @@', ' a', '+a');
    for (const already_applied of [false, true, true]) {
      expect(await patch(change, { './f': before })).toMatchObject({ already_applied });
      expect(test.get('f')).toBe(lines('a', 'a', 'a'));
    }
    test.put('f', lines('b'));
    await expect(patch(change, { f: before })).rejects.toMatchObject({ code: 'FILE_CHANGED', detail: { path: 'f' } });
    await expect(patch(change, { g: before })).rejects.toMatchObject({ code: 'PATCH_REJECTED' });
    const gone = hash(test.get('old.txt'));
    for (const already_applied of [false, true]) {
      expect(await patch(DELETE, { 'old.txt': gone })).toMatchObject({ already_applied });
    }
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
    expect(await patch(diff)).toMatchObject({ already_applied: false });
    expect(test.get('src/é.txt')).toMatch(/^top\n[^]*line x[^]*end\n$/);
    expect(statSync(test.at('empty')).size).toBe(0);
    expect(await patch(diff)).toMatchObject({ already_applied: true });
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
    expect(performance.now() - began).toBeLessThan(4_000);
  });
});
