import { access, chmod, constants, lstat, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors/app-error.js';
import { HomeLock } from '../adapters/store/lock.js';
import { readRunFile } from './run-file.js';

const STICKY = 0o1000;

/**
 * Makes sure that the state folder exists, can be written and is closed to other users.
 * @throws AppError `SETUP_FAILED` with the remedy
 */
export async function prepareHome(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    await access(home, constants.W_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const sentence = `The state folder ${home} cannot be written (${code}): give this user write access to it, or choose another with --home or DAGI_HOME.`;
    throw new AppError('SETUP_FAILED', sentence, {}, { cause: error });
  }
  await closeToOthers(home);
}

/** An older version, or a person, may have made the folders open to all. */
async function closeToOthers(home: string): Promise<void> {
  const ours = process.getuid?.();
  if (ours === undefined) return;
  const { uid, mode } = await stat(home);
  // The sticky bit marks a folder that all users share, such as /tmp: closing it would shut them out.
  if ((uid !== ours && uid !== 0) || (mode & STICKY) !== 0) {
    const sentence = `The state folder ${home} belongs to another user or to all: choose one of your own with --home or DAGI_HOME.`;
    throw new AppError('SETUP_FAILED', sentence);
  }
  if (uid === ours) await chmod(home, 0o700);
  for (const name of ['database', 'logs']) {
    const found = await lstat(join(home, name)).catch(() => undefined);
    if (found?.isDirectory() && found.uid === ours) await chmod(join(home, name), 0o700);
  }
}

/**
 * Takes the home for this instance, before anything of it is started.
 * @throws AppError `HOME_LOCKED`
 */
export async function takeHome(home: string): Promise<HomeLock> {
  try {
    return HomeLock.acquire(home, 'up.lock');
  } catch (error) {
    // The lock is the truth: what the run file names may be a process that only has the same number.
    const running = error instanceof AppError && error.code === 'HOME_LOCKED' ? await readRunFile(home) : undefined;
    if (!running) throw error;
    const sentence = `DAGI Stack runs on ${home} already (process ${running.pid}, ${running.url}): stop that one, or choose another folder with --home and another port with --port.`;
    throw new AppError('HOME_LOCKED', sentence, {}, { cause: error });
  }
}
