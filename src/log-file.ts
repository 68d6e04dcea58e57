import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { destination, type DestinationStream } from 'pino';

/** How large a log file may grow, and how many there are with those that came before it. */
export interface Rotation {
  max_size_mb?: number | undefined;
  max_files?: number | undefined;
}

const MAX_SIZE_MB = 100;
const MAX_FILES = 10;

/** Opens a log file that makes room for a new one when it is full: `dagi.log`, `dagi.log.1` (the last one), … */
export function openLogFile(file: string, rotation: Rotation = {}): DestinationStream {
  mkdirSync(dirname(file), { recursive: true });
  const fullAt = (rotation.max_size_mb ?? MAX_SIZE_MB) * 1_000_000;
  const keep = rotation.max_files ?? MAX_FILES;
  let size = sizeOf(file);
  const stream = destination({ dest: file, sync: false, mkdir: true });
  stream.on('write', (bytes: number) => {
    size += bytes;
    if (size < fullAt) return;
    size = 0;
    try {
      shift(file, keep);
      stream.reopen();
    } catch {
      // A folder that is read-only by now is no reason to end: the file goes on, and this is tried again later.
    }
  });
  // A disk that is full costs lines of the log, not answers.
  stream.on('error', () => undefined);
  return stream;
}

/** Renames each file to the next number; the oldest goes. */
function shift(file: string, keep: number): void {
  const name = (age: number): string => (age === 0 ? file : `${file}.${age}`);
  rmSync(name(keep - 1), { force: true });
  for (let age = keep - 2; age >= 0; age -= 1) {
    if (sizeOf(name(age)) > 0) renameSync(name(age), name(age + 1));
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
