import { stat } from 'node:fs/promises';
import { AppError } from '../../errors/app-error.js';

const OTHERS_WRITE = 0o022;

/** What lets another user change a file or folder; undefined if nothing does, or if this system knows no owners. */
export function distrust({ uid, mode }: { uid: number; mode: number }): string | undefined {
  const ours = process.getuid?.();
  if (ours === undefined) return undefined;
  if (uid !== ours && uid !== 0) return `belongs to another user (${uid})`;
  return (mode & OTHERS_WRITE) === 0 ? undefined : 'can be written by other users';
}

/**
 * Makes sure that nobody else can have put a file, or the note that vouches for it, into the cache. What does not exist
 * is fine.
 * @throws AppError `SETUP_FAILED` with the remedy
 */
export async function requireTrusted(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    // Anything but its owner and mode is for the reader of the file to find out.
    const found = await stat(path).catch(() => undefined);
    const why = found && distrust(found);
    if (why === undefined) continue;
    const remedy = 'delete it, or take it over with "chown" and "chmod go-w", or choose another cache with DAGI_CACHE';
    throw new AppError('SETUP_FAILED', `${path} ${why}: ${remedy}.`);
  }
}
