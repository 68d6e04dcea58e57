import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GoCache } from './go-cache.js';
import type { Toolchain } from './toolchains.js';

describe(GoCache, () => {
  let folder: string;
  let cache: string;
  let told: string[];
  let go: Toolchain;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-go-cache-'));
    cache = join(folder, 'cache');
    told = [];
    go = { mounts: [], path: [folder], env: { GOPROXY: 'off' }, version: 'Go 1.26.8' };
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A go that keeps count of its starts. */
  const writeGo = (script: string): Promise<void> =>
    writeFile(join(folder, 'go'), `#!/bin/sh\necho "$* in $(ls | wc -l)" >>${folder}/starts\n${script}`, {
      mode: 0o755,
    });
  const open = (): GoCache =>
    new GoCache({
      cache,
      reporter: {
        trying: (part) => told.push(`trying ${part}`),
        progress: () => undefined,
        done: (part) => told.push(`done ${part}`),
        damaged: () => undefined,
        failed: (part, _source, reason) => told.push(`failed ${part}: ${reason}`),
      },
    });
  const starts = (): Promise<string> => readFile(join(folder, 'starts'), 'utf8');

  it('should be made once in the background, of nothing, and then be shown to each run', async () => {
    await writeGo('mkdir "$GOCACHE/00"; env >"$GOCACHE/00/x-a"');
    const made = open();
    expect(await Promise.all([made.parts(go), made.parts(go)])).toEqual([
      { mounts: [], env: {} },
      { mounts: [], env: {} },
    ]);
    await made.settled();
    const source = join(cache, `go-Go1.26.8-${process.arch}`);
    const expected = { mounts: [{ source, target: '/go-cache', writable: true }], env: { GOCACHE: '/go-cache' } };
    expect(await made.parts(go)).toEqual(expected);
    expect(await open().parts(go)).toEqual(expected);
    expect(await starts()).toBe('build std in 0\n');
    expect(told).toEqual(['trying standard library of Go 1.26.8', 'done standard library of Go 1.26.8']);
    expect(await readdir(cache)).toHaveLength(1);
  });

  it('should look so new that go marks nothing in it as used', async () => {
    await writeGo('env >"$GOCACHE/x-a"');
    const made = open();
    await made.parts(go);
    await made.settled();
    const [mount] = (await made.parts(go)).mounts;
    const file = join(mount?.source ?? '', 'x-a');
    expect((await stat(file)).mtime.getUTCFullYear()).toBe(2100);
    expect(await readFile(file, 'utf8')).toMatch(/^GOENV=off$/m);
  });

  it('should do without where go fails, and not try again at once', async () => {
    await writeGo('echo no space >&2; exit 1');
    const made = open();
    await made.parts(go);
    await made.settled();
    expect(await made.parts(go)).toEqual({ mounts: [], env: {} });
    await made.settled();
    expect(await starts()).toBe('build std in 0\n');
    expect(told.at(-1)).toMatch(/^failed standard library of Go 1.26.8: go ended with 1: no space/);
    expect(await readdir(cache)).toEqual([]);
  });
});
