import { rmSync, symlinkSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { FILE_LIMITS, FREELY, openTestWorkspace, type TestWorkspace } from '../../../test/support/workspace.js';
import { DEFAULT_QUOTA, Usage } from './usage.js';

describe('the quota of a workspace', () => {
  let test: TestWorkspace;

  afterEach(() => test.close());

  const open = async (quota: Partial<typeof DEFAULT_QUOTA>) => {
    test = await openTestWorkspace({ ...DEFAULT_QUOTA, ...quota });
  };
  const write = (path: string, content = '') => test.workspace.write({ path, content }, FILE_LIMITS, FREELY);
  const patch = (text: string) => test.workspace.patch({ patch: text }, FILE_LIMITS, FREELY);
  const full = (quota: string) =>
    expect.objectContaining({ code: 'FILE_TOO_LARGE', detail: expect.objectContaining({ quota }) });

  it('is of bytes, those that were there and those that were written', async () => {
    await open({ bytes: 100 });
    test.put('a/there', 'x'.repeat(50));
    symlinkSync('/usr', test.at('link'));
    await write('b', 'x'.repeat(40));
    await expect(write('c', 'x'.repeat(30))).rejects.toEqual(full('bytes'));
    await expect(write('c', 'x'.repeat(30))).rejects.toThrow('quota is 100 bytes');
    await expect(patch(`--- /dev/null\n+++ b/c\n@@ -0,0 +1 @@\n+${'x'.repeat(30)}\n`)).rejects.toEqual(full('bytes'));
    // What replaces another counts for what it adds.
    await write('b', 'y'.repeat(45));
    await write('b', 'y');
    await write('c', 'x'.repeat(30));
  });

  it('is of files and folders, and given back by what is deleted', async () => {
    await open({ files: 4 });
    test.put('a/there', 'x\n');
    await write('b');
    await write('a/c');
    await expect(write('d')).rejects.toEqual(full('files'));
    await write('b', 'longer');
    await patch('--- a/a/there\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n');
    await write('d');
    await expect(write('e')).rejects.toEqual(full('files'));
  });

  it('counts the folders that a write makes', async () => {
    await open({ files: 4 });
    await write('a/b/c/d');
    await expect(write('e')).rejects.toEqual(full('files'));
  });

  it('gives back what came to nothing', async () => {
    await open({ files: 1 });
    const onPlan = () => Promise.reject(new Error('no'));
    const params = { path: 'a', content: '' };
    await expect(test.workspace.write(params, FILE_LIMITS, { ...FREELY, onPlan })).rejects.toThrow('no');
    await write('a');
    rmSync(test.at('a'));
    // Nobody told: what others do is seen when it is measured again.
    await expect(write('b')).rejects.toEqual(full('files'));
  });

  it('leaves room on the volume', async () => {
    await open({ freeBytes: 2 ** 60 });
    test.put('a', 'xx');
    await expect(write('b', 'x')).rejects.toEqual(full('free_bytes'));
    await write('a', 'x');
  });

  it('keeps no write waiting for long while it counts', async () => {
    await open({});
    const usage = new Usage(() => new Promise(() => undefined), DEFAULT_QUOTA);
    await usage.claim({ bytes: 0, files: 1 });
    await usage.claim({ bytes: 0, files: DEFAULT_QUOTA.files });
  });
});
