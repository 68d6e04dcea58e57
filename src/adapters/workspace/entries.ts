import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import type { Folder } from './opened.js';

/** Entries that are read at once: all of a large folder would keep everybody else waiting. */
const AT_ONCE = 512;

/** Entries of a folder by their names, in no order; nothing more is asked about them. */
export async function entriesOf(folder: Folder, isWanted: (name: string) => boolean): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  for await (const entry of await opendir(folder.place, { bufferSize: AT_ONCE })) {
    if (isWanted(entry.name)) entries.push(entry);
  }
  return entries;
}
