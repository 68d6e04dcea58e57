import type { ListParams, ListResult } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { at } from './faults.js';
import { Glob } from './glob.js';
import { ListWalk } from './list-walk.js';
import { parseFolderPath, parsePath, pathOf } from './path.js';
import { inFolder, type Opener } from './walk.js';

const MOST_LEVELS = 20;
const LIMIT = 500;
const MOST_ENTRIES = 5_000;

/**
 * A page of what is in a folder: each folder before what is in it, names in the order of their characters' codes. A
 * page also ends where too much was looked at for it; whoever has a cursor goes on.
 * @throws AppError `PATH_DENIED`, `FILE_NOT_FOUND`, `NOT_A_FOLDER`, `BODY_INVALID`, `TOOL_FAILED`
 */
export async function list(open: Opener, params: ListParams): Promise<ListResult> {
  const names = parseFolderPath(params.path ?? '.');
  const path = pathOf(names);
  // Whoever has a glob wants what matches, at whatever depth it is.
  const levels = Math.min(params.depth ?? (params.glob === undefined ? 1 : MOST_LEVELS), MOST_LEVELS);
  const glob = params.glob === undefined ? undefined : new Glob(params.glob);
  const walk = new ListWalk(Math.min(params.limit ?? LIMIT, MOST_ENTRIES), glob);
  const after = params.cursor === undefined ? [] : afterCursor(params.cursor, names);
  await at(path, () => inFolder(open, names, (folder) => walk.from(folder, names, levels, after)));
  const cursor = walk.endedAt === undefined ? {} : { cursor: Buffer.from(walk.endedAt).toString('base64url') };
  return { path, entries: walk.entries(), truncated: walk.endedAt !== undefined, ...cursor };
}

/** The names below the listed folder at which the page before ended. */
function afterCursor(cursor: string, folder: readonly string[]): string[] {
  try {
    const names = parsePath(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (names.length > folder.length && folder.every((name, at) => names[at] === name))
      return names.slice(folder.length);
  } catch {
    // Whatever it is, it is none of ours.
  }
  throw new AppError('BODY_INVALID', 'This cursor is not of a list of this folder.', { param: 'cursor' });
}
