import { chmodSync, existsSync, linkSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WriteJournal, WriteParams } from '../../contracts/devtools.js';
import { FILE_LIMITS, FREELY, openTestWorkspace, type TestWorkspace } from '../../../test/support/workspace.js';
import { hashOf } from './content.js';

const hash = (text: string): string => hashOf(Buffer.from(text));

describe('fs_write', () => {
  let test: TestWorkspace;

  beforeEach(async () => {
    test = await openTestWorkspace();
  });

  afterEach(() => test.close());

  const write = (content: string, more: Partial<WriteParams> = {}, writing = {}) =>
    test.workspace.write({ path: 'a/b.txt', content, ...more }, FILE_LIMITS, { ...FREELY, ...writing });
  const journal = (before: string | null, after: string): WriteJournal => ({
    files: [{ path: 'a/b.txt', before: before === null ? null : hash(before), after: hash(after) }],
  });

  it('makes a file and the folders above it', async () => {
    const result = { path: 'a/b.txt', hash: hash('x'), previous_hash: null, size: 1, created: true };
    expect(await write('x')).toEqual(result);
    expect(test.get('a/b.txt')).toBe('x');
    expect(statSync(test.at('a/b.txt')).mode & 0o777).toBe(0o644);
    expect(readdirSync(test.at('a'))).toEqual(['b.txt']);
  });

  it('keeps the permissions of a file that it replaces', async () => {
    test.put('a/b.txt', 'old');
    chmodSync(test.at('a/b.txt'), 0o750);
    expect(await write('new')).toMatchObject({ created: false, previous_hash: hash('old') });
    expect(statSync(test.at('a/b.txt')).mode & 0o777).toBe(0o750);
  });

  it('writes bytes', async () => {
    await write(Buffer.from([0, 255]).toString('base64'), { encoding: 'base64' });
    expect(await test.workspace.read({ path: 'a/b.txt' }, FILE_LIMITS)).toMatchObject({ content: 'AP8=', size: 2 });
  });

  it('writes what must be the file that was read', async () => {
    test.put('a/b.txt', 'old');
    await expect(write('new', { expected_hash: hash('other') })).rejects.toMatchObject({
      code: 'FILE_CHANGED',
      detail: { hash: hash('old') },
    });
    expect(test.get('a/b.txt')).toBe('old');
    expect(await write('new', { expected_hash: hash('old') })).toMatchObject({ previous_hash: hash('old') });
    await expect(write('new', { expected_hash: hash('old') })).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  it.each([
    ['not yet', 'old'],
    ['already', 'new'],
  ])('goes on with an attempt that has %s written', async (_, now) => {
    test.put('a/b.txt', now);
    const again = write('new', { expected_hash: hash('old') }, { journal: journal('old', 'new') });
    const result = { path: 'a/b.txt', hash: hash('new'), previous_hash: hash('old'), size: 3, created: false };
    expect(await again).toEqual(result);
    expect(test.get('a/b.txt')).toBe('new');
  });

  it('does not write again what was written, and knows that it was made', async () => {
    test.put('a/b.txt', 'new');
    const beforeWrite = () => Promise.reject(new Error('asked'));
    const again = { journal: journal(null, 'new'), beforeWrite };
    expect(await write('new', {}, again)).toMatchObject({ created: true, previous_hash: null });
    expect(await write('new', { expected_hash: null }, again)).toMatchObject({ created: true });
  });

  it('does not go on where somebody else has written meanwhile', async () => {
    test.put('a/b.txt', 'other');
    const again = write('new', {}, { journal: journal('old', 'new') });
    await expect(again).rejects.toMatchObject({ code: 'FILE_CHANGED', detail: { path: 'a/b.txt' } });
    await expect(write('else', {}, { journal: journal('other', 'new') })).rejects.toMatchObject({
      code: 'FILE_CHANGED',
    });
    expect(test.get('a/b.txt')).toBe('other');
  });

  it('tells its plan before it changes anything, and changes nothing if it may not', async () => {
    const refusal = Object.assign(new Error('no'), { code: 'ENOENT' });
    const no = () => Promise.reject(refusal);
    const plans: WriteJournal[] = [];
    await expect(write('x', {}, { onPlan: no })).rejects.toBe(refusal);
    await expect(
      write('x', {}, { onPlan: async (plan: WriteJournal) => plans.push(plan), beforeWrite: no }),
    ).rejects.toBe(refusal);
    expect(plans).toEqual([journal(null, 'x')]);
    expect(existsSync(test.at('a'))).toBe(false);
    test.put('a/b.txt', 'old');
    for (const more of [{}, { expected_hash: hash('old') }]) {
      await expect(write('x', more, { beforeWrite: no })).rejects.toBe(refusal);
    }
    expect(test.get('a/b.txt')).toBe('old');
    expect(readdirSync(test.at('a'))).toEqual(['b.txt']);
  });

  it.each(['.git/config', '.git', 'a/.GIT/hooks/x', '.gIt/x'])('writes no %s, and lets it be read', async (path) => {
    await expect(write('x', { path })).rejects.toMatchObject({ code: 'PATH_DENIED' });
    expect(readdirSync(test.workspace.folder)).toEqual([]);
    test.put(path, 'x');
    expect(await test.workspace.read({ path }, FILE_LIMITS)).toMatchObject({ content: 'x' });
    await write('x', { path: '.github/.gitignore' });
  });

  it('writes nothing, and makes no folder, where the expected file is gone', async () => {
    await expect(write('x', { expected_hash: hash('old') })).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(existsSync(test.at('a'))).toBe(false);
  });

  it('makes a file only where there is none', async () => {
    expect(await write('x', { expected_hash: null })).toMatchObject({ created: true, previous_hash: null });
    await expect(write('x', { expected_hash: null })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await expect(write('y', { expected_hash: null })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    expect(test.get('a/b.txt')).toBe('x');
    expect(statSync(test.at('a/b.txt')).nlink).toBe(1);
  });

  it('lets one of many who make the same file do so', async () => {
    const all = Array.from({ length: 20 }, (_, index) => write(`writer ${index}`, { expected_hash: null }));
    const ends = await Promise.allSettled(all);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('loses no write of many who add to a file that they have read', async () => {
    test.put('a/b.txt', '');
    let added = 0;
    const add = async (mark: string): Promise<void> => {
      const { content, hash: expected_hash } = await test.workspace.read({ path: 'a/b.txt' }, FILE_LIMITS);
      await write(`${content}${mark}\n`, { expected_hash });
      added += 1;
    };
    for (let round = 0; round < 20; round += 1) {
      await Promise.allSettled(['x', 'y', 'z'].map((writer) => add(`${writer}${round}`)));
    }
    expect(added).toBeGreaterThanOrEqual(20);
    expect(test.get('a/b.txt').trim().split('\n')).toHaveLength(added);
    expect(readdirSync(test.at('a'))).toEqual(['b.txt']);
  });

  it('shows readers the old file or the new one, never a part', async () => {
    const texts = ['a'.repeat(50_000), 'b'.repeat(90_000)];
    await write(texts[0]!);
    let isOver = false;
    const reading = (async () => {
      const seen = new Set<string>();
      while (!isOver) seen.add((await test.workspace.read({ path: 'a/b.txt' }, FILE_LIMITS)).content);
      return seen;
    })();
    for (let round = 1; round <= 60; round += 1) await write(texts[round % 2]!);
    isOver = true;
    for (const content of await reading) expect(texts).toContain(content);
  });

  it('refuses a folder, a file below a file, and what is too large', async () => {
    test.put('a/b.txt/c', '');
    await expect(write('x')).rejects.toMatchObject({ code: 'NOT_A_FILE' });
    await expect(write('x', { path: 'a/b.txt/c/d' })).rejects.toMatchObject({ code: 'NOT_A_FOLDER' });
    await expect(write('x'.repeat(1_000_001))).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    expect(readdirSync(test.at('a'))).toEqual(['b.txt']);
  });

  it('removes what killed writes left more than an hour ago', async () => {
    test.put('a/.dagi-old.tmp', 'x');
    test.put('a/.dagi-young.tmp', 'x');
    const old = Date.now() / 1_000 - 3_700;
    utimesSync(test.at('a/.dagi-old.tmp'), old, old);
    await write('x');
    expect(readdirSync(test.at('a')).toSorted()).toEqual(['.dagi-young.tmp', 'b.txt']);
  });

  it('reads and replaces a file whose write was killed before its other name was removed', async () => {
    test.put('a/b.txt', 'x');
    linkSync(test.at('a/b.txt'), test.at('a/.dagi-killed.tmp'));
    expect(await test.workspace.read({ path: 'a/b.txt' }, FILE_LIMITS)).toMatchObject({ content: 'x' });
    expect(await write('y', { expected_hash: hash('x') })).toMatchObject({ created: false });
    expect(test.get('a/b.txt')).toBe('y');
  });
});
