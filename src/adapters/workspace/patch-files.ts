import { AppError } from '../../errors/app-error.js';
import { parseWritePath, pathOf } from './path.js';
import type { FileHead, PatchKind } from './text-jobs.js';
import { textThreads } from './text-threads.js';

const MOST_FILES = 100;
const NOTHING = '/dev/null';

/** What a patch does with one file. */
export interface PatchedFile {
  path: string;
  folders: string[];
  name: string;
  kind: PatchKind;
  /** Which of the patch's files it is. */
  head: number;
  /** Whether one that is made may be run as a program. */
  isExecutable: boolean;
}

export const rejected = (message: string, detail: Readonly<Record<string, unknown>> = {}): AppError =>
  new AppError('PATCH_REJECTED', message, detail);

export const tooLong = (): AppError => rejected('It takes too long to find where the hunks of this patch belong.');

/**
 * The files of a unified diff. Git's `a/` and `b/` before paths are taken away.
 * @throws AppError `PATCH_REJECTED`, `PATH_DENIED`
 */
export async function filesOf(patch: string): Promise<PatchedFile[]> {
  const heads = await textThreads.run('heads', patch);
  if (heads === undefined) throw tooLong();
  if ('problem' in heads) throw rejected(`This is no unified diff: ${heads.problem}.`);
  if (heads.length === 0) throw rejected('This is no unified diff: it has no "---", "+++" and "@@" lines.');
  if (heads.length > MOST_FILES) throw rejected(`A patch may be of ${MOST_FILES} files at most.`);
  const files = heads.map(fileOf);
  const twice = files.find(({ path }, at) => files.findIndex((file) => file.path === path) !== at);
  if (twice !== undefined) throw rejected(`${JSON.stringify(twice.path)} is in the patch twice.`, { path: twice.path });
  return files;
}

function fileOf(head: FileHead, at: number): PatchedFile {
  const [before, after] = pathsOf(head);
  const kind = kindOf(head, before, after);
  const names = parseWritePath(kind === 'delete' ? before : after);
  const path = pathOf(names);
  const name = names.pop() ?? '';
  if (head.isMoved || (kind === 'change' && before !== after)) {
    const why = 'is renamed or copied, which is not understood: delete and make files';
    throw rejected(`${JSON.stringify(path)} ${why}.`, { path });
  }
  requireHunks(path, kind, head);
  return { path, folders: names, name, kind, head: at, isExecutable: head.isExecutable };
}

function kindOf(head: FileHead, before: string, after: string): PatchKind {
  const isNew = before === NOTHING || head.isCreated;
  const isGone = after === NOTHING || head.isDeleted;
  if (isNew && isGone) throw rejected('A file of the patch is made and deleted at once.');
  if (isNew) return 'create';
  return isGone ? 'delete' : 'change';
}

function pathsOf({ before, after }: FileHead): [before: string, after: string] {
  if (before === undefined || after === undefined) throw rejected('A hunk has no "---" and "+++" lines before it.');
  const isPrefixed = (name: string, prefix: string): boolean => name === NOTHING || name.startsWith(prefix);
  if (!isPrefixed(before, 'a/') || !isPrefixed(after, 'b/')) return [before, after];
  const bare = (name: string): string => (name === NOTHING ? name : name.slice(2));
  return [bare(before), bare(after)];
}

function requireHunks(path: string, kind: PatchKind, { hunks, isBinary, badHunk }: FileHead): void {
  if (isBinary) throw rejected(`${JSON.stringify(path)} is no text: write it as a whole.`, { path });
  if (hunks === 0 && kind === 'change') throw rejected(`Nothing of ${JSON.stringify(path)} is changed.`, { path });
  if (badHunk === undefined) return;
  throw rejected(`Hunk ${badHunk} of ${JSON.stringify(path)} has no line numbers, or changes nothing.`, { path });
}
