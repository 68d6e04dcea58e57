import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Env } from '../../config/env.js';
import { CliError } from './failure.js';
import { readRunFile } from './run-file.js';

/** An instance that commands can talk to, and the key to do so. */
export interface Instance {
  url: string;
  key: string;
}

/** What discovery reads of the environment. */
export type InstanceEnv = Pick<Env, 'home' | 'DAGI_URL' | 'DAGI_API_KEY'>;

const REMEDY = 'start it with "npm run up", or set DAGI_URL and DAGI_API_KEY';

/**
 * The instance that a command means: the one that DAGI_URL and DAGI_API_KEY name, else the one that runs on this home.
 * @throws CliError `NOT_RUNNING` or `NO_KEY` with the remedy
 */
export async function findInstance(env: InstanceEnv): Promise<Instance> {
  const url = await findUrl(env);
  // A key of this home's administrator must not be sent to another machine.
  const key = env.DAGI_API_KEY ?? (env.DAGI_URL === undefined ? await readAdminKey(env.home) : undefined);
  if (key === undefined) throw new CliError('NO_KEY', `There is no key for ${url}: set DAGI_API_KEY.`);
  return { url, key };
}

/** The address alone, for what needs no key. */
export async function findUrl(env: InstanceEnv): Promise<string> {
  if (env.DAGI_URL !== undefined) return env.DAGI_URL.replace(/\/+$/, '');
  const running = await readRunFile(env.home);
  if (!running) throw new CliError('NOT_RUNNING', `Nothing is running on ${env.home}: ${REMEDY}.`);
  return running.url;
}

/** The administrator's key as kept in the home folder. */
export async function readAdminKey(home: string): Promise<string | undefined> {
  const text = await readFile(join(home, 'admin.key'), 'utf8').catch(() => undefined);
  const key = text?.trim();
  return key === '' ? undefined : key;
}
