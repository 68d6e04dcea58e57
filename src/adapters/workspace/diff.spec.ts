import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FILE_LIMITS, FREELY, openTestWorkspace, type TestWorkspace } from '../../../test/support/workspace.js';

describe('fs_diff', () => {
  let test: TestWorkspace;

  beforeEach(async () => {
    test = await openTestWorkspace();
    test.put('a', 'one\ntwo\nthree\n');
  });

  afterEach(() => test.close());

  const diff = (more: { other_path?: string; content?: string; context?: number }, path = 'a', limits = FILE_LIMITS) =>
    test.workspace.diff({ path, ...more }, limits);

  it('tells what is different, as a patch makes it so', async () => {
    const result = await diff({ content: 'one\n2\nthree' });
    expect(result).toEqual({
      diff: [
        ...['--- a/a', '+++ b/a', '@@ -1,3 +1,3 @@', ' one', '-two', '-three', '+2', '+three'],
        ...['\\ No newline at end of file', ''],
      ].join('\n'),
      changed: true,
      truncated: false,
    });
    await test.workspace.patch({ patch: result.diff }, FILE_LIMITS, FREELY);
    expect(test.get('a')).toBe('one\n2\nthree');
  });

  it('compares two files, with as much around as is wanted', async () => {
    test.put('b', 'one\ntwo\n3\n');
    expect((await diff({ other_path: './b', context: 0 })).diff).toBe(
      '--- a/a\n+++ b/b\n@@ -3,1 +3,1 @@\n-three\n+3\n',
    );
    expect(await diff({ other_path: 'a' })).toEqual({ diff: '', changed: false, truncated: false });
  });

  it('makes no lines of its own of a name', async () => {
    test.put('x\n+++ y', 'a\n');
    const result = await diff({ content: 'b\n' }, 'x\n+++ y');
    expect(result.diff.split('\n')[0]).toBe('--- "a/x\\n+++ y"');
    await test.workspace.patch({ patch: result.diff }, FILE_LIMITS, FREELY);
    expect(test.get('x\n+++ y')).toBe('b\n');
  });

  it('cuts what is too long and says so', async () => {
    const result = await diff({ content: 'é'.repeat(500) }, 'a', { ...FILE_LIMITS, outputBytes: 200 });
    expect(result.truncated).toBe(true);
    expect(Buffer.byteLength(result.diff)).toBeLessThanOrEqual(200);
    expect(result.diff).not.toContain('\uFFFD');
  });

  it('refuses bytes, too much, and neither or nothing to compare with', async () => {
    test.put('b', Buffer.from([255]));
    await expect(diff({ other_path: 'b' })).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    await expect(diff({ other_path: 'c' })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(diff({ content: 'x'.repeat(1_000_001) })).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    await expect(diff({})).rejects.toMatchObject({ code: 'BODY_INVALID' });
  });

  it('gives up where two differ in too much', async () => {
    const lines = (seed: number) => Array.from({ length: 60_000 }, (_, at) => `${(at * seed) % 60_013}`).join('\n');
    test.put('a', lines(7));
    const began = performance.now();
    await expect(diff({ content: lines(11) })).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});
