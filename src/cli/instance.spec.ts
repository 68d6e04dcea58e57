import { chmod, chown, mkdtemp, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findInstance, findUrl, type InstanceEnv } from './instance.js';
import { readRunFile, removeRunFile, writeRunFile, type RunFile } from './run-file.js';

const RUNNING: RunFile = {
  pid: process.pid,
  url: 'http://127.0.0.1:9102',
  temporal_address: '127.0.0.1:7233',
  temporal_ui: null,
  started_at: new Date(0).toISOString(),
};
/** No process has this id: Linux ends at 4,194,304. */
const DEAD_PID = 999_999_999;

describe('finding a running instance', () => {
  let home: string;
  let env: InstanceEnv;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'dagi-home-'));
    env = { home, DAGI_URL: undefined, DAGI_API_KEY: undefined };
  });
  afterEach(() => rm(home, { recursive: true }));

  it('should use the run file and the key of the home folder', async () => {
    await writeRunFile(home, RUNNING);
    await writeFile(join(home, 'admin.key'), 'dagi_key\n');
    await expect(findInstance(env)).resolves.toEqual({ url: RUNNING.url, key: 'dagi_key' });
  });

  it('should prefer what the environment names', async () => {
    await writeRunFile(home, RUNNING);
    const named = { home, DAGI_URL: 'https://dagi.example.org/', DAGI_API_KEY: 'k' };
    await expect(findInstance(named)).resolves.toEqual({ url: 'https://dagi.example.org', key: 'k' });
  });

  it("should never send this home's admin key to another address", async () => {
    await writeFile(join(home, 'admin.key'), 'dagi_key\n');
    await expect(findInstance({ ...env, DAGI_URL: 'https://dagi.example.org' })).rejects.toMatchObject({
      code: 'NO_KEY',
    });
  });

  it.each([
    ['there is no run file', () => Promise.resolve()],
    ['its process has gone', () => writeRunFile(home, { ...RUNNING, pid: DEAD_PID })],
    ['it is damaged', () => writeFile(join(home, 'run.json'), '{"pid":')],
    ['it is of another form', () => writeFile(join(home, 'run.json'), '{"pid":"x"}')],
  ])('should say what to do where %s', async (_case, prepare) => {
    await prepare();
    await expect(findUrl(env)).rejects.toMatchObject({
      code: 'NOT_RUNNING',
      message: `Nothing is running on ${home}: start it with "npm run up", or set DAGI_URL and DAGI_API_KEY.`,
    });
  });

  it.each([
    ['others can write', () => chmod(join(home, 'run.json'), 0o622)],
    [
      'is a link',
      async () => {
        await rename(join(home, 'run.json'), join(home, 'elsewhere'));
        await symlink(join(home, 'elsewhere'), join(home, 'run.json'));
      },
    ],
  ])('should send no key to where a run file points that %s', async (_case, spoil) => {
    await writeRunFile(home, RUNNING);
    await spoil();
    await expect(findInstance({ ...env, DAGI_API_KEY: 'k' })).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });

  (process.getuid?.() === 0 ? it : it.skip)("should send no key to where another user's run file points", async () => {
    await writeRunFile(home, RUNNING);
    await chown(join(home, 'run.json'), 65_534, 65_534);
    await expect(findInstance({ ...env, DAGI_API_KEY: 'k' })).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });

  it('should keep the run file to its owner', async () => {
    await writeRunFile(home, RUNNING);
    expect((await stat(join(home, 'run.json'))).mode & 0o777).toBe(0o600);
  });

  it('should remove only its own run file', async () => {
    await writeRunFile(home, { ...RUNNING, pid: process.ppid });
    await removeRunFile(home);
    await expect(readRunFile(home)).resolves.toMatchObject({ pid: process.ppid });
    await writeRunFile(home, RUNNING);
    await removeRunFile(home);
    await expect(readRunFile(home)).resolves.toBeUndefined();
  });
});
