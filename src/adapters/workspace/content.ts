import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { AppError } from '../../errors/app-error.js';
import { entriesOf } from './entries.js';
import { at, systemCode } from './faults.js';
import { Held, type Folder } from './opened.js';
import { denied, isTemporary, notAFile, parseFilePath, pathOf } from './path.js';
import { inFolder, type Opener } from './walk.js';

const LARGEST_CHUNK = 4 * 2 ** 20;

/** A file of the workspace, all of it. */
export interface Content {
  bytes: Buffer;
  hash: string;
  /** Permission bits. */
  mode: number;
}

/** SHA-256 of a file's bytes, in hexadecimal. */
export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Whether bytes are a text that can be kept as one: UTF-8, and without U+0000. */
export const isText = (bytes: Buffer): boolean => isUtf8(bytes) && !bytes.includes(0);

export const tooLarge = (path: string, most: number): AppError =>
  new AppError('FILE_TOO_LARGE', `${JSON.stringify(path)} is larger than ${most} bytes.`, { path, most_bytes: most });

/**
 * Reads a file of a folder. A device, pipe or socket is never opened, and neither is a file that has another name
 * elsewhere: it may be one from outside the workspace.
 * @param most largest size, in bytes
 * @throws AppError `PATH_DENIED`, `NOT_A_FILE`, `FILE_TOO_LARGE`, and errors of the operating system
 */
export async function readContent(folder: Folder, name: string, most: number): Promise<Content> {
  const held = await Held.at(folder.at(name));
  try {
    await requireOwnFile(folder, name, held);
    if (held.stats.size > most) throw tooLarge(folder.pathOf(name), most);
    const read = await readHeld(held, most);
    if (read === undefined) throw tooLarge(folder.pathOf(name), most);
    return { ...read, mode: held.stats.mode & 0o777 };
  } finally {
    await held.close();
  }
}

/**
 * A file by the path that a caller gave, with that path as it is told.
 * @throws AppError those of `readContent`, `FILE_NOT_FOUND`, `NOT_A_FOLDER`
 */
export async function contentAt(open: Opener, given: string, most: number): Promise<Content & { path: string }> {
  const names = parseFilePath(given);
  const path = pathOf(names);
  const name = names.pop() ?? '';
  const content = await at(path, () => inFolder(open, names, (folder) => readContent(folder, name, most)));
  return { path, ...content };
}

/** As `readContent`, of a file below the workspace; undefined if it, or a folder above it, is not there. */
export async function contentBelow(
  open: Opener,
  folders: readonly string[],
  name: string,
  most: number,
): Promise<Content | undefined> {
  try {
    return await inFolder(open, folders, (folder) => readContent(folder, name, most));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @throws AppError `PATH_DENIED`, `NOT_A_FILE` */
async function requireOwnFile(folder: Folder, name: string, held: Held): Promise<void> {
  requireFile(folder.pathOf(name), held.stats);
  if (held.stats.nlink <= 1 || (await isBeingMade(folder, held))) return;
  // A write may have ended between the two looks.
  if ((await held.look()).nlink > 1) throw denied(folder.pathOf(name), 'has another name elsewhere (a hard link)');
}

function requireFile(path: string, stats: Stats): void {
  if (stats.isSymbolicLink()) throw denied(path, 'is a link, which no tool follows');
  if (stats.isDirectory()) throw notAFile(path);
  if (!stats.isFile()) throw denied(path, 'is a device, socket or pipe, which no tool opens');
}

/** Whether a file's second name is the one under which a write made it: then both are in this folder. */
async function isBeingMade(folder: Folder, held: Held): Promise<boolean> {
  const { ino, dev } = await held.exactly();
  for (const { name } of await entriesOf(folder, isTemporary)) {
    const stats = await lstat(folder.at(name), { bigint: true }).catch(() => undefined);
    if (stats?.ino === ino && stats.dev === dev && stats.nlink === 2n) return true;
  }
  return false;
}

type Read = Pick<Content, 'bytes' | 'hash'>;

async function readHeld(held: Held, most: number): Promise<Read | undefined> {
  const handle = await open(held.place, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
  try {
    return await readAtMost(handle, held.stats.size, most);
  } finally {
    await handle.close();
  }
}

/** All that is in a file, which may grow meanwhile; undefined if that is more than it may be. */
async function readAtMost(handle: FileHandle, size: number, most: number): Promise<Read | undefined> {
  const chunks: Buffer[] = [];
  const hash = createHash('sha256');
  let total = 0;
  for (let wanted = size + 1; total <= most; wanted = Math.max(size + 1 - total, 65_536)) {
    // Hashing all of a large file at once would keep everybody waiting.
    const length = Math.min(wanted, most + 1 - total, LARGEST_CHUNK);
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(length));
    if (bytesRead === 0) return { bytes: Buffer.concat(chunks, total), hash: hash.digest('hex') };
    chunks.push(buffer.subarray(0, bytesRead));
    hash.update(buffer.subarray(0, bytesRead));
    total += bytesRead;
  }
  return undefined;
}
