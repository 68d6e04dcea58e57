import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { takeHome } from './home.js';
import { writeRunFile } from './run-file.js';

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
