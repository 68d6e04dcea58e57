import type { Dirent } from 'node:fs';
import { opendir, readdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Folder } from './opened.js';

/** Entries of a large folder that are read at once: all of them would keep everybody else waiting. */
const AT_ONCE = 512;
/** Of a folder, in bytes. Whatever is not larger has a few thousand entries at most; reading it is one call. */
const SMALL = 65_536;

/** Entries of a folder by their names, in no order; nothing more is asked about them. */
export async function entriesOf(folder: Folder, isWanted: (name: string) => boolean): Promise<Dirent[]> {
  if (folder.size <= SMALL) {
    const all = await readdir(folder.place, { withFileTypes: true });
    return all.filter(({ name }) => isWanted(name));
  }
  const entries: Dirent[] = [];
  for await (const entry of await opendir(folder.place, { bufferSize: AT_ONCE })) {
    if (isWanted(entry.name)) entries.push(entry);
  }
  return entries;
}

/** Entries that are sorted at once. */
const RUN = 8_192;

/** Puts entries in the order of their names; others are served meanwhile. */
export async function sortedByName(entries: Dirent[]): Promise<Dirent[]> {
  if (entries.length <= RUN) return entries.sort(byName);
  const half = Math.ceil(entries.length / 2);
  const both = [await sortedByName(entries.slice(0, half)), await sortedByName(entries.slice(half))];
  await setImmediate();
  // Two parts in order are put together in one go.
  return both.flat().sort(byName);
}

const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : 1);
