import type { Dirent, Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { ListedEntry } from '../../contracts/devtools.js';
import { AppError } from '../../errors/app-error.js';
import { entriesOf, sortedByName } from './entries.js';
import { systemCode } from './faults.js';
import type { Glob, GlobState } from './glob.js';
import type { Folder } from './opened.js';
import { isTemporary } from './path.js';

/** For one page. */
const MOST_LOOKED_AT = 500_000;
const LONGEST_MS = 2_000;
/** Longest time in which nobody else is served. */
const AT_A_TIME_MS = 10;
/** Folders that are opened before it is their turn. */
const AHEAD = 4;

/** Where a walk is: below which names, how many levels may follow, where to begin, how far the glob has come. */
interface Place {
  names: readonly string[];
  levels: number;
  /** Names at which the page before ended; empty: begin at the first. */
  after: readonly string[];
  state: GlobState;
}

type Opened = { folder: Folder; entries: Dirent[] } | undefined;

/** One page of a list, while the folders are walked. */
export class ListWalk {
  private readonly found: { entry?: ListedEntry }[] = [];
  private lookedAt = 0;
  private until = Number.POSITIVE_INFINITY;
  private pauseAt = 0;
  private last = '';
  private isFull = false;

  /** @param limit most entries */
  constructor(
    private readonly limit: number,
    private readonly glob: Glob | undefined,
  ) {}

  /** Path of the last entry that was looked at, if there is more; undefined: there is no more. */
  get endedAt(): string | undefined {
    return this.isFull ? this.last : undefined;
  }

  /** What was found, without what has vanished since. */
  entries(): ListedEntry[] {
    return this.found.flatMap(({ entry }) => entry ?? []);
  }

  /** Walks a folder of the workspace that is open. */
  async from(folder: Folder, names: readonly string[], levels: number, after: readonly string[]): Promise<void> {
    const state = names.reduce<GlobState>((state, name) => this.step(state, name), this.glob?.start ?? []);
    await this.visit({ folder, entries: await sortedEntries(folder) }, { names, levels, after, state });
  }

  private async visit({ folder, entries }: NonNullable<Opened>, place: Place): Promise<void> {
    const [first] = place.after;
    const left = first === undefined ? entries : entries.filter(({ name }) => name >= first);
    const below = new Ahead(folder, this.foldersOf(left, place));
    const looks: Promise<void>[] = [];
    try {
      for (const entry of left) {
        if (performance.now() > this.pauseAt) await this.pause();
        const isResumed = entry.name === first;
        if (!isResumed) looks.push(...this.look(folder, entry, place));
        if (this.isFull) break;
        if (entry.isDirectory()) await this.descend(below, entry.name, place, isResumed ? place.after.slice(1) : []);
        if (this.isFull) break;
      }
    } finally {
      // They go through the handle of this folder, which is closed after this.
      await Promise.all(looks);
      await below.close();
    }
  }

  private foldersOf(entries: readonly Dirent[], { levels, state }: Place): string[] {
    if (levels <= 1) return [];
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    return this.glob === undefined ? folders : folders.filter((name) => this.step(state, name).length > 0);
  }

  private async descend(below: Ahead, name: string, place: Place, after: readonly string[]): Promise<void> {
    const opened = await below.take(name);
    if (opened === undefined) return;
    const { names, levels, state } = place;
    try {
      await this.visit(opened, { names: [...names, name], levels: levels - 1, after, state: this.step(state, name) });
    } finally {
      await opened.folder.close();
    }
  }

  /** Looks at an entry; the promise of its size and time if it is one of the page. */
  private look(folder: Folder, entry: Dirent, { names, state }: Place): Promise<void>[] {
    if (this.isTooMuch()) return [];
    const isMatch = this.glob === undefined || this.glob.matches(this.glob.step(state, entry.name));
    if (isMatch && this.found.length === this.limit) {
      this.isFull = true;
      return [];
    }
    this.last = [...names, entry.name].join('/');
    if (!isMatch) return [];
    const slot: { entry?: ListedEntry } = {};
    this.found.push(slot);
    return [fill(slot, folder, entry, this.last)];
  }

  private async pause(): Promise<void> {
    await setImmediate();
    this.pauseAt = performance.now() + AT_A_TIME_MS;
  }

  /** Every page gets at least one entry further. */
  private isTooMuch(): boolean {
    if (this.lookedAt === 0) this.until = performance.now() + LONGEST_MS;
    else if (this.lookedAt >= MOST_LOOKED_AT || performance.now() > this.until) this.isFull = true;
    this.lookedAt += 1;
    return this.isFull;
  }

  private step(state: GlobState, name: string): GlobState {
    return this.glob?.step(state, name) ?? state;
  }
}

/** Opens the next folders while the one before is walked. */
class Ahead {
  private readonly opened = new Map<string, Promise<Opened>>();
  private next = 0;

  constructor(
    private readonly folder: Folder,
    private readonly names: readonly string[],
  ) {}

  /** The next of the folders; undefined if it is none of them, or has vanished. Whoever takes it closes it. */
  async take(name: string): Promise<Opened> {
    if (this.names[this.next - this.opened.size] !== name) return undefined;
    while (this.opened.size < AHEAD && this.next < this.names.length) this.start(this.names[this.next]);
    const taken = this.opened.get(name);
    this.opened.delete(name);
    return taken;
  }

  /** Closes what nobody took. */
  async close(): Promise<void> {
    for (const end of await Promise.allSettled([...this.opened.values()])) {
      if (end.status === 'fulfilled') await end.value?.folder.close();
    }
  }

  private start(name: string | undefined): void {
    this.next += 1;
    if (name === undefined) return;
    const opening = openIfAny(this.folder, name);
    // It is told to whoever takes it; nobody may.
    opening.catch(() => undefined);
    this.opened.set(name, opening);
  }
}

/** A folder with its entries; undefined if it is gone or another thing by now, or may not be opened. */
async function openIfAny(parent: Folder, name: string): Promise<Opened> {
  let folder: Folder | undefined;
  try {
    folder = await parent.enter(name);
    return { folder, entries: await sortedEntries(folder) };
  } catch (error) {
    await folder?.close();
    if (error instanceof AppError || ['ENOENT', 'EACCES', 'EPERM'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

const sortedEntries = async (folder: Folder): Promise<Dirent[]> =>
  sortedByName(await entriesOf(folder, (name) => !isTemporary(name)));

/** Never rejected: the walk may be elsewhere when this ends. */
async function fill(slot: { entry?: ListedEntry }, folder: Folder, entry: Dirent, path: string): Promise<void> {
  try {
    slot.entry = described(path, await lstat(folder.at(entry.name)));
  } catch (error) {
    // A name that is no UTF-8 cannot be asked for; whatever else is not there has vanished.
    const isGone = systemCode(error) === 'ENOENT' && !entry.name.includes('\uFFFD');
    if (!isGone) slot.entry = { path, type: typeOf(entry) };
  }
}

function typeOf(entry: Dirent | Stats): ListedEntry['type'] {
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isDirectory()) return 'folder';
  return entry.isFile() ? 'file' : 'other';
}

function described(path: string, stats: Stats): ListedEntry {
  const type = typeOf(stats);
  return { path, type, ...(type === 'file' && { size: stats.size }), modified_at: stats.mtime.toISOString() };
}
