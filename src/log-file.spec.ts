import { once, type EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openLogFile } from './log-file.js';

describe(openLogFile.name, () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-log-'));
    file = join(folder, 'dagi.log');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Writes lines one after the other, each in a write of its own. */
  async function write(lines: number, rotation: { max_size_mb?: number; max_files?: number }): Promise<void> {
    const stream = openLogFile(file, rotation) as unknown as EventEmitter & { write(text: string): void; end(): void };
    for (let line = 1; line <= lines; line += 1) {
      const written = once(stream, 'write');
      stream.write(`line ${line}\n`);
      await written;
    }
    stream.end();
    await once(stream, 'close');
  }

  const files = (): string[] => readdirSync(folder).toSorted();
  const linesOf = (name: string): string[] => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);

  it('should begin a new file when one is full, and keep so many', async () => {
    await write(9, { max_size_mb: 0.000_014, max_files: 3 });
    expect(files()).toEqual(['dagi.log', 'dagi.log.1', 'dagi.log.2']);
    expect([...linesOf('dagi.log.2'), ...linesOf('dagi.log.1'), ...linesOf('dagi.log')]).toEqual(
      [5, 6, 7, 8, 9].map((line) => `line ${line}`),
    );
  });

  it('should count what an earlier process wrote', async () => {
    writeFileSync(file, 'x'.repeat(1_000));
    await write(2, { max_size_mb: 0.001, max_files: 2 });
    expect(files()).toEqual(['dagi.log', 'dagi.log.1']);
    expect(linesOf('dagi.log')).toEqual(['line 2']);
  });

  it('should keep nothing but the file itself where one is allowed', async () => {
    await write(3, { max_size_mb: 0.000_014, max_files: 1 });
    expect(files()).toEqual(['dagi.log']);
    expect(linesOf('dagi.log')).toEqual(['line 3']);
  });

  it('should go on in the same file where no other can be made', async () => {
    mkdirSync(join(folder, 'dagi.log.1', 'in-the-way'), { recursive: true });
    await write(3, { max_size_mb: 0.000_014, max_files: 2 });
    expect(linesOf('dagi.log')).toEqual(['line 1', 'line 2', 'line 3']);
  });

  it('should not rotate before 100 MB unless told to', async () => {
    await write(3, {});
    expect(files()).toEqual(['dagi.log']);
    expect(linesOf('dagi.log')).toHaveLength(3);
  });
});
