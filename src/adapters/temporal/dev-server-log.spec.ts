import { closeSync, existsSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DevServerLog, lastProblem } from './dev-server-log.js';

describe(DevServerLog.name, () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-log-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (log: DevServerLog, text: string): void => {
    const descriptor = log.open();
    writeSync(descriptor, text);
    closeSync(descriptor);
  };

  it('should show what was said since the last start alone', () => {
    const log = new DevServerLog(join(folder, 'logs', 'temporal.log'));
    write(log, 'first start\n');
    expect(log.tail()).toBe('first start\n');
    write(log, 'second start\n');
    expect(log.tail()).toBe('second start\n');
  });

  it('should keep one older file when it has grown', () => {
    const log = new DevServerLog(join(folder, 'temporal.log'));
    write(log, 'x'.repeat(20_000_001));
    write(log, 'new\n');
    expect(existsSync(`${log.path}.1`)).toBe(true);
    expect(log.tail()).toBe('new\n');
  });
});

describe(lastProblem.name, () => {
  it.each([
    ['', 'it said nothing'],
    [
      'banner\nError: failed starting server: file is not a database\n',
      'failed starting server: file is not a database',
    ],
    [
      '{"level":"ERROR","msg":"cannot listen","error":"address already in use"}\n{"level":"WARN","msg":"bye"}',
      'cannot listen: address already in use',
    ],
    ['just a line\n', 'just a line'],
  ])('should find the reason in %j', (log, reason) => {
    expect(lastProblem(log)).toBe(reason);
  });
});
