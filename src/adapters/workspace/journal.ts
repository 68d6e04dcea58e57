import type { WriteJournal } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';

/** What an earlier attempt was about to do with a file, by its hashes; null: no such file. */
export type Kept = WriteJournal['files'][number];

/**
 * How far an earlier attempt has come with a file, judged by the file's hash alone.
 * @throws AppError `FILE_CHANGED` if the file is neither as it was nor as it was to become
 */
export function progressOf(journal: WriteJournal, path: string, hash: string | null): { kept: Kept; isDone: boolean } {
  const kept = journal.files.find((file) => file.path === path);
  if (kept === undefined || (hash !== kept.after && hash !== kept.before)) throw changed(path, hash);
  return { kept, isDone: hash === kept.after };
}

/** @param hash what the file has in place of what was expected; null: it is gone */
export function changed(path: string, hash: string | null): AppError {
  const what = hash === null ? 'is gone' : 'is not the one that was expected';
  return new AppError('FILE_CHANGED', `${JSON.stringify(path)} ${what}: read it again.`, { path, hash });
}
