import { describe, expect, it } from '@jest/globals';
import { parseFilePath, parseFolderPath, parsePath, pathOf } from './path.js';

describe('parsePath', () => {
  it.each([
    ['.', '.'],
    ['./a/./b', 'a/b'],
    ['a\\b/..c/c..', 'a\\b/..c/c..'],
    ['%2e%2e%2fetc', '%2e%2e%2fetc'],
    ['…/．．/x', '…/．．/x'],
    ['x'.repeat(255), 'x'.repeat(255)],
  ])('takes %j', (path, normal) => expect(pathOf(parsePath(path))).toBe(normal));

  it.each([
    ...['', '/', '/etc/passwd', '..', '../x', 'a/../b', 'a/..', './..', 'a//b', 'a/', '//x', 'a\0b', 'a/\0'],
    ...['x'.repeat(256), 'é'.repeat(128), 'a/'.repeat(2_048) + 'b', 'a\ud800', '.dagi-1.tmp', 'a/.dagi-x\n.tmp/b'],
  ])('refuses %j', (path) => expect(() => parsePath(path)).toThrow(expect.objectContaining({ code: 'PATH_DENIED' })));

  it('takes one slash after a folder, and the workspace as no file', () => {
    expect(parseFolderPath('a/b/')).toEqual(['a', 'b']);
    expect(() => parseFolderPath('a//')).toThrow();
    expect(() => parseFolderPath('/')).toThrow();
    expect(() => parseFilePath('.')).toThrow(expect.objectContaining({ code: 'NOT_A_FILE' }));
  });
});
