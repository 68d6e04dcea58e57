import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCommand } from '../../src/adapters/supply/command.js';

/** The clients, as people install them. */
const PACKAGES = ['openai==3.51.0', 'langchain-openai==1.7.4', 'dify-plugin==0.10.2'];
/** What `dify-plugin` asks for. */
const OLDEST = 12;
const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python'];

/** A Python and the folder that its packages are in. */
export interface PythonClients {
  python: string;
  packages: string;
}

/**
 * The Python packages of the clients, fetched by pip into the cache of parts where they are not there yet.
 * @throws with what a person can do, where there is no fitting Python, no pip, or no registry
 */
export async function obtainPythonClients(): Promise<PythonClients> {
  const { python, version } = await findPython();
  const digest = createHash('sha256').update(PACKAGES.join()).digest('hex').slice(0, 12);
  const packages = join(cacheFolder(), `python-clients-${version}-${digest}`);
  if (!existsSync(packages)) await install(python, packages);
  return { python, packages };
}

function cacheFolder(): string {
  const { DAGI_CACHE, DAGI_HOME } = process.env;
  return resolve(DAGI_CACHE ?? join(DAGI_HOME || 'var', 'cache'));
}

/** The first Python that is new enough: by name, else one of pyenv's. */
async function findPython(): Promise<{ python: string; version: string }> {
  const named = process.env.TEST_PYTHON;
  const candidates = named ? [named] : [...NAMES, ...(await pyenvPythons())];
  for (const python of candidates) {
    const version = await versionOf(python);
    if (version !== undefined) return { python, version };
  }
  throw new Error(
    `Tests with clients in Python need Python 3.${OLDEST} or newer with pip, and ${candidates.join(', ')} are not that. ` +
      'Install one (python3 and python3-pip, or pyenv), or name one in TEST_PYTHON.',
  );
}

async function pyenvPythons(): Promise<string[]> {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
  const names = await readdir(versions).catch(() => []);
  const newestFirst = names.toSorted((one, other) => other.localeCompare(one, 'en', { numeric: true }));
  return newestFirst.map((name) => join(versions, name, 'bin', 'python'));
}

/** `3.13` and the like; undefined where this is no Python that will do. */
async function versionOf(python: string): Promise<string | undefined> {
  const asked = ['-c', 'import pip, sys; print("%d.%d" % sys.version_info[:2])'];
  const found = await runCommand(python, asked).catch(() => undefined);
  const [, version, minor] = /^(3\.(\d+))\s/.exec(found?.stdout ?? '') ?? [];
  return Number(minor) >= OLDEST ? version : undefined;
}

async function install(python: string, packages: string): Promise<void> {
  console.error('The clients in Python are being fetched, once; this may take a minute.');
  // Whoever else does the same at this moment has a folder of its own.
  const partial = `${packages}.${process.pid}`;
  await mkdir(cacheFolder(), { recursive: true });
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check', '--no-compile', '--retries', '1'];
  const args = ['-m', 'pip', 'install', ...quiet, '--only-binary', ':all:', '--target', partial, ...PACKAGES];
  const { code, stderr } = await runCommand(python, args, { cwd: cacheFolder() });
  if (code !== 0) {
    await rm(partial, { recursive: true, force: true });
    throw new Error(`pip could not fetch ${PACKAGES.join(', ')}; see to pip's settings. It said: ${stderr.trim()}`);
  }
  await rename(partial, packages).catch(() => rm(partial, { recursive: true, force: true }));
}
