import type { Dirent } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { AppError } from '../../errors/app-error.js';
import { entriesOf } from './entries.js';
import { systemCode } from './faults.js';
import type { Folder } from './opened.js';
import { inFolder, type Opener } from './walk.js';

/** Files that are looked at at once: the few threads of this process that do so serve everybody. */
const AT_ONCE = 2;

interface Total {
  bytes: number;
  /** Files, folders and whatever else has a name. */
  files: number;
}

/**
 * Counts what is in a workspace, one folder after another, each opened by its names: however deep they go, only one is
 * held. It ends early once there is more than `most`.
 */
export async function measure(open: Opener, most: Total): Promise<Total> {
  const total = { bytes: 0, files: 0 };
  const left: (readonly string[])[] = [[]];
  for (let names = left.pop(); names !== undefined; names = left.pop()) {
    const entries = await count(open, names, total);
    for (const entry of entries) if (entry.isDirectory()) left.push([...names, entry.name]);
    if (total.files > most.files || total.bytes > most.bytes) break;
  }
  return total;
}

async function count(open: Opener, names: readonly string[], total: Total): Promise<Dirent[]> {
  try {
    return await inFolder(open, names, async (folder) => {
      const entries = await entriesOf(folder, () => true);
      total.files += entries.length;
      const files = entries.filter((entry) => entry.isFile()).values();
      await Promise.all(Array.from({ length: AT_ONCE }, () => addSizes(folder, files, total)));
      return entries;
    });
  } catch (error) {
    // It has vanished, or has become another thing. The workspace itself must be there.
    if (names.length > 0 && (error instanceof AppError || systemCode(error) !== undefined)) return [];
    throw error;
  }
}

async function addSizes(folder: Folder, files: Iterable<Dirent>, total: Total): Promise<void> {
  for (const { name } of files) {
    const stats = await lstat(folder.at(name)).catch(() => undefined);
    total.bytes += stats?.size ?? 0;
  }
}
