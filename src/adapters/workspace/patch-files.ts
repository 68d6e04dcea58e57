import { parsePatch, type StructuredPatch, type StructuredPatchHunk } from 'diff';
import { AppError } from '../../errors/app-error.js';
import { parseFilePath, pathOf } from './path.js';

const MOST_FILES = 100;
const NOTHING = '/dev/null';
const EXECUTABLE = '100755';

/** What a patch does with one file. */
export interface PatchedFile {
  path: string;
  folders: string[];
  name: string;
  kind: 'create' | 'delete' | 'change';
  hunks: StructuredPatchHunk[];
  /** Whether one that is made may be run as a program. */
  isExecutable: boolean;
}

export const rejected = (message: string, detail: Readonly<Record<string, unknown>> = {}): AppError =>
  new AppError('PATCH_REJECTED', message, detail);

/**
 * The files of a unified diff. Git's `a/` and `b/` before paths are taken away.
 * @throws AppError `PATCH_REJECTED`, `PATH_DENIED`
 */
export function filesOf(patch: string): PatchedFile[] {
  const files = parsed(patch)
    .filter((file) => file.oldFileName !== undefined || file.hunks.length > 0)
    .map(fileOf);
  if (files.length === 0) throw rejected('This is no unified diff: it has no "---", "+++" and "@@" lines.');
  if (files.length > MOST_FILES) throw rejected(`A patch may be of ${MOST_FILES} files at most.`);
  const twice = files.find(({ path }, at) => files.findIndex((file) => file.path === path) !== at);
  if (twice !== undefined) throw rejected(`${JSON.stringify(twice.path)} is in the patch twice.`, { path: twice.path });
  return files;
}

function parsed(patch: string): StructuredPatch[] {
  try {
    return parsePatch(patch);
  } catch (error) {
    const why = Error.isError(error) ? error.message.slice(0, 300) : '';
    throw rejected(`This is no unified diff: ${why}.`);
  }
}

function fileOf(file: StructuredPatch): PatchedFile {
  const [before, after] = pathsOf(file);
  const kind = kindOf(file, before, after);
  const names = parseFilePath(kind === 'delete' ? before : after);
  const path = pathOf(names);
  const name = names.pop() ?? '';
  if (file.isRename || file.isCopy || (kind === 'change' && before !== after)) {
    const why = 'is renamed or copied, which is not understood: delete and make files';
    throw rejected(`${JSON.stringify(path)} ${why}.`, { path });
  }
  requireHunks(path, kind, file);
  return { path, folders: names, name, kind, hunks: file.hunks, isExecutable: file.newMode === EXECUTABLE };
}

function kindOf(file: StructuredPatch, before: string, after: string): PatchedFile['kind'] {
  const isNew = before === NOTHING || file.isCreate === true;
  const isGone = after === NOTHING || file.isDelete === true;
  if (isNew && isGone) throw rejected('A file of the patch is made and deleted at once.');
  if (isNew) return 'create';
  return isGone ? 'delete' : 'change';
}

function pathsOf({ oldFileName: before, newFileName: after }: StructuredPatch): [before: string, after: string] {
  if (before === undefined || after === undefined) throw rejected('A hunk has no "---" and "+++" lines before it.');
  const isPrefixed = (name: string, prefix: string): boolean => name === NOTHING || name.startsWith(prefix);
  if (!isPrefixed(before, 'a/') || !isPrefixed(after, 'b/')) return [before, after];
  const bare = (name: string): string => (name === NOTHING ? name : name.slice(2));
  return [bare(before), bare(after)];
}

function requireHunks(path: string, kind: PatchedFile['kind'], { hunks, isBinary }: StructuredPatch): void {
  if (isBinary) throw rejected(`${JSON.stringify(path)} is no text: write it as a whole.`, { path });
  if (hunks.length === 0 && kind === 'change')
    throw rejected(`Nothing of ${JSON.stringify(path)} is changed.`, { path });
  for (const [index, { oldStart, newStart, lines }] of hunks.entries()) {
    const isReal = Number.isSafeInteger(oldStart) && Number.isSafeInteger(newStart);
    if (!isReal || !lines.some((line) => /^[+-]/.test(line))) {
      throw rejected(`Hunk ${index + 1} of ${JSON.stringify(path)} has no line numbers, or changes nothing.`, { path });
    }
  }
}
