import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GUARD_SCRIPT } from './guard-script.js';
import { GuardedProcess } from './guarded-process.js';

/** Says its pid, and ends by itself if nobody ends it. */
const PROGRAM = ['-c', 'echo $$; exec sleep 20'];
const STUBBORN = ['-c', 'trap "" TERM; echo $$; sleep 20 & wait; sleep 20'];

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries += 1) await sleep(20);
  expect(condition()).toBe(true);
}

describe(GuardedProcess.name, () => {
  let folder: string;
  let output: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-guard-'));
    output = join(folder, 'out');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const start = (program: string, args: string[]): GuardedProcess => {
    const descriptor = openSync(output, 'a');
    const started = new GuardedProcess(program, args, descriptor);
    closeSync(descriptor);
    return started;
  };
  const programPid = async (): Promise<number> => {
    await until(() => readFileSync(output, 'utf8').includes('\n'));
    return Number(readFileSync(output, 'utf8').trim());
  };

  it('should end the program when it is stopped', async () => {
    const guarded = start('/bin/sh', PROGRAM);
    const pid = await programPid();
    await guarded.stop();
    expect(isAlive(pid)).toBe(false);
    expect(guarded.running).toBe(false);
  });

  it('should kill a program that will not end', async () => {
    const guarded = start('/bin/sh', STUBBORN);
    const pid = await programPid();
    await guarded.stop(300);
    await until(() => !isAlive(pid));
  });

  it('should tell how the program ended', async () => {
    await expect(start('/bin/sh', ['-c', 'exit 7']).ended).resolves.toEqual({ code: 7, signal: null });
    await expect(start('/no/such/program', []).ended).resolves.toEqual({ code: 127, signal: null });
  });

  it('should end the program also when its guard is killed alone', async () => {
    const guarded = start('/bin/sh', PROGRAM);
    const pid = await programPid();
    process.kill(guarded.pid!, 'SIGKILL');
    await guarded.ended;
    await until(() => !isAlive(pid));
  });

  it('should end the program when we are killed with -9', async () => {
    // A stand-in for us: a process of its own that holds the other end of the pipe, and is killed.
    const code = `
      const child = require('node:child_process').spawn('/bin/sh', ['-c', process.argv[1], 'guard', '/bin/sh', ...${JSON.stringify(PROGRAM)}],
        { detached: true, stdio: ['pipe', require('node:fs').openSync(process.argv[2], 'a'), 'ignore'] });
      setInterval(() => child.pid, 1000);`;
    const holder = spawn(process.execPath, ['-e', code, GUARD_SCRIPT, output], { stdio: 'ignore' });
    await until(() => {
      try {
        return readFileSync(output, 'utf8').includes('\n');
      } catch {
        return false;
      }
    });
    const pid = await programPid();
    holder.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });
});
