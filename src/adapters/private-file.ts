import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { v7 as uuid } from 'uuid';
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

/**
 * Makes a file that this user alone can read. Of processes that do so at once one has its way, and the others take what
 * that one wrote.
 * @returns what stands in the file now
 * @param distrust what is thrown where it cannot be made, or where another's cannot be trusted
 */
export function makePrivate(file: string, text: string, distrust: (file: string, cause?: unknown) => AppError): string {
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${uuid()}`;
  writeFileSync(fresh, text, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(fresh, file);
    return text;
  } catch (error) {
    const others = Error.isError(error) && 'code' in error && error.code === 'EEXIST' && readPrivate(file, distrust);
    if (typeof others !== 'string') throw distrust(file, error);
    return others;
  } finally {
    rmSync(fresh, { force: true });
  }
}
