import { hashOf, isText, tooLarge, type Content } from './content.js';
import { changesOf, fit, isThere, reversed, type Fitting, type FittingBudget } from './hunks.js';
import { rejected, type PatchedFile } from './patch-files.js';
import { changed } from './write.js';

/** What is to be done with a file of a patch. */
export interface PlannedFile extends PatchedFile {
  /** What it becomes; null: nothing. */
  after: Buffer | null;
  hash: string | null;
  previousHash: string | null;
  mode: number | undefined;
  /** Whether it is so already. */
  isDone: boolean;
}

/**
 * What a patch makes of a file. One that was patched before is left as it is: with its expected hash that is certain,
 * else the patch must fit backwards alone.
 * @param before the file as it is, if there is one
 * @param expected hash that it must have
 * @param most largest size, in bytes
 * @throws AppError `PATCH_REJECTED`, `FILE_CHANGED`, `FILE_TOO_LARGE`
 */
export function planFile(
  file: PatchedFile,
  before: Content | undefined,
  expected: string | undefined,
  most: number,
  budget: FittingBudget,
): PlannedFile {
  const text = before === undefined ? undefined : textOf(file, before);
  const [old, after] = bothSides(file, text, expected, before?.hash, budget);
  const bytes = after === undefined ? null : Buffer.from(after);
  if (bytes !== null && bytes.length > most) throw tooLarge(file.path, most);
  return {
    ...file,
    after: bytes,
    hash: bytes === null ? null : hashOf(bytes),
    previousHash: old === undefined ? null : hashOf(Buffer.from(old)),
    mode: before?.mode,
    isDone: after === text,
  };
}

/** Text of a file; undefined: there is none. */
type State = string | undefined;

function bothSides(
  file: PatchedFile,
  text: State,
  expected: string | undefined,
  hash: string | undefined,
  budget: FittingBudget,
): [old: State, after: State] {
  if (expected !== undefined && expected !== hash) {
    const old = undone(file, text, budget);
    if (old !== undefined && hashOf(Buffer.from(old)) === expected) return [old, text];
    throw changed(file.path, hash ?? null);
  }
  if (file.kind === 'create') return created(file, text);
  if (text === undefined) return missing(file);
  return file.kind === 'delete' ? deleted(file, text, budget) : edited(file, text, expected !== undefined, budget);
}

/** What was before, if the file is as the patch wants it. */
function undone(file: PatchedFile, text: State, budget: FittingBudget): State {
  if (file.kind === 'delete') return text === undefined ? sideOf(file, 'old') : undefined;
  if (file.kind === 'create' || text === undefined) return undefined;
  const back = reversed(changesOf(file.hunks, text), file.hunks);
  const bound = fit(text, back, true, budget);
  const found = 'text' in bound ? bound : fit(text, back, false, budget);
  return 'text' in found ? found.text : undefined;
}

function created(file: PatchedFile, text: State): [State, State] {
  const after = sideOf(file, 'new');
  if (text === undefined || text === after) return [undefined, after];
  throw rejected(`${JSON.stringify(file.path)} is to be made, and is there already.`, { path: file.path });
}

function missing(file: PatchedFile): [State, State] {
  if (file.kind === 'delete') return [sideOf(file, 'old'), undefined];
  throw rejected(`There is no ${JSON.stringify(file.path)} to change.`, { path: file.path });
}

function deleted(file: PatchedFile, text: string, budget: FittingBudget): [State, State] {
  // What git deletes without hunks is empty.
  const left = fit(text, changesOf(file.hunks, text), false, budget);
  if ('failed' in left) throw unfitting(file, left.failed);
  if (left.text === '') return [text, undefined];
  throw rejected(`${JSON.stringify(file.path)} is to be deleted, but has more than the patch knows.`, {
    path: file.path,
  });
}

/** @param isCertain whether it is known to be the file from before the patch */
function edited(file: PatchedFile, text: string, isCertain: boolean, budget: FittingBudget): [State, State] {
  const changes = changesOf(file.hunks, text);
  const bound = fit(text, changes, true, budget);
  if ('text' in bound) return [text, bound.text];
  const back = reversed(changes, file.hunks);
  const boundBack: Fitting = isCertain ? { failed: 1 } : fit(text, back, true, budget);
  if ('text' in boundBack) return [boundBack.text, text];
  const loose = fit(text, changes, false, budget);
  if ('text' in loose && (isCertain || !isThere(text, changes, loose.places))) return [text, loose.text];
  const looseBack: Fitting = isCertain ? { failed: 1 } : fit(text, back, false, budget);
  if ('text' in looseBack) return [looseBack.text, text];
  throw unfitting(file, 'failed' in loose ? loose.failed : 1);
}

/** A file that is in the patch as a whole. */
function sideOf(file: PatchedFile, side: 'old' | 'new'): string {
  const changes = changesOf(file.hunks, '');
  const other = side === 'old' ? 'new' : 'old';
  const mixed = changes.findIndex((change) => change[other].length > 0);
  if (mixed !== -1) throw unfitting(file, mixed + 1);
  return changes.flatMap((change) => change[side]).join('');
}

function textOf(file: PatchedFile, { bytes }: Content): string {
  if (isText(bytes)) return bytes.toString('utf8');
  throw rejected(`${JSON.stringify(file.path)} is no text in UTF-8: write it as a whole.`, { path: file.path });
}

const unfitting = ({ path }: PatchedFile, hunk: number) =>
  rejected(`Hunk ${hunk} of ${JSON.stringify(path)} does not fit: read the file again.`, { path, hunk });
