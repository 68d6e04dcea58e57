import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { makeOwnFolder, removeStaleFolders } from './own-folders.js';

/** Larger than any process id of Linux. */
const NOBODY = 4_194_305;

describe('own folders', () => {
  const made: string[] = [];
  const folder = (name: string): string => {
    const path = join(tmpdir(), name);
    mkdirSync(join(path, 'inside'), { recursive: true });
    made.push(path);
    return path;
  };

  afterEach(() => {
    for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
  });

  it('are removed once their process is gone, and not before', async () => {
    const own = await makeOwnFolder();
    made.push(own);
    const stale = folder(`dagi-run-${NOBODY}-abc`);
    const others = folder(`dagi-other-${NOBODY}-abc`);
    await removeStaleFolders();
    expect([own, stale, others].map((path) => existsSync(path))).toEqual([true, false, true]);
  });
});
