import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** SHA-256 of a file, in hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Where the note about a file lies. */
export const stampPath = (path: string): string => `${path}.verified.json`;

async function describeFile(path: string, sha256: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return JSON.stringify({ sha256, size, mtimeMs });
}

/**
 * Notes beside a file that its checksum was found right. Hashing 160 MB takes half a second, which each warm start
 * would pay; size and time of change are enough to notice that the file is no longer the one that was checked.
 */
export async function writeStamp(path: string, sha256: string): Promise<void> {
  // A read-only cache is fine to use: it is then hashed on every start.
  await writeFile(stampPath(path), await describeFile(path, sha256), { mode: 0o600 }).catch(() => undefined);
}

async function hasStamp(path: string, sha256: string): Promise<boolean> {
  const noted = await readFile(stampPath(path), 'utf8').catch(() => undefined);
  return noted !== undefined && noted === (await describeFile(path, sha256));
}

/** State of a cached file: `good` was proven by its checksum, now or earlier and unchanged since. */
export async function inspect(path: string, sha256: string): Promise<'good' | 'absent' | 'damaged'> {
  const found = await stat(path).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (!found) return 'absent';
  if (!found.isFile()) return 'damaged';
  if (await hasStamp(path, sha256)) return 'good';
  if ((await sha256Of(path)) !== sha256) return 'damaged';
  await writeStamp(path, sha256);
  return 'good';
}

/** Removes a cached file and the note about it. */
export async function discard(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await rm(stampPath(path), { force: true });
}
