import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Env } from '../../config/env.js';
import { serveApi } from './serve.js';
import { keyRemark } from './summary.js';

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
    const services = { DATABASE_URL: 'postgres://127.0.0.1:1/d', TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const env = { ...services, HOST: '192.0.2.1', PORT: 0, home, cache } as Env;
    await expect(serveApi(env, undefined)).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('set HOST'),
    });
    expect([existsSync(home), existsSync(cache)]).toEqual([true, false]);
  });
});

describe('keyRemark', () => {
  it('should tell once where a new key is kept', () => {
    expect(keyRemark('/srv/dagi', { created: true })).toContain('/srv/dagi/admin.key');
    expect(keyRemark('/srv/dagi', { created: false })).toBe('');
  });
});
