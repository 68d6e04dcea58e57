import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeProblem } from './problem.mjs';

const POLL_MS = 200;

/**
 * Runs `action` while no other launcher of this checkout runs one. The lock is a file that names its holder, so the
 * lock of a killed launcher is recognised and taken over.
 */
export async function withLock(file, action) {
  await acquire(file);
  try {
    return await action();
  } finally {
    rmSync(file, { force: true });
  }
}

async function acquire(file) {
  let told = false;
  while (!tryCreate(file)) {
    const holder = readHolder(file);
    if (holder !== undefined && !isAlive(holder)) removeStale(file);
    else {
      if (!told && holder !== undefined)
        console.log(`Waiting for another launcher (process ${holder}) to finish its work…`);
      told ||= holder !== undefined;
      await sleep(POLL_MS);
    }
  }
}

function tryCreate(file) {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw writeProblem(dirname(file), error);
  }
}

/** Pid of the holder; undefined while the file is being written or is just gone. */
function readHolder(file) {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function removeStale(file) {
  // Two waiters may see the same stale lock. Only one rename succeeds, and the loser must not remove the winner's lock.
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    const holder = readHolder(aside);
    if (holder !== undefined && isAlive(holder)) renameSync(aside, file);
    else rmSync(aside, { force: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw writeProblem(dirname(file), error);
  }
}

/** Whether a process exists, be it another user's. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
