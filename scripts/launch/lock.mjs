import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeProblem } from './problem.mjs';

const POLL_MS = 200;
/** An empty file of this age was left by a launcher that was killed before it wrote its pid. */
const EMPTY_STALE_MS = 1_000;
const TELL_AFTER_MS = 2_000;

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
  const tellAt = Date.now() + TELL_AFTER_MS;
  let told = false;
  while (!tryCreate(file)) {
    if (isStale(file)) removeStale(file);
    else await sleep(POLL_MS);
    if (told || Date.now() < tellAt) continue;
    told = true;
    console.log(
      `Waiting for another launcher (process ${readHolder(file)}) to finish its work; if it is none, delete ${file}`,
    );
  }
}

/** Whether nobody holds the lock: its holder is gone, or had our number, or never wrote its own. */
function isStale(file) {
  const holder = readHolder(file);
  if (holder !== undefined) return holder === process.pid || !isAlive(holder);
  const found = statSync(file, { throwIfNoEntry: false });
  return found !== undefined && Date.now() - found.mtimeMs > EMPTY_STALE_MS;
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
    if (isStale(aside)) rmSync(aside, { force: true });
    else renameSync(aside, file);
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
