import { chmod, chown, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { prepareHome, takeHome } from './home.js';
import { writeRunFile } from './run-file.js';

describe(prepareHome.name, () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'dagi-home-'));
  });
  afterEach(() => rm(home, { recursive: true }));

  it('should close a home of ours to other users, with the database and the logs', async () => {
    const folders = [home, join(home, 'database'), join(home, 'logs')];
    for (const folder of folders) {
      await mkdir(folder, { recursive: true });
      await chmod(folder, 0o755);
    }
    await prepareHome(home);
    for (const folder of folders) expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('should refuse a folder that all users share, and leave it as it is', async () => {
    await chmod(home, 0o1777);
    await expect(prepareHome(home)).rejects.toMatchObject({ code: 'SETUP_FAILED' });
    expect((await stat(home)).mode & 0o7777).toBe(0o1777);
  });

  (process.getuid?.() === 0 ? it : it.skip)('should refuse a home of another user', async () => {
    await chown(home, 65_534, 65_534);
    await expect(prepareHome(home)).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('belongs to another user'),
    });
  });
});

describe(takeHome.name, () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'dagi-home-'));
    // As after a crash, when somebody else has the number of the process that wrote it.
    await writeRunFile(home, {
      pid: 1,
      url: 'http://127.0.0.1:9102',
      temporal_address: '127.0.0.1:7233',
      temporal_ui: null,
      started_at: new Date(0).toISOString(),
    });
  });
  afterEach(() => rm(home, { recursive: true }));

  it('should start where only a run file is left, whoever has its process number now', async () => {
    const lock = await takeHome(home);
    lock.release();
  });

  it('should name the running instance where the home is locked', async () => {
    const lock = await takeHome(home);
    await expect(takeHome(home)).rejects.toMatchObject({
      code: 'HOME_LOCKED',
      message: expect.stringContaining('process 1, http://127.0.0.1:9102'),
    });
    lock.release();
  });
});
