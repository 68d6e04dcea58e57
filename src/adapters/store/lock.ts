import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { AppError } from '../../errors/app-error.js';

/**
 * An exclusive lock on a DAGI_HOME that the kernel frees when the process ends, however it ends. SQLite is used only
 * for its portable file lock: a lock file with a time stamp would make a restart after `kill -9` wait, and one with a
 * process id can be fooled by a reused id.
 */
export class HomeLock {
  private constructor(private readonly file: DatabaseSync) {}

  /** @throws AppError `HOME_LOCKED` if another process holds it */
  static acquire(home: string): HomeLock {
    const file = new DatabaseSync(join(home, 'db.lock'));
    try {
      file.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
    } catch (error) {
      file.close();
      throw new AppError(
        'HOME_LOCKED',
        `Another process has the database in ${home} open. Stop it, or choose another folder with --home or DAGI_HOME.`,
        {},
        { cause: error },
      );
    }
    return new HomeLock(file);
  }

  release(): void {
    if (this.file.isOpen) this.file.close();
  }
}
