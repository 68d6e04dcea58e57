import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FILE_LIMITS, openTestWorkspace, type TestWorkspace } from '../../../test/support/workspace.js';

describe('fs_read', () => {
  let test: TestWorkspace;

  beforeEach(async () => {
    test = await openTestWorkspace();
  });

  afterEach(() => test.close());

  const read = (path: string, more: { from_line?: number; lines?: number } = {}, limits = FILE_LIMITS) =>
    test.workspace.read({ path, ...more }, limits);

  it('gives a text with its hash and lines', async () => {
    test.put('a/b.txt', 'one\ntwo\nthrée');
    expect(await read('./a/b.txt')).toEqual({
      ...{ path: 'a/b.txt', content: 'one\ntwo\nthrée', encoding: 'utf8', size: 14, total_lines: 3, truncated: false },
      hash: createHash('sha256').update('one\ntwo\nthrée').digest('hex'),
    });
  });

  it.each([
    [{ from_line: 2 }, 'two\nthree\n', false],
    [{ from_line: 2, lines: 1 }, 'two\n', true],
    [{ lines: 3 }, 'one\ntwo\nthree\n', false],
    [{ from_line: 3, lines: 9 }, 'three\n', false],
    [{ from_line: 4 }, '', false],
  ])('gives the lines %j', async (which, content, truncated) => {
    test.put('x', 'one\ntwo\nthree\n');
    expect(await read('x', which)).toMatchObject({ content, truncated, total_lines: 3 });
  });

  it('cuts a long text, never within a character', async () => {
    test.put('x', 'aé\u{1F600}b');
    const cut = async (outputBytes: number) => (await read('x', {}, { ...FILE_LIMITS, outputBytes })).content;
    expect(await Promise.all([1, 2, 3, 6, 7, 8].map(cut))).toEqual([
      ...['a', 'a', 'aé', 'aé', 'aé\u{1F600}', 'aé\u{1F600}b'],
    ]);
  });

  it.each([
    ['what is no UTF-8', Buffer.from([0xff, 0xfe, 0x41])],
    ['what holds U+0000, which no database keeps as text', Buffer.from('a\0b')],
  ])('gives %s in base64', async (_, bytes) => {
    test.put('x', bytes);
    const result = await read('x');
    expect(result).toMatchObject({ encoding: 'base64', content: bytes.toString('base64'), truncated: false });
    expect(result).not.toHaveProperty('total_lines');
  });

  it('gives no more of bytes than fits', async () => {
    test.put('x', Buffer.alloc(900_000, 0xff));
    const long = await read('x', {}, { ...FILE_LIMITS, outputBytes: 10_000_000 });
    expect(Buffer.from(long.content, 'base64')).toHaveLength(262_144);
    const short = await read('x', {}, { ...FILE_LIMITS, outputBytes: 1_001 });
    expect(short).toMatchObject({ size: 900_000, truncated: true });
    expect(short.content).toHaveLength(1_000);
  });

  it('says what is missing, no file, no folder, or too large', async () => {
    test.put('f', '12345');
    test.put('empty', '');
    await expect(read('nothing')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND', detail: { path: 'nothing' } });
    await expect(read('no/thing')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(read('f/x')).rejects.toMatchObject({ code: 'NOT_A_FOLDER' });
    await expect(read('.')).rejects.toMatchObject({ code: 'NOT_A_FILE' });
    const few = { ...FILE_LIMITS, fileBytes: 4 };
    await expect(read('f', {}, few)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    expect(await read('f', {}, { ...few, fileBytes: 5 })).toMatchObject({ size: 5 });
    expect(await read('empty')).toMatchObject({ content: '', encoding: 'utf8', total_lines: 0 });
  });

  it('normalises folders', async () => {
    test.put('a/b/c', '');
    expect(await test.workspace.requireFolder('./a/b/')).toBe('a/b');
    expect(await test.workspace.requireFolder('.')).toBe('.');
    await expect(test.workspace.requireFolder('a/b/c')).rejects.toMatchObject({ code: 'NOT_A_FOLDER' });
    await expect(test.workspace.requireFolder('x')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
