import { constants, type BigIntStats, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { notAFolder } from './faults.js';
import { denied, pathOf } from './path.js';

/** Linux's flag for a handle that only stands for an entry: a device or pipe is not opened by it. */
const O_PATH = 0o10000000;
const LOOK = O_PATH | constants.O_NOFOLLOW;

/** An entry that is held, whatever is put in its place meanwhile: what it is, and a path that leads to it alone. */
export class Held {
  private constructor(
    private readonly handle: FileHandle,
    readonly stats: Stats,
  ) {}

  /** @param place a path whose last name alone is resolved; a link there is held itself */
  static async at(place: string): Promise<Held> {
    const handle = await open(place, LOOK);
    try {
      return new Held(handle, await handle.stat());
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The entry itself, for calls of the operating system while it is held. */
  get place(): string {
    return `/proc/self/fd/${this.handle.fd}`;
  }

  /** What it is by now. */
  look(): Promise<Stats> {
    return this.handle.stat();
  }

  /** The same with numbers of which none is rounded. */
  exactly(): Promise<BigIntStats> {
    return this.handle.stat({ bigint: true });
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/**
 * A folder below the workspace that is held open. Its entries are reached by one name at a time, so that the kernel
 * never resolves a path of which somebody could turn a part into a link.
 */
export class Folder {
  private constructor(
    private readonly held: Held,
    /** Device of the workspace: what is mounted in it is not of it. */
    private readonly device: number,
    /** Path below the workspace, for messages. */
    private readonly names: readonly string[],
  ) {}

  /**
   * Opens the folder that contains everything, by its path; it must be no link.
   * @throws AppError `NOT_A_FOLDER`, and errors of the operating system
   */
  static async root(path: string): Promise<Folder> {
    const held = await Held.at(resolve(path));
    return Folder.of(held, held.stats.dev, []);
  }

  /**
   * A workspace in it.
   * @throws AppError `PATH_DENIED`, `NOT_A_FOLDER`, and errors of the operating system
   */
  async workspace(name: string): Promise<Folder> {
    const held = await Held.at(this.at(name));
    return Folder.of(held, held.stats.dev, []);
  }

  /**
   * A folder in it.
   * @throws AppError `PATH_DENIED`, `NOT_A_FOLDER`, and errors of the operating system
   */
  async enter(name: string): Promise<Folder> {
    return Folder.of(await Held.at(this.at(name)), this.device, [...this.names, name]);
  }

  /** A path to an entry of this folder, for calls that resolve no link at its end. */
  at(name: string): string {
    return `${this.held.place}/${name}`;
  }

  /** The folder itself, for calls of the operating system. */
  get place(): string {
    return this.held.place;
  }

  /** Tells this folder from others, and from later ones that get its number. */
  get identity(): string {
    const { dev, ino, birthtimeMs } = this.held.stats;
    return `${dev}:${ino}:${birthtimeMs}`;
  }

  /** What its entries took on the disk when it was opened, in bytes: about how many there are. */
  get size(): number {
    return this.held.stats.size;
  }

  pathOf(name: string): string {
    return [...this.names, name].join('/');
  }

  close(): Promise<void> {
    return this.held.close();
  }

  private static async of(held: Held, device: number, names: readonly string[]): Promise<Folder> {
    try {
      requireFolder(held.stats, device, names);
      return new Folder(held, device, names);
    } catch (error) {
      await held.close();
      throw error;
    }
  }
}

/** @throws AppError `PATH_DENIED`, `NOT_A_FOLDER` */
export function requireFolder(
  stats: Pick<Stats, 'dev' | 'isDirectory' | 'isSymbolicLink'>,
  device: number,
  names: readonly string[],
): void {
  const path = pathOf(names);
  if (stats.isSymbolicLink()) throw denied(path, 'is a link, which no tool follows');
  if (!stats.isDirectory()) throw notAFolder(path);
  if (stats.dev !== device) throw denied(path, 'is mounted from elsewhere and not of the workspace');
}
