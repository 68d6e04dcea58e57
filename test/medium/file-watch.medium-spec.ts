import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { FileWatch } from '../../src/adapters/file-watch.js';

describe('FileWatch', () => {
  let folder: string;
  let files: FileWatch;
  let count = 0;
  const content = (): string => `text ${(count += 1)}`;
  const changed = jest.fn();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-test-watch-'));
    for (const name of ['a.yml', 'b.yml']) await writeFile(join(folder, name), 'first');
    files = new FileWatch(pino({ level: 'silent' }));
    changed.mockReset();
  });
  afterEach(async () => {
    await files.close();
    await rm(folder, { recursive: true });
  });

  const path = (name: string): string => join(folder, name);

  /** Makes a change again and again until it is told: it may come before the first look at the file. */
  async function untilTold(change: () => Promise<void>): Promise<void> {
    changed.mockClear();
    const giveUpAt = Date.now() + 20_000;
    await change();
    for (let next = Date.now() + 2_000; changed.mock.calls.length === 0;) {
      await sleep(20);
      if (Date.now() > giveUpAt) throw new Error('the change was never told');
      if (Date.now() < next) continue;
      await change();
      next = Date.now() + 2_000;
    }
  }

  const write = (name: string) => (): Promise<void> => writeFile(path(name), content());
  const replace = (name: string) => async (): Promise<void> => {
    await writeFile(path('.new'), content());
    await rename(path('.new'), path(name));
  };

  it('should tell of a file that is written in place, replaced, taken away and put back', async () => {
    files.watch([path('a.yml')], changed);
    await untilTold(write('a.yml'));
    await untilTold(replace('a.yml'));
    await untilTold(replace('a.yml'));
    await untilTold(async () => {
      await rm(path('a.yml'), { force: true });
      await writeFile(path('a.yml'), content());
    });
    await untilTold(write('a.yml'));
  });

  it('should follow a link whose folder is exchanged, as those of mounted configurations are', async () => {
    for (const name of ['one', 'two']) {
      await mkdir(path(name));
      await writeFile(path(join(name, 'p.yml')), name);
    }
    await symlink('one', path('now'));
    await symlink('now/p.yml', path('p.yml'));
    files.watch([path('p.yml')], changed);
    let to = 'one';
    await untilTold(async () => {
      to = to === 'one' ? 'two' : 'one';
      await symlink(to, path('.next'));
      await rename(path('.next'), path('now'));
    });
  });

  it('should follow the list of files as it changes, and tell whoever asked last', async () => {
    const former = jest.fn();
    files.watch([path('a.yml')], former);
    files.watch([path('b.yml')], changed);
    await untilTold(write('b.yml'));
    files.watch([path('b.yml'), path('a.yml')], changed);
    await untilTold(write('a.yml'));
    await untilTold(write('b.yml'));
    expect(former).not.toHaveBeenCalled();
  });
});
