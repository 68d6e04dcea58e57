import type { ToolLimits, WriteParams, WriteResult } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { contentIfAny, hashOf, tooLarge } from './content.js';
import { at, systemCode } from './faults.js';
import type { Folder } from './opened.js';
import { parseFilePath, pathOf } from './path.js';
import { place } from './place.js';
import { inFolder, type Opener } from './walk.js';

/** Of a file that is made. */
export const NEW_FILE_MODE = 0o644;

interface Wanted {
  name: string;
  path: string;
  bytes: Buffer;
  hash: string;
  expected: string | null | undefined;
  most: number;
}

/**
 * Writes a whole file, and makes the folders above it. That the same was written before, by a run of this call that was
 * cut off, counts as written: then the file is not as expected, but as it was to become.
 * @throws AppError `PATH_DENIED`, `NOT_A_FILE`, `NOT_A_FOLDER`, `FILE_TOO_LARGE`, `FILE_EXISTS`, `FILE_CHANGED`,
 *   `TOOL_FAILED`
 */
export async function write(
  open: Opener,
  params: WriteParams,
  limits: Pick<ToolLimits, 'fileBytes'>,
): Promise<WriteResult> {
  const names = parseFilePath(params.path);
  const name = names.pop() ?? '';
  const path = pathOf([...names, name]);
  const bytes = Buffer.from(params.content, params.encoding ?? 'utf8');
  if (bytes.length > limits.fileBytes) throw tooLarge(path, limits.fileBytes);
  const wanted = { name, path, bytes, hash: hashOf(bytes), expected: params.expected_hash, most: limits.fileBytes };
  // Where a file must be, its folder must be too.
  const make = typeof params.expected_hash !== 'string';
  return at(path, () => orChanged(wanted, () => inFolder(open, names, (folder) => writeIn(folder, wanted), make)));
}

/** A file that must be there, in a folder that is not, has changed like any other. */
async function orChanged(wanted: Wanted, action: () => Promise<WriteResult>): Promise<WriteResult> {
  try {
    return await action();
  } catch (error) {
    if (typeof wanted.expected === 'string' && systemCode(error) === 'ENOENT') throw changed(wanted.path, null);
    throw error;
  }
}

async function writeIn(folder: Folder, wanted: Wanted): Promise<WriteResult> {
  const before = await contentIfAny(folder, wanted.name, wanted.most);
  const result = judge(wanted, before?.hash ?? null);
  if (before?.hash === wanted.hash) return result;
  try {
    await place(folder, wanted.name, wanted.bytes, before?.mode ?? NEW_FILE_MODE, wanted.expected === null);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    // Somebody else made it since we looked.
    return judge(wanted, (await contentIfAny(folder, wanted.name, wanted.most))?.hash ?? '');
  }
  return result;
}

/** @throws AppError `FILE_EXISTS`, `FILE_CHANGED` */
function judge({ path, bytes, hash, expected }: Wanted, found: string | null): WriteResult {
  const result = { path, hash, size: bytes.length };
  if (expected === undefined || expected === found) {
    return { ...result, previous_hash: found, created: found === null };
  }
  if (found === hash) return { ...result, previous_hash: expected, created: false };
  if (expected !== null) throw changed(path, found);
  throw new AppError('FILE_EXISTS', `There is a file ${JSON.stringify(path)} already.`, { path, hash: found });
}

/** @param hash what the file has in place of what was expected; null: it is gone */
export function changed(path: string, hash: string | null): AppError {
  const what = hash === null ? 'is gone' : 'is not the one that was expected';
  return new AppError('FILE_CHANGED', `${JSON.stringify(path)} ${what}: read it again.`, { path, hash });
}
