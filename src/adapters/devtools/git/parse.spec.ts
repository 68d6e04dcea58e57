import { describe, expect, it } from '@jest/globals';
import { parseDiff, parseLog, parseStatus } from './parse.js';

const HASHES = '100644 100644 100644 7898192 7898192';
const records = (...list: string[]): string => list.map((each) => `${each}\0`).join('');

describe('parseStatus', () => {
  it('should read every kind of entry, with paths from the workspace', () => {
    const text = records(
      '# branch.oid a7d93adb',
      '# branch.head main',
      `1 .M N... ${HASHES} with space.txt`,
      `2 R. N... ${HASHES} R100 new name`,
      'old name',
      `u UU N... 100644 100644 100644 100644 1 2 3 both.txt`,
      '? fresh/',
    );
    expect(parseStatus(text, 'app')).toEqual({
      branch: 'main',
      head: 'a7d93adb',
      entries: [
        { path: 'app/with space.txt', index: '.', worktree: 'M' },
        { path: 'app/new name', index: 'R', worktree: '.', renamed_from: 'app/old name' },
        { path: 'app/both.txt', index: 'U', worktree: 'U' },
        { path: 'app/fresh/', index: '?', worktree: '?' },
      ],
    });
  });

  it('should know a repository without commits, and one without a branch', () => {
    expect(parseStatus(records('# branch.oid (initial)', '# branch.head main'), '.').head).toBeNull();
    expect(parseStatus(records('# branch.oid a7', '# branch.head (detached)'), '.').branch).toBeNull();
  });

  it('should leave out what was cut off', () => {
    expect(parseStatus(`${records('? whole')}? ha`, '.').entries).toEqual([
      { path: 'whole', index: '?', worktree: '?' },
    ]);
  });
});

describe('parseDiff', () => {
  it('should read the counts and the patch after them', () => {
    const text = `${records('1\t0\ta\tb', '-\t-\tpicture.png')}\0diff --git a/a b/a\n`;
    expect(parseDiff(text, '.')).toEqual({
      files: [
        { path: 'a\tb', added: 1, removed: 0 },
        { path: 'picture.png', added: null, removed: null },
      ],
      diff: 'diff --git a/a b/a\n',
    });
  });

  it('should tell a renamed file by its new path', () => {
    const { files, diff } = parseDiff(`${records('0\t0\t', 'old', 'new', '2\t1\tother')}\0diff`, 'app');
    expect(files.map(({ path }) => path)).toEqual(['app/new', 'app/other']);
    expect(diff).toBe('diff');
  });

  it('should read nothing where there is nothing, and where the counts were cut off', () => {
    expect(parseDiff('', '.')).toEqual({ files: [], diff: '' });
    expect(parseDiff(`${records('1\t0\ta')}2\t1`, '.')).toEqual({
      files: [{ path: 'a', added: 1, removed: 0 }],
      diff: '',
    });
  });
});

describe('parseLog', () => {
  it('should read commits, with a body where they have one', () => {
    const one = ['a1', 'Ann <ann@example.org>', '2026-01-01T00:00:00+00:00', 'First', ''];
    const other = ['b2', 'Ben <ben@example.org>', '2026-01-02T00:00:00+00:00', 'Second', 'Why\nso\n'];
    expect(parseLog(records(...one, ...other))).toEqual([
      { hash: 'a1', author: one[1], date: one[2], subject: 'First' },
      { hash: 'b2', author: other[1], date: other[2], subject: 'Second', body: 'Why\nso' },
    ]);
  });

  it('should leave out a commit that was cut off, and shorten a long body', () => {
    const whole = records('a1', 'Ann', '2026', 'First', 'x'.repeat(9_000));
    const commits = parseLog(`${whole}${records('b2', 'Ben')}20`);
    expect(commits).toHaveLength(1);
    expect(commits[0]?.body).toHaveLength(4_096);
  });
});
