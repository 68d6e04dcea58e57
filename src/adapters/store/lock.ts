import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { AppError } from '../../errors/app-error.js';

/** Keeps the open files reachable: a collected one is closed, and its lock would go although nobody released it. */
const heldFiles = new Set<DatabaseSync>();

/** What SQLite answers when somebody else holds the file. */
const SQLITE_BUSY = 5;

/**
 * An exclusive lock on a DAGI_HOME (`db.lock`: the embedded database; `up.lock`: all of `dagi up`, its Temporal
 * server's file included) that the kernel frees when the process ends, however it ends. SQLite is used only
 * for its portable file lock: a lock file with a time stamp would make a restart after `kill -9` wait, and one with a
 * process id can be fooled by a reused id.
 */
export class HomeLock {
  private constructor(private readonly file: DatabaseSync) {}

  /** @throws AppError `HOME_LOCKED` if another process holds it, `SETUP_FAILED` if the folder cannot be locked at all */
  static acquire(home: string, name: 'db.lock' | 'up.lock' = 'db.lock'): HomeLock {
    let file: DatabaseSync | undefined;
    try {
      file = new DatabaseSync(join(home, name));
      file.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
      heldFiles.add(file);
      return new HomeLock(file);
    } catch (error) {
      file?.close();
      throw refusal(home, name, error);
    }
  }

  release(): void {
    heldFiles.delete(this.file);
    if (this.file.isOpen) this.file.close();
  }
}

function refusal(home: string, name: string, cause: unknown): AppError {
  const code = typeof cause === 'object' && cause !== null && 'errcode' in cause ? cause.errcode : undefined;
  if (code === SQLITE_BUSY) {
    const message = `Another process has ${home} open, or is still stopping. Stop it, wait a moment, or choose another folder with --home or DAGI_HOME.`;
    return new AppError('HOME_LOCKED', message, {}, { cause });
  }
  const message = `${join(home, name)} cannot be locked. Make the folder writable, remove a damaged file, or choose another folder with --home or DAGI_HOME.`;
  return new AppError('SETUP_FAILED', message, {}, { cause });
}
