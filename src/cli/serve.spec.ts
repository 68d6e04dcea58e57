import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Env } from '../../config/env.js';
import { serveApi } from './serve.js';
import { keyRemark } from './summary.js';

const SERVICES = { DAGI_PROFILE: 'dev', DATABASE_URL: 'postgres://127.0.0.1:1/d', TEMPORAL_ADDRESS: '127.0.0.1:1' };

describe(serveApi.name, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-serve-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('should make its home and refuse a wrong address before anything is fetched or opened', async () => {
    const home = join(folder, 'home');
    const cache = join(folder, 'cache');
    const env = { ...SERVICES, HOST: '192.0.2.1', PORT: 0, home, cache } as Env;
    await expect(serveApi(env, undefined)).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('set HOST'),
    });
    expect([existsSync(home), existsSync(cache)]).toEqual([true, false]);
  });

  it('should refuse production without an administrator’s key before anything is made', async () => {
    const env = { ...SERVICES, DAGI_PROFILE: 'prod', PORT: 0, home: join(folder, 'home') } as Env;
    await expect(serveApi(env, undefined)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('Set DAGI_ADMIN_KEY'),
    });
    expect(existsSync(env.home)).toBe(false);
  });
});

describe('keyRemark', () => {
  it('should tell once where a new key is kept', () => {
    expect(keyRemark({ created: true, file: '/srv/dagi/admin.key' })).toContain('/srv/dagi/admin.key');
    expect(keyRemark({ created: false, file: '/srv/dagi/admin.key' })).toBe('');
  });
});
