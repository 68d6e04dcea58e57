import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../supply/is-alive.js';

const FOLDER = 'dagi-run-';

/** Makes a folder for a run; gives its path, without links. Its name says which process it is of. */
export const makeOwnFolder = async (): Promise<string> =>
  realpath(await mkdtemp(join(tmpdir(), `${FOLDER}${process.pid}-`)));

/** Removes the folders that processes of ours left when they were killed. */
export async function removeStaleFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = new RegExp(`^${FOLDER}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    // Of another user, perhaps.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
