import { unlink } from 'node:fs/promises';
import type { PatchParams, PatchResult, ToolLimits } from '../../contracts/devtools.js';
import { contentIfAny, tooLarge, type Content } from './content.js';
import { at, systemCode } from './faults.js';
import { FittingBudget } from './hunks.js';
import { filesOf, rejected, type PatchedFile } from './patch-files.js';
import { planFile, type PlannedFile } from './patch-plan.js';
import { parseFilePath, pathOf } from './path.js';
import { place } from './place.js';
import { flush, inFolder, type Opener } from './walk.js';
import { NEW_FILE_MODE } from './write.js';

/** How much larger than one file all files of a patch may be together: they are in memory at once. */
const FILES_OF_LARGEST_SIZE = 4;

type Limits = Pick<ToolLimits, 'fileBytes'>;

/**
 * The files of a patch, for whoever keeps others from writing them meanwhile.
 * @throws AppError `PATCH_REJECTED`, `PATH_DENIED`, `FILE_TOO_LARGE`
 */
export function parsePatchFiles(params: PatchParams, limits: Limits): PatchedFile[] {
  if (Buffer.byteLength(params.patch) > limits.fileBytes) throw tooLarge('patch', limits.fileBytes);
  return filesOf(params.patch);
}

/**
 * Patches files: nothing is written before every hunk of every file has been found to fit. If it is cut off between two
 * files, the same patch goes on where it stopped.
 * @throws AppError `PATCH_REJECTED`, `FILE_CHANGED`, `FILE_TOO_LARGE`, `PATH_DENIED`, `NOT_A_FILE`, `NOT_A_FOLDER`,
 *   `TOOL_FAILED`
 */
export async function patch(
  open: Opener,
  files: readonly PatchedFile[],
  params: PatchParams,
  limits: Limits,
): Promise<PatchResult> {
  const planned = await plan(open, files, expectedOf(params, files), limits);
  for (const file of planned) if (!file.isDone) await at(file.path, () => carryOut(open, file));
  return {
    files: planned.map(({ path, hash, previousHash }) => ({ path, hash, previous_hash: previousHash })),
    already_applied: planned.every(({ isDone }) => isDone),
  };
}

function expectedOf({ expected_hashes: given }: PatchParams, files: readonly PatchedFile[]): Map<string, string> {
  const expected = new Map(Object.entries(given ?? {}).map(([path, hash]) => [pathOf(parseFilePath(path)), hash]));
  for (const path of expected.keys()) {
    if (files.every((file) => file.path !== path)) {
      throw rejected(`A hash is expected of ${JSON.stringify(path)}, which is not in the patch.`, { path });
    }
  }
  return expected;
}

async function plan(
  open: Opener,
  files: readonly PatchedFile[],
  expected: ReadonlyMap<string, string>,
  { fileBytes }: Limits,
): Promise<PlannedFile[]> {
  const planned: PlannedFile[] = [];
  const budget = new FittingBudget();
  const most = fileBytes * FILES_OF_LARGEST_SIZE;
  let total = 0;
  for (const file of files) {
    const before = await at(file.path, () => contentOf(open, file, fileBytes));
    const next = planFile(file, before, expected.get(file.path), fileBytes, budget);
    total += (before?.bytes.length ?? 0) + (next.after?.length ?? 0);
    if (total > most) throw tooLarge('patch', most);
    planned.push(next);
  }
  return planned;
}

async function contentOf(open: Opener, file: PatchedFile, most: number): Promise<Content | undefined> {
  try {
    return await inFolder(open, file.folders, (folder) => contentIfAny(folder, file.name, most));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function carryOut(open: Opener, { after, ...file }: PlannedFile): Promise<void> {
  if (after === null) {
    return inFolder(open, file.folders, async (folder) => {
      await unlink(folder.at(file.name));
      await flush(folder);
    });
  }
  const mode = file.mode ?? (file.isExecutable ? 0o755 : NEW_FILE_MODE);
  const isNew = file.kind === 'create';
  return inFolder(open, file.folders, (folder) => place(folder, file.name, after, mode, isNew), isNew);
}
