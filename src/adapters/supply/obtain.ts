import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '../../errors/app-error.js';
import { discard, inspect, sha256Of, stampPath, writeStamp } from './checksum.js';
import { isAlive } from './is-alive.js';
import type { ObtainOptions, Part, Source } from './part.js';
import { requireTrusted } from './trust.js';

const SCRATCH = 'incoming-';

/**
 * Path of a part's verified file: from the cache, or from the first source that delivers it. A damaged file in the
 * cache is named, deleted and fetched again. Two processes may do this at once: each works in a folder of its own and
 * the last step is an atomic rename.
 * @throws AppError `SETUP_FAILED` with one sentence that names what failed at each source, and the remedy.
 */
export async function obtain(part: Part, options: ObtainOptions): Promise<string> {
  const target = join(options.cache, part.file);
  await requireTrusted([options.cache, dirname(target), target, stampPath(target)]);
  const state = await guardCache(options.cache, () => inspect(target, part.sha256));
  if (state === 'good') return target;
  if (state === 'damaged') {
    options.reporter.damaged(part.name, target);
    await guardCache(options.cache, () => discard(target));
  }
  const scratch = await guardCache(options.cache, () => openScratch(dirname(target)));
  try {
    await fetchFromAny(part, scratch, target, options);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return target;
}

async function fetchFromAny(part: Part, scratch: string, target: string, options: ObtainOptions): Promise<void> {
  const failures: string[] = [];
  for (const source of part.sources) {
    options.reporter.trying(part.name, source.name);
    try {
      await fetchFrom(source, part, scratch, target, options);
      options.reporter.done(part.name);
      return;
    } catch (error) {
      const reason = reasonOf(error);
      options.reporter.failed(part.name, source.name, reason);
      failures.push(`${source.name}: ${reason}`);
    }
  }
  throw new AppError('SETUP_FAILED', `${part.name} could not be obtained (${failures.join('; ')}): ${part.remedy}.`);
}

async function fetchFrom(
  source: Source,
  part: Part,
  scratch: string,
  target: string,
  { reporter }: ObtainOptions,
): Promise<void> {
  const folder = await mkdtemp(join(scratch, 'try-'));
  const file = await source.fetch({ folder, progress: (bytes, total) => reporter.progress(bytes, total) });
  const found = await sha256Of(file);
  if (found !== part.sha256) {
    throw new Error(`wrong checksum (expected ${part.sha256.slice(0, 12)}…, got ${found.slice(0, 12)}…)`);
  }
  await chmod(file, part.executable ? 0o755 : 0o644);
  await rename(file, target);
  await writeStamp(target, part.sha256);
}

/** A scratch folder that carries our pid, so that what a killed process left behind can be told and removed. */
async function openScratch(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    const owner = new RegExp(`^${SCRATCH}(\\d+)-`).exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) await rm(join(folder, name), { recursive: true, force: true });
  }
  return mkdtemp(join(resolve(folder), `${SCRATCH}${process.pid}-`));
}

async function guardCache<T>(cache: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const why = code === 'ENOSPC' ? 'the disk is full' : code;
    throw new AppError(
      'SETUP_FAILED',
      `The cache folder ${cache} cannot be written (${why}): give this user write access to it, or choose another folder with DAGI_CACHE or --home.`,
      {},
      { cause: error },
    );
  }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s+/g, ' ').trim().slice(0, 240);
}
