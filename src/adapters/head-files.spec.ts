import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SignedHead } from '../contracts/audit.js';
import { HeadFiles } from './head-files.js';

const head = (day: string, chain = 'greenfood-dao'): SignedHead => ({
  ...{ chain, day, seq: 3, hash: 'h', at: `${day}T00:05:00.000Z`, key_id: 'k', signature: 's' },
});

describe('HeadFiles', () => {
  let home: string;
  let sut: HeadFiles;
  let umask: number;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'dagi-test-heads-'));
    sut = new HeadFiles(() => join(home, 'audit'));
    umask = process.umask(0o077);
  });

  afterEach(() => {
    process.umask(umask);
    rmSync(home, { recursive: true });
  });

  const linesOf = (chain: string): unknown[] =>
    readFileSync(sut.fileOf(chain), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);

  it('has a line for each day, once, which everybody may read', async () => {
    expect(await sut.publish(head('2026-11-01'))).toBe(true);
    const again = await Promise.all([1, 2, 3].map(() => sut.publish(head('2026-11-02'))));
    expect(again.filter(Boolean)).toHaveLength(1);
    expect(await new HeadFiles(() => join(home, 'audit')).publish(head('2026-11-01'))).toBe(false);
    expect(linesOf('greenfood-dao')).toEqual([head('2026-11-01'), head('2026-11-02')]);
    const modes = ['.', 'greenfood-dao', 'greenfood-dao/heads.jsonl'].map(
      (path) => statSync(join(home, 'audit', path)).mode,
    );
    expect(modes.map((mode) => (mode & 0o777).toString(8))).toEqual(['755', '755', '644']);
  });

  it('has a file for each chain, inside its folder whatever the chain is called', async () => {
    for (const chain of ['', 'other-dao', '..', '../../x', 'Ünlike']) await sut.publish(head('2026-11-01', chain));
    expect(sut.fileOf('')).toBe(join(home, 'audit/_platform/heads.jsonl'));
    expect(sut.fileOf('other-dao')).toBe(join(home, 'audit/other-dao/heads.jsonl'));
    for (const chain of ['..', '../../x', 'Ünlike']) {
      expect(sut.fileOf(chain)).toMatch(/\/audit\/_[0-9a-f]{64}\/heads\.jsonl$/);
      expect(linesOf(chain)).toEqual([head('2026-11-01', chain)]);
    }
  });

  it('leaves a folder as it is that somebody else made, and follows where it is moved', async () => {
    let folder = join(home, 'public');
    mkdirSync(folder);
    const moving = new HeadFiles(() => folder);
    expect(await moving.publish(head('2026-11-01'))).toBe(true);
    expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
    folder = join(home, 'elsewhere');
    expect(await moving.publish(head('2026-11-01'))).toBe(true);
    expect(moving.fileOf('greenfood-dao')).toBe(join(home, 'elsewhere/greenfood-dao/heads.jsonl'));
  });

  it('goes on behind a line that a crash cut off', async () => {
    await sut.publish(head('2026-11-01'));
    appendFileSync(sut.fileOf('greenfood-dao'), '{"chain":"greenf');
    expect(await sut.publish(head('2026-11-02'))).toBe(true);
    const lines = readFileSync(sut.fileOf('greenfood-dao'), 'utf8').split('\n');
    expect(lines[1]).toBe('{"chain":"greenf');
    expect(JSON.parse(lines[2]!)).toEqual(head('2026-11-02'));
  });

  it('says when it cannot write', async () => {
    await sut.publish(head('2026-11-01'));
    rmSync(join(home, 'audit'), { recursive: true });
    appendFileSync(join(home, 'audit'), 'no folder');
    await expect(sut.publish(head('2026-11-02'))).rejects.toThrow();
  });
});
