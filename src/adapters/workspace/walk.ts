import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { systemCode } from './faults.js';
import type { Folder } from './opened.js';

/** Opens a workspace anew. */
export type Opener = () => Promise<Folder>;

/**
 * Runs an action in a folder of the workspace, which is held until it ends.
 * @param beforeMake if given, folders that are missing are made, and this is awaited before each
 * @throws AppError `PATH_DENIED`, `NOT_A_FOLDER`, errors of the operating system, and of `beforeMake`
 */
export async function inFolder<T>(
  open: Opener,
  names: readonly string[],
  action: (folder: Folder) => Promise<T>,
  beforeMake?: () => Promise<void>,
): Promise<T> {
  let folder = await open();
  try {
    for (const name of names) {
      const next = await (beforeMake ? enterOrMake(folder, name, beforeMake) : folder.enter(name));
      await folder.close();
      folder = next;
    }
    return await action(folder);
  } finally {
    await folder.close();
  }
}

/** Has the names of a folder's entries kept by the disk. */
export async function flush(folder: Folder): Promise<void> {
  const handle = await open(folder.place, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function enterOrMake(folder: Folder, name: string, beforeMake: () => Promise<void>): Promise<Folder> {
  try {
    return await folder.enter(name);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  await beforeMake();
  try {
    await mkdir(folder.at(name), { mode: 0o755 });
    await flush(folder);
  } catch (error) {
    // Somebody else made it meanwhile; whether it is a folder is seen when it is entered.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  return folder.enter(name);
}
