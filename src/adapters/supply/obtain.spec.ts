import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { obtain } from './obtain.js';
import type { Part, Source } from './part.js';
import { silentReporter, type SupplyReporter } from './reporter.js';

const CONTENT = 'the real thing';
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

/** A source that delivers a text, and counts how often it is asked. */
class TextSource implements Source {
  asked = 0;

  constructor(
    readonly name: string,
    private readonly text: string,
  ) {}

  async fetch({ folder }: { folder: string }): Promise<string> {
    this.asked += 1;
    const file = join(folder, 'file');
    await writeFile(file, this.text);
    return file;
  }
}

const failing = (name: string, reason: string): Source => ({ name, fetch: () => Promise.reject(new Error(reason)) });

const partOf = (...sources: Source[]): Part => ({
  name: 'part',
  file: 'sub/part.bin',
  sha256: SHA256,
  executable: true,
  sources,
  remedy: 'ask a friend',
});

class Notes implements SupplyReporter {
  readonly lines: string[] = [];
  trying = (_part: string, source: string): number => this.lines.push(`trying ${source}`);
  progress = (): undefined => undefined;
  failed = (_part: string, source: string, reason: string): number => this.lines.push(`failed ${source}: ${reason}`);
  damaged = (): number => this.lines.push('damaged');
  done = (): number => this.lines.push('done');
}

describe(obtain.name, () => {
  let cache: string;
  let target: string;

  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'dagi-supply-'));
    target = join(cache, 'sub/part.bin');
  });
  afterEach(() => rm(cache, { recursive: true, force: true }));

  it('should take the first source that delivers, and name those that failed before it', async () => {
    const reporter = new Notes();
    const last = new TextSource('c', CONTENT);
    const part = partOf(failing('a', 'no network'), new TextSource('b', 'something else'), last);
    await expect(obtain(part, { cache, reporter })).resolves.toBe(target);
    expect(await readFile(target, 'utf8')).toBe(CONTENT);
    expect((await stat(target)).mode & 0o111).not.toBe(0);
    expect(reporter.lines.slice(0, 2)).toEqual(['trying a', 'failed a: no network']);
    expect(reporter.lines[3]).toMatch(/^failed b: wrong checksum/);
    expect(reporter.lines.at(-1)).toBe('done');
  });

  it('should leave nothing behind but the file and the note about it', async () => {
    await obtain(partOf(new TextSource('a', 'wrong'), new TextSource('b', CONTENT)), {
      cache,
      reporter: silentReporter,
    });
    expect((await readdir(join(cache, 'sub'))).sort()).toEqual(['part.bin', 'part.bin.verified.json']);
  });

  it('should be silent and ask nobody when the cache has it', async () => {
    const source = new TextSource('a', CONTENT);
    await obtain(partOf(source), { cache, reporter: silentReporter });
    const reporter = new Notes();
    await obtain(partOf(source), { cache, reporter });
    expect(source.asked).toBe(1);
    expect(reporter.lines).toEqual([]);
  });

  it('should accept a file that somebody else put into the cache, by its checksum', async () => {
    await mkdir(join(cache, 'sub'), { mode: 0o755 });
    await writeFile(target, CONTENT, { mode: 0o644 });
    await expect(obtain(partOf(), { cache, reporter: silentReporter })).resolves.toBe(target);
  });

  it.each([
    ['shorter', () => truncate(target, 3)],
    ['of the same size', () => writeFile(target, CONTENT.toUpperCase())],
  ])('should name, delete and fetch again a file that is damaged (%s)', async (_how, damage) => {
    const source = new TextSource('a', CONTENT);
    await obtain(partOf(source), { cache, reporter: silentReporter });
    await damage();
    await utimes(target, new Date(), new Date(Date.now() + 5_000));
    const reporter = new Notes();
    await obtain(partOf(source), { cache, reporter });
    expect(reporter.lines).toEqual(['damaged', 'trying a', 'done']);
    expect(await readFile(target, 'utf8')).toBe(CONTENT);
  });

  it('should say in one sentence what failed where, and the remedy', async () => {
    const part = partOf(failing('a', 'no\n network'), failing('b', 'HTTP 404'));
    await expect(obtain(part, { cache, reporter: silentReporter })).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: 'part could not be obtained (a: no network; b: HTTP 404): ask a friend.',
    });
    expect(existsSync(target)).toBe(false);
  });

  it('should remove what a killed process left half fetched, and nothing of a living one', async () => {
    await mkdir(join(cache, 'sub', 'incoming-999999999-abc'), { recursive: true });
    await mkdir(join(cache, 'sub', `incoming-${process.ppid}-abc`));
    await obtain(partOf(new TextSource('a', CONTENT)), { cache, reporter: silentReporter });
    expect((await readdir(join(cache, 'sub'))).filter((name) => name.startsWith('incoming-'))).toEqual([
      `incoming-${process.ppid}-abc`,
    ]);
  });

  it('should say which folder cannot be written', async () => {
    const file = join(cache, 'file');
    await writeFile(file, '');
    const blocked = join(file, 'cache');
    await expect(
      obtain(partOf(new TextSource('a', CONTENT)), { cache: blocked, reporter: silentReporter }),
    ).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringMatching(
        new RegExp(`^The cache folder ${blocked} cannot be written \\(E\\w+\\): .*DAGI_CACHE`),
      ),
    });
  });

  it('should use a read-only cache that is complete', async () => {
    await mkdir(join(cache, 'sub'), { mode: 0o755 });
    await writeFile(target, CONTENT, { mode: 0o644 });
    await chmod(join(cache, 'sub'), 0o555);
    await expect(obtain(partOf(), { cache, reporter: silentReporter })).resolves.toBe(target);
    await chmod(join(cache, 'sub'), 0o755);
  });

  it("should make a cache that is its owner's alone", async () => {
    const fresh = join(cache, 'fresh');
    await obtain(partOf(new TextSource('a', CONTENT)), { cache: fresh, reporter: silentReporter });
    for (const folder of [fresh, join(fresh, 'sub')]) expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it.each([
    ['the cache folder', () => cache],
    ['the folder of the file', () => join(cache, 'sub')],
    ['the file', () => target],
    ['the note about it', () => `${target}.verified.json`],
  ])('should refuse where others can write %s', async (_what, path) => {
    const part = partOf(new TextSource('a', CONTENT));
    await obtain(part, { cache, reporter: silentReporter });
    await chmod(path(), 0o777);
    await expect(obtain(part, { cache, reporter: silentReporter })).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining(`${path()} can be written by other users: delete it`),
    });
  });

  it('should survive two processes that fetch at once', async () => {
    const both = [1, 2].map(() => obtain(partOf(new TextSource('a', CONTENT)), { cache, reporter: silentReporter }));
    await expect(Promise.all(both)).resolves.toEqual([target, target]);
    expect(await readFile(target, 'utf8')).toBe(CONTENT);
  });
});
