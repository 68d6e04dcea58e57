import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../config/env.js';
import { readPrivate } from './adapters/private-file.js';
import { AppError } from './errors/app-error.js';
import { newSecret } from './services/keys.service.js';

/** The administrator's key; `created` when this start made or changed it. */
export interface AdminKey {
  key: string;
  created: boolean;
  /** The file that it is kept in. Undefined: it is nowhere but in DAGI_ADMIN_KEY. */
  file: string | undefined;
}

const SHORTEST = 16;

/**
 * The administrator's key. In production it must be given; elsewhere one is made and kept with the state, readable by
 * its owner alone.
 * @throws AppError `CONFIG_INVALID` if production has none, `SETUP_FAILED` if the kept one cannot be trusted
 */
export function findAdminKey(env: Env, environment: string): AdminKey {
  requireAdminKey(env, environment);
  if (environment === 'production' && env.DAGI_ADMIN_KEY)
    return { key: env.DAGI_ADMIN_KEY, created: false, file: undefined };
  const file = join(env.home, 'admin.key');
  const kept = readKept(file);
  const key = env.DAGI_ADMIN_KEY ?? kept ?? newSecret();
  if (key === kept) return { key, created: false, file };
  keep(file, key);
  return { key, created: true, file };
}

/**
 * Sees to it that there is a key where none is made up.
 * @throws AppError `CONFIG_INVALID` in production without one
 */
export function requireAdminKey({ DAGI_ADMIN_KEY: key }: Pick<Env, 'DAGI_ADMIN_KEY'>, environment: string): void {
  if (environment !== 'production' || key) return;
  throw new AppError('CONFIG_INVALID', "Set DAGI_ADMIN_KEY: in production the administrator's key is never made up.");
}

/** The kept key. One that somebody else could have put there would make them administrator. */
function readKept(file: string): string | undefined {
  const key = readPrivate(file, distrust)?.trim();
  if (key !== undefined && key.length < SHORTEST) throw distrust(file);
  return key;
}

/** Into a new file that nobody has open, and then to its place. */
function keep(file: string, key: string): void {
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${key}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(fresh, file);
}

const distrust = (file: string, cause?: unknown): AppError =>
  new AppError(
    'SETUP_FAILED',
    `${file} is not a key file of this user alone (mode 0600, at least ${SHORTEST} characters): look at it, and remove it to have a new key made.`,
    {},
    { cause },
  );
