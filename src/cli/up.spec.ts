import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Env } from '../../config/env.js';
import { up } from './up.js';

describe(up.name, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-up-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('should refuse production without an administrator’s key in its first step, before anything is made', async () => {
    const home = join(folder, 'home');
    const env = { DAGI_PROFILE: 'prod', HOST: '127.0.0.1', PORT: 0, home, cache: join(home, 'cache') } as Env;
    const out = new PassThrough();
    await expect(up(env, { firstQuestion: false }, out)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('Set DAGI_ADMIN_KEY'),
    });
    expect(String(out.read())).toMatch(/^✗ configuration \(\d\.\d\d s\)\n$/);
    expect(existsSync(home)).toBe(false);
  });
});
