import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { AppError } from '../errors/app-error.js';

/**
 * The text of a file that this user alone can have written and can read; undefined if there is none.
 * @param distrust what is thrown where that is not so, or where the file cannot be read
 */
export function readPrivate(file: string, distrust: (file: string, cause?: unknown) => AppError): string | undefined {
  let handle: number;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (Error.isError(error) && 'code' in error && error.code === 'ENOENT') return undefined;
    throw distrust(file, error);
  }
  try {
    const { uid, mode } = fstatSync(handle);
    const ours = process.getuid === undefined || uid === process.getuid();
    if (!ours || (mode & 0o077) !== 0) throw distrust(file);
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}
