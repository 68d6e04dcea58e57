import { constants } from 'node:fs';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { v4 as uuid } from 'uuid';
import { entriesOf } from './entries.js';
import type { Folder } from './opened.js';
import { isTemporary } from './path.js';
import { flush } from './walk.js';

const NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const HOUR_MS = 3_600_000;

/** Folders in which what was left over has been looked for of late. */
const swept = new LRUCache<string, true>({ max: 1_000, ttl: HOUR_MS });

/**
 * Puts a file in place as a whole: whoever reads sees the old one or the new one, also after a crash.
 * @param mode permission bits
 * @param onlyNew whether it is an error, `EEXIST`, if there is something of this name
 * @param mayChange awaited directly before that; if it throws, nothing has changed
 * @throws errors of the operating system, and of `mayChange`
 */
export async function place(
  folder: Folder,
  name: string,
  bytes: Uint8Array,
  mode: number,
  onlyNew: boolean,
  mayChange: () => Promise<void>,
): Promise<void> {
  await sweep(folder);
  const temporary = folder.at(`.dagi-${uuid()}.tmp`);
  try {
    await writeNew(temporary, bytes, mode);
    await mayChange();
    // A rename would replace what somebody else has put there meanwhile.
    await (onlyNew ? link(temporary, folder.at(name)) : rename(temporary, folder.at(name)));
  } catch (error) {
    await discard(temporary);
    throw error;
  }
  if (onlyNew) await discard(temporary);
  await flush(folder);
}

/**
 * Removes what killed writes left in a folder more than an hour ago; looked for once an hour at most, since a folder
 * may be large.
 */
export async function sweep(folder: Folder): Promise<void> {
  if (swept.has(folder.identity)) return;
  swept.set(folder.identity, true);
  for (const { name } of await entriesOf(folder, isTemporary)) {
    const stats = await lstat(folder.at(name)).catch(() => undefined);
    if (stats?.isFile() && Date.now() - stats.mtimeMs > HOUR_MS) await discard(folder.at(name));
  }
}

async function writeNew(file: string, bytes: Uint8Array, mode: number): Promise<void> {
  const handle = await open(file, NEW, 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function discard(file: string): Promise<void> {
  // What is left now is removed by a later write.
  await unlink(file).catch(() => undefined);
}
