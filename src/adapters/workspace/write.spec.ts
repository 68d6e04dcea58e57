import { chmodSync, existsSync, linkSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WriteParams } from '../../contracts/devtools.js';
import { FILE_LIMITS, openTestWorkspace, type TestWorkspace } from '../../../test/support/workspace.js';
import { hashOf } from './content.js';

const hash = (text: string): string => hashOf(Buffer.from(text));

describe('fs_write', () => {
  let test: TestWorkspace;

  beforeEach(async () => {
    test = await openTestWorkspace();
  });

  afterEach(() => test.close());

  const write = (content: string, more: Partial<WriteParams> = {}) =>
    test.workspace.write({ path: 'a/b.txt', content, ...more }, FILE_LIMITS);

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
    // The same call again, as after a crash.
    const again = { path: 'a/b.txt', hash: hash('new'), previous_hash: hash('old'), size: 3, created: false };
    expect(await write('new', { expected_hash: hash('old') })).toEqual(again);
  });

  it('writes nothing, and makes no folder, where the expected file is gone', async () => {
    await expect(write('x', { expected_hash: hash('old') })).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    expect(existsSync(test.at('a'))).toBe(false);
  });

  it('makes a file only where there is none', async () => {
    expect(await write('x', { expected_hash: null })).toMatchObject({ created: true, previous_hash: null });
    expect(await write('x', { expected_hash: null })).toMatchObject({ created: false, previous_hash: null });
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
