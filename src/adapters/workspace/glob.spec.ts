import { describe, expect, it } from '@jest/globals';
import { Glob } from './glob.js';

const matches = (glob: string, path: string): boolean => {
  const matcher = new Glob(glob);
  return matcher.matches(path.split('/').reduce((state, name) => matcher.step(state, name), matcher.start));
};

describe('Glob', () => {
  it.each([
    ['*.ts', ['a.ts', 'a/b/c.ts', '.ts'], ['a.tsx', 'a.ts/b']],
    ['/*.ts', ['a.ts'], ['a/b.ts']],
    ['./src/*.ts', ['src/a.ts'], ['a.ts', 'src/a/b.ts']],
    ['src/**', ['src/a', 'src/a/b'], ['src', 'srca', 'a/src/b']],
    ['**', ['a', 'a/b/c'], []],
    ['a/**/**/b', ['a/b', 'a/x/y/b'], ['a/x']],
    ['**/test/**/*.js', ['test/a.js', 'a/test/b/c/d.js'], ['test.js', 'a/b.js']],
    ['src/**/*.{ts,mjs}', ['src/a.ts', 'src/x/y/a.mjs'], ['src/a.js']],
    ['{a,b{c,d}}/x', ['a/x', 'bc/x', 'bd/x'], ['b/x', 'a']],
    ['file-?.[a-c0]', ['file-x.b', 'file-é.0', 'file-\u{1F600}.a'], ['file-.b', 'file-xy.b', 'file-x.d']],
    ['[!a]b', ['bb', 'x/cb'], ['ab', 'b']],
    ['[]a]', [']', 'a'], ['b']],
    ['a[b', ['a[b'], ['ab']],
    ['\\*\\{a,b}', ['*{a,b}'], ['x{a,b}', '*a']],
    ['{a}', ['{a}'], ['a']],
    ['a{b,c', ['a{b,c'], ['ab']],
    ['*a*b*', ['ab', 'xaxbx', 'aab'], ['ba']],
    ['.*', ['.git', 'a/.env'], ['git']],
  ])('%s', (glob, those, others) => {
    expect(those.filter((path) => !matches(glob, path))).toEqual([]);
    expect(others.filter((path) => matches(glob, path))).toEqual([]);
  });

  it('knows below which folders nothing can match', () => {
    const glob = new Glob('src/*/x.ts');
    expect(glob.step(glob.start, 'docs')).toEqual([]);
    expect(glob.step(glob.start, 'src')).not.toEqual([]);
  });

  it.each(['x'.repeat(257), '!a', 'a//b', '../a', 'a/../b', '{a,b}'.repeat(40), '/'])('refuses %s', (glob) => {
    expect(() => new Glob(glob)).toThrow(expect.objectContaining({ code: 'BODY_INVALID' }));
  });

  it.each([
    ['*a'.repeat(127) + 'b', 'a'.repeat(255)],
    [`${'+(a|aa)'.repeat(30)}b`, 'a'.repeat(255)],
    [`${'[a]+'.repeat(50)}b`, 'a'.repeat(255)],
    ['(a+)+b', 'a'.repeat(255)],
    ['**/a/'.repeat(40) + 'b', 'a/'.repeat(500) + 'c'],
    ['{*a,*?}'.repeat(6), 'a'.repeat(254)],
  ])('takes little time for %s', (glob, path) => {
    const began = performance.now();
    matches(glob, path);
    expect(performance.now() - began).toBeLessThan(500);
  });
});
