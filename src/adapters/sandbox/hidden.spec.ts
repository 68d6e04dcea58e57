import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { coverArguments } from './hidden.js';

describe(coverArguments, () => {
  let root: string;
  const at = (...names: string[]): string => join(root, ...names);
  const here = (path: string) => ({ source: path, target: path });
  const tmpfs = (path: string): string[] => ['--size', '1048576', '--tmpfs', path];

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'dagi-hidden-')));
    await mkdir(at('usr', 'app', 'home', 'deep'), { recursive: true });
    await mkdir(at('usr', 'app', 'bin'));
    await writeFile(at('usr', 'app', '.env'), 'KEY=1');
  });
  afterEach(() => rm(root, { recursive: true }));

  it('should cover what lies below something that is shown, and nothing else', () => {
    expect(coverArguments([at('usr', 'app')], [here(at('usr'))], [])).toEqual([
      ...tmpfs(at('usr', 'app')),
      ...['--remount-ro', at('usr', 'app')],
    ]);
    expect(coverArguments([at('usr', 'app')], [here('/nowhere')], [])).toEqual([]);
    expect(coverArguments([at('usr', 'gone')], [here(at('usr'))], [])).toEqual([]);
  });

  it('should cover a file, under the name that the sandbox has for it', () => {
    const mount = { source: at('usr'), target: '/opt/tools' };
    const place = '/opt/tools/app/.env';
    expect(coverArguments([at('usr', 'app', '.env')], [], [mount])).toEqual([
      ...['--ro-bind', '/dev/null', place],
      ...['--remount-ro', place],
    ]);
  });

  it('should show again what the command needs, without what is hidden in that', () => {
    const hidden = [at('usr', 'app', 'home', 'deep'), at('usr', 'app')];
    const args = coverArguments(hidden, [here(at('usr'))], [here(at('usr', 'app', 'home'))]);
    const again = ['--ro-bind', at('usr', 'app', 'home'), at('usr', 'app', 'home')];
    const shownAt = args.join(' ').indexOf(again.join(' '));
    expect(shownAt).toBeGreaterThan(args.join(' ').indexOf(tmpfs(at('usr', 'app')).join(' ')));
    expect(args.join(' ').lastIndexOf(tmpfs(at('usr', 'app', 'home', 'deep')).join(' '))).toBeGreaterThan(shownAt);
  });

  it('should know a folder by its real place', async () => {
    await symlink(at('usr', 'app'), at('home'));
    expect(coverArguments([at('home')], [here(at('usr'))], [])).toEqual(
      expect.arrayContaining(tmpfs(at('usr', 'app'))),
    );
  });

  it('should never cover what no sandbox can do without', () => {
    expect(coverArguments(['/', '/usr', '/usr/bin', '/usr/local/lib'], [here('/usr')], [])).toEqual([]);
  });
});
