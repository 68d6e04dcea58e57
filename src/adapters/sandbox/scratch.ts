import { statfs } from 'node:fs/promises';

/** What the kernel keeps for each file in memory, beside its content. */
const BYTES_FOR_A_FILE = 1_024;

/**
 * What is used of file systems in memory, in bytes; a file system that cannot be asked counts nothing. Of an overlay
 * the kernel tells about the layer that is written.
 */
export async function scratchUsed(folders: readonly string[]): Promise<number> {
  const used = await Promise.all(
    folders.map((folder) =>
      statfs(folder).then(
        ({ bsize, blocks, bfree, files, ffree }) => (blocks - bfree) * bsize + (files - ffree) * BYTES_FOR_A_FILE,
        () => 0,
      ),
    ),
  );
  return used.reduce((sum, bytes) => sum + bytes, 0);
}
