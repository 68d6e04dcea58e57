import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ListParams } from '../../contracts/devtools.js';
import { openTestWorkspace, type TestWorkspace } from '../../../test/support/workspace.js';

describe('fs_list', () => {
  let test: TestWorkspace;

  beforeEach(async () => {
    test = await openTestWorkspace();
    for (const path of ['b/c/d.ts', 'b/c.ts', 'b-1/x.ts', 'a.ts', '.hidden/y.md', 'b/.dagi-1.tmp'])
      test.put(path, path);
  });

  afterEach(() => test.close());

  const list = (params: ListParams = {}) => test.workspace.list(params);
  const paths = async (params: ListParams = {}) => (await list(params)).entries.map(({ path }) => path);
  const ALL = ['.hidden', '.hidden/y.md', 'a.ts', 'b', 'b/c', 'b/c/d.ts', 'b/c.ts', 'b-1', 'b-1/x.ts'];

  it('gives the entries of a folder, with what they are', async () => {
    mkdirSync(test.at('e'));
    symlinkSync('/etc', test.at('b/link'));
    const { entries, ...rest } = await list({ path: 'b/' });
    expect(rest).toEqual({ path: 'b', truncated: false });
    expect(entries).toEqual([
      { path: 'b/c', type: 'folder', modified_at: expect.any(String) },
      { path: 'b/c.ts', type: 'file', size: 6, modified_at: expect.stringMatching(/^\d{4}-.*Z$/) },
      { path: 'b/link', type: 'link', modified_at: expect.any(String) },
    ]);
    expect(await list({ path: 'e' })).toEqual({ path: 'e', entries: [], truncated: false });
  });

  it('goes as deep as it is told', async () => {
    expect(await paths()).toEqual(['.hidden', 'a.ts', 'b', 'b-1']);
    expect(await paths({ depth: 2 })).toEqual(ALL.filter((path) => path !== 'b/c/d.ts'));
    expect(await paths({ depth: 20 })).toEqual(ALL);
  });

  it('gives what matches a glob, at any depth unless told', async () => {
    expect(await paths({ glob: '*.ts' })).toEqual(['a.ts', 'b/c/d.ts', 'b/c.ts', 'b-1/x.ts']);
    expect(await paths({ glob: '*.ts', depth: 1 })).toEqual(['a.ts']);
    expect(await paths({ glob: 'b/*.ts' })).toEqual(['b/c.ts']);
    expect(await paths({ path: 'b', glob: 'b/**/*.ts' })).toEqual(['b/c/d.ts', 'b/c.ts']);
  });

  it.each([1, 2, 3, 4, 5, 8])('gives everything once in pages of %i', async (limit) => {
    for (const glob of [undefined, '*.ts', 'nothing']) {
      const more = glob === undefined ? {} : { glob };
      const whole = await paths({ depth: 20, ...more });
      const found: string[] = [];
      let page = await list({ depth: 20, limit, ...more });
      for (;;) {
        expect(page.entries.length).toBeLessThanOrEqual(limit);
        found.push(...page.entries.map(({ path }) => path));
        if (!page.truncated) break;
        page = await list({ depth: 20, limit, ...more, cursor: page.cursor! });
      }
      expect(page).not.toHaveProperty('cursor');
      expect(found).toEqual(whole);
    }
  });

  it('goes on after an entry that has vanished, or become another thing', async () => {
    const { cursor } = await list({ depth: 20, limit: 6 });
    rmSync(test.at('b/c'), { recursive: true });
    expect(await paths({ depth: 20, cursor: cursor! })).toEqual(['b/c.ts', 'b-1', 'b-1/x.ts']);
    rmSync(test.at('b'), { recursive: true });
    symlinkSync('/etc', test.at('b'));
    expect(await paths({ depth: 20, cursor: cursor! })).toEqual(['b-1', 'b-1/x.ts']);
  });

  it('is not disturbed by folders that come and go', async () => {
    for (let index = 0; index < 40; index += 1) test.put(`many/f${index}/x`, '');
    let isOver = false;
    const coming = (async () => {
      for (let round = 0; !isOver; round += 1) {
        renameSync(test.at(`many/f${round % 40}`), test.at('gone'));
        await new Promise(setImmediate);
        renameSync(test.at('gone'), test.at(`many/f${round % 40}`));
      }
    })();
    for (let round = 0; round < 50; round += 1) expect((await paths({ depth: 3 })).length).toBeGreaterThan(70);
    isOver = true;
    await coming;
  });

  it('shows a name that is no UTF-8', async () => {
    writeFileSync(Buffer.concat([Buffer.from(test.at('e')), Buffer.from([0xff])]), 'x');
    const { entries } = await list({ glob: 'e*' });
    expect(entries).toEqual([{ path: 'e\uFFFD', type: 'file' }]);
  });

  it('refuses cursors of elsewhere, and folders that are none', async () => {
    const cursor = Buffer.from('a.ts').toString('base64url');
    for (const bad of ['', '%%', cursor, Buffer.from('../b').toString('base64url')]) {
      await expect(list({ path: 'b', cursor: bad })).rejects.toMatchObject({ code: 'BODY_INVALID' });
    }
    await expect(list({ path: 'a.ts' })).rejects.toMatchObject({ code: 'NOT_A_FOLDER' });
    await expect(list({ path: 'x' })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
