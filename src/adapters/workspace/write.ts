import type { ToolLimits, WriteParams, WriteResult } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { contentBelow, hashOf, tooLarge, type Content } from './content.js';
import { at, systemCode } from './faults.js';
import { changed, progressOf } from './journal.js';
import { parseWritePath, pathOf } from './path.js';
import { place } from './place.js';
import { inFolder } from './walk.js';
import type { WriteRun } from './write-run.js';

/** Of a file that is made. */
export const NEW_FILE_MODE = 0o644;

interface Wanted {
  folders: string[];
  name: string;
  path: string;
  bytes: Buffer;
  hash: string;
  expected: string | null | undefined;
  most: number;
}

/**
 * Writes a whole file, and makes the folders above it. What an earlier attempt of the same has written is left as it is.
 * @throws AppError `PATH_DENIED`, `NOT_A_FILE`, `NOT_A_FOLDER`, `FILE_TOO_LARGE`, `FILE_EXISTS`, `FILE_CHANGED`,
 *   `TOOL_FAILED`, and what whoever has it written throws
 */
export async function write(
  run: WriteRun,
  params: WriteParams,
  limits: Pick<ToolLimits, 'fileBytes'>,
): Promise<WriteResult> {
  const wanted = wantedOf(params, limits.fileBytes);
  return at(wanted.path, async () => {
    const before = await look(run, wanted);
    const hash = before?.hash ?? null;
    if (isWritten(run, wanted, hash)) return resultOf(wanted, run.journal?.files[0]?.before ?? null);
    return carryOut(run, wanted, before);
  });
}

function wantedOf({ path: given, content, encoding, expected_hash: expected }: WriteParams, most: number): Wanted {
  const folders = parseWritePath(given);
  const path = pathOf(folders);
  const name = folders.pop() ?? '';
  const bytes = Buffer.from(content, encoding ?? 'utf8');
  if (bytes.length > most) throw tooLarge(path, most);
  return { folders, name, path, bytes, hash: hashOf(bytes), expected, most };
}

const look = (run: WriteRun, { folders, name, most }: Wanted): Promise<Content | undefined> =>
  contentBelow(run.open, folders, name, most);

/**
 * Whether an earlier attempt has written it.
 * @throws AppError `FILE_EXISTS`, `FILE_CHANGED` if it may not be written
 */
function isWritten({ journal }: WriteRun, { path, hash, expected }: Wanted, found: string | null): boolean {
  if (journal === null) {
    if (expected === undefined || expected === found) return false;
    throw expected === null ? exists(path, found) : changed(path, found);
  }
  const { kept, isDone } = progressOf(journal, path, found);
  if (kept.after !== hash) throw changed(path, found);
  return isDone;
}

async function carryOut(run: WriteRun, wanted: Wanted, before: Content | undefined): Promise<WriteResult> {
  const { path, hash, bytes } = wanted;
  const previous = before?.hash ?? null;
  const plan = { files: [{ path, before: previous, after: hash }] };
  const growth = { bytes: bytes.length - (before?.bytes.length ?? 0), files: before === undefined ? 1 : 0 };
  await run.carryOut(plan, growth, () => put(run, wanted, before?.mode ?? NEW_FILE_MODE));
  return resultOf(wanted, previous);
}

async function put(run: WriteRun, wanted: Wanted, mode: number): Promise<void> {
  const { folders, name, bytes, expected } = wanted;
  // Where a file must be, its folder must be too.
  const beforeMake = typeof expected === 'string' ? undefined : run.mayMakeFolder;
  try {
    await inFolder(
      run.open,
      folders,
      (folder) => place(folder, name, bytes, mode, expected === null, run.mayChange),
      beforeMake,
    );
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && beforeMake === undefined) throw changed(wanted.path, null);
    if (systemCode(error) !== 'EEXIST') throw error;
    // Somebody else made it since we looked.
    const found = (await look(run, wanted))?.hash ?? null;
    if (!isWritten(run, wanted, found)) throw exists(wanted.path, found);
  }
}

const resultOf = ({ path, hash, bytes }: Wanted, previous: string | null): WriteResult => ({
  ...{ path, hash, previous_hash: previous, size: bytes.length, created: previous === null },
});

const exists = (path: string, hash: string | null): AppError =>
  new AppError('FILE_EXISTS', `There is a file ${JSON.stringify(path)} already.`, { path, hash });
