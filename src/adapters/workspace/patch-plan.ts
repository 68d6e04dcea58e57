import type { WriteJournal } from '../../contracts/devtools.js';
import { isText, tooLarge, type Content } from './content.js';
import { changed, progressOf, type Kept } from './journal.js';
import { rejected, tooLong, type PatchedFile } from './patch-files.js';
import type { PatchedPart } from './text-jobs.js';
import { textThreads } from './text-threads.js';

/** A file of a patch, with what it is at the moment. */
export interface FoundFile extends PatchedFile {
  before: Content | undefined;
  /** Hash that it must have. */
  expected: string | undefined;
}

/** What is to be done with a file of a patch. */
export interface PlannedFile extends FoundFile {
  /** What it becomes; null: nothing. */
  after: Uint8Array | null;
  hash: string | null;
}

/** A file that is still to be patched, with what an earlier attempt was about to make of it. */
interface OpenFile extends FoundFile {
  kept: Kept | undefined;
}

/**
 * The files that are still to be patched, with what becomes of them.
 * @param journal of an earlier attempt, whose word goes for what it has done; null: every file must fit as it is
 * @param most largest size of a file, in bytes
 * @throws AppError `PATCH_REJECTED`, `FILE_CHANGED`, `FILE_TOO_LARGE`
 */
export async function planFiles(
  patch: string,
  files: readonly FoundFile[],
  journal: WriteJournal | null,
  most: number,
): Promise<PlannedFile[]> {
  const open = files.flatMap((file) => openFile(file, journal));
  if (open.length === 0) return [];
  const parts = open.map(({ head, kind, before }) => ({ head, kind, before: before?.bytes ?? null }));
  const patched = await textThreads.run('patch', { patch, parts });
  if (patched === undefined) throw tooLong();
  return open.map((file, at) => planned(file, patched[at] ?? { failed: 1 }, most));
}

/** None, if the file is done already. */
function openFile(file: FoundFile, journal: WriteJournal | null): OpenFile[] {
  const { path, expected } = file;
  const hash = file.before?.hash ?? null;
  if (journal === null) {
    if (expected !== undefined && expected !== hash) throw changed(path, hash);
    requireFitting(file);
    return [{ ...file, kept: undefined }];
  }
  const { kept, isDone } = progressOf(journal, path, hash);
  if (isDone) return [];
  requireFitting(file);
  return [{ ...file, kept }];
}

/** @throws AppError `PATCH_REJECTED` */
function requireFitting({ path, kind, before }: FoundFile): void {
  const name = JSON.stringify(path);
  if (kind === 'create' && before !== undefined)
    throw rejected(`${name} is to be made, and is there already.`, { path });
  if (kind !== 'create' && before === undefined) throw rejected(`There is no ${name} to ${kind}.`, { path });
  if (before !== undefined && !isText(before.bytes))
    throw rejected(`${name} is no text in UTF-8: write it as a whole.`, { path });
}

function planned({ kept, ...file }: OpenFile, part: PatchedPart, most: number): PlannedFile {
  const { path } = file;
  if ('failed' in part) throw unfitting(path, part.failed);
  if ((part.after?.length ?? 0) > most) throw tooLarge(path, most);
  if (kept !== undefined && kept.after !== part.hash)
    throw rejected(`${JSON.stringify(path)} would not become what it was to become: send the patch anew.`, { path });
  return { ...file, ...part };
}

function unfitting(path: string, hunk: number): Error {
  const name = JSON.stringify(path);
  if (hunk === 0) return rejected(`${name} is to be deleted, but has more than the patch knows.`, { path });
  return rejected(`Hunk ${hunk} of ${name} does not fit: read the file again.`, { path, hunk });
}
