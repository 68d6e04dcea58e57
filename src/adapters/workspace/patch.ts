import { unlink } from 'node:fs/promises';
import type { PatchParams, PatchResult, ToolLimits, WriteJournal } from '../../contracts/devtools.js';
import { contentBelow, tooLarge } from './content.js';
import { at } from './faults.js';
import { filesOf, rejected, type PatchedFile } from './patch-files.js';
import { planFiles, type FoundFile, type PlannedFile } from './patch-plan.js';
import { parseFilePath, pathOf } from './path.js';
import { place } from './place.js';
import type { Growth } from './usage.js';
import { flush, inFolder } from './walk.js';
import type { WriteRun } from './write-run.js';
import { NEW_FILE_MODE } from './write.js';

/** How much larger than one file all files of a patch may be together: they are in memory at once. */
const FILES_OF_LARGEST_SIZE = 4;

type Limits = Pick<ToolLimits, 'fileBytes'>;

/**
 * The files of a patch, for whoever keeps others from writing them meanwhile.
 * @throws AppError `PATCH_REJECTED`, `PATH_DENIED`, `FILE_TOO_LARGE`
 */
export async function parsePatchFiles(params: PatchParams, limits: Limits): Promise<PatchedFile[]> {
  if (Buffer.byteLength(params.patch) > limits.fileBytes) throw tooLarge('patch', limits.fileBytes);
  return filesOf(params.patch);
}

/**
 * Patches files: nothing is written before every hunk of every file has been found to fit. If it is cut off between two
 * files, the same patch goes on where it stopped, with the journal of the attempt before.
 * @throws AppError `PATCH_REJECTED`, `FILE_CHANGED`, `FILE_EXISTS`, `FILE_TOO_LARGE`, `PATH_DENIED`, `NOT_A_FILE`,
 *   `NOT_A_FOLDER`, `TOOL_FAILED`, and what whoever has it patched throws
 */
export async function patch(
  run: WriteRun,
  files: readonly PatchedFile[],
  params: PatchParams,
  limits: Limits,
): Promise<PatchResult> {
  const found = await find(run, files, expectedOf(params, files), limits.fileBytes);
  const planned = await planFiles(params.patch, found, run.journal, limits.fileBytes);
  requireSize([...found.map(({ before }) => before?.bytes), ...planned.map(({ after }) => after)], limits);
  const plan = run.journal ?? planOf(planned);
  if (planned.length > 0) {
    await run.carryOut(plan, growthOf(planned), async () => {
      for (const file of planned) await at(file.path, () => carryOut(run, file));
    });
  }
  return { files: files.map(({ path }) => written(plan, path)) };
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

async function find(
  run: WriteRun,
  files: readonly PatchedFile[],
  expected: ReadonlyMap<string, string>,
  most: number,
): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const file of files) {
    const before = await at(file.path, () => contentBelow(run.open, file.folders, file.name, most));
    found.push({ ...file, before, expected: expected.get(file.path) });
    requireSize(
      found.map(({ before }) => before?.bytes),
      { fileBytes: most },
    );
  }
  return found;
}

/** @throws AppError `FILE_TOO_LARGE` */
function requireSize(parts: readonly (Uint8Array | null | undefined)[], { fileBytes }: Limits): void {
  const most = fileBytes * FILES_OF_LARGEST_SIZE;
  if (parts.reduce((total, part) => total + (part?.length ?? 0), 0) > most) throw tooLarge('patch', most);
}

const planOf = (planned: readonly PlannedFile[]): WriteJournal => ({
  files: planned.map(({ path, before, hash }) => ({ path, before: before?.hash ?? null, after: hash })),
});

const growthOf = (planned: readonly PlannedFile[]): Growth => ({
  bytes: planned.reduce((sum, { before, after }) => sum + (after?.length ?? 0) - (before?.bytes.length ?? 0), 0),
  files: planned.reduce((sum, { before, after }) => sum + (after === null ? 0 : 1) - (before === undefined ? 0 : 1), 0),
});

function written(plan: WriteJournal, path: string): PatchResult['files'][number] {
  const kept = plan.files.find((file) => file.path === path);
  return { path, hash: kept?.after ?? null, previous_hash: kept?.before ?? null };
}

function carryOut(run: WriteRun, file: PlannedFile): Promise<void> {
  const { after, folders, name, before } = file;
  if (after === null) {
    return inFolder(run.open, folders, async (folder) => {
      await run.mayChange();
      await unlink(folder.at(name));
      await flush(folder);
    });
  }
  const mode = before?.mode ?? (file.isExecutable ? 0o755 : NEW_FILE_MODE);
  const isNew = file.kind === 'create';
  return inFolder(
    run.open,
    folders,
    (folder) => place(folder, name, after, mode, isNew, run.mayChange),
    isNew ? run.mayMakeFolder : undefined,
  );
}
