import { AppError } from '../../errors/app-error.js';

const LONGEST_PATH = 4_096;
const LONGEST_NAME_BYTES = 255;
/** Files beside those that are being written. No tool shows or opens them. */
const TEMPORARY = /^\.dagi-.*\.tmp$/s;

/** Whether a name is that of a file which a write has not finished. */
export const isTemporary = (name: string): boolean => TEMPORARY.test(name);

/** A path as text: `.` for the workspace itself. */
export const pathOf = (names: readonly string[]): string => (names.length === 0 ? '.' : names.join('/'));

/** The error of a path that is refused, with the reason as a sentence's end. */
export function denied(path: string, why: string): AppError {
  return new AppError('PATH_DENIED', `${JSON.stringify(shortened(path))} ${why}.`, { path: shortened(path) });
}

/**
 * The names of a path below the workspace, judged as text alone: nothing is opened. `.` between them is left out.
 * @throws AppError `PATH_DENIED`
 */
export function parsePath(path: string): string[] {
  if (path.length > LONGEST_PATH) throw denied(path, `is longer than ${LONGEST_PATH} characters`);
  if (path.startsWith('/')) throw denied(path, 'is not relative to the workspace');
  // Two texts with other halves of characters would be one name on the disk.
  if (path.includes('\0') || !path.isWellFormed()) throw denied(path, 'holds what no name can hold');
  const names = path.split('/').filter((name) => name !== '.');
  for (const name of names) requireName(path, name);
  return names;
}

/**
 * As `parsePath`, of a folder: one `/` at the end may stand.
 * @throws AppError `PATH_DENIED`
 */
export const parseFolderPath = (path: string): string[] =>
  parsePath(path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path);

/**
 * As `parsePath`, of a file: the workspace itself is none.
 * @throws AppError `PATH_DENIED`, `NOT_A_FILE`
 */
export function parseFilePath(path: string): [...folders: string[], name: string] {
  const names = parsePath(path);
  const name = names.pop();
  if (name === undefined) throw notAFile(path);
  return [...names, name];
}

/**
 * As `parseFilePath`, of a file that is to be written: nothing of git's own. Its hooks and its configuration name
 * programs, which would run wherever somebody uses the repository outside the sandbox.
 * @throws AppError `PATH_DENIED`, `NOT_A_FILE`
 */
export function parseWritePath(path: string): [...folders: string[], name: string] {
  const names = parseFilePath(path);
  if (names.some((name) => name.toLowerCase() === '.git')) throw denied(path, 'is of git, which only git writes');
  return names;
}

export const notAFile = (path: string): AppError =>
  new AppError('NOT_A_FILE', `${JSON.stringify(shortened(path))} is no file.`, { path: shortened(path) });

function requireName(path: string, name: string): void {
  if (name === '') throw denied(path, 'has an empty name in it');
  if (name === '..') throw denied(path, 'leads out of its folder with ".."');
  if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) throw denied(path, 'has a name of more than 255 bytes in it');
  if (isTemporary(name)) throw denied(path, 'has a name in it that is kept for files being written');
}

const shortened = (path: string): string => (path.length > 300 ? `${path.slice(0, 300)}…` : path).toWellFormed();
