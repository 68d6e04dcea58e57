// Programs of others that benches stand beside, fetched into the cache of parts, never into the project.
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fromBuild } from '../../test/support/parts.mjs';

const PYTHONS = ['python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3', 'python'];

/** A program cannot be had here; the message says what a person can do. */
export class Missing extends Error {}

/**
 * A program from PyPI with what it needs, in the version that pip chooses the first time.
 * @param {{ name: string, distribution: string, extra?: string, takes: string }} program `takes`: how long pip is at it
 * @returns {Promise<{ python: string, packages: string, version: string }>}
 * @throws Missing
 */
export async function obtainFromPyPi({ name, distribution, extra = '', takes }, tell) {
  const { python, version: of } = await findPython(name);
  const packages = await partFolder(`bench-${distribution}-python-${of}`);
  if (!existsSync(packages)) {
    tell(`${name} is being fetched, once; ${takes}`);
    await fetched(packages, (partial) => [
      python,
      ...['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'],
      ...['--only-binary', ':all:', '--target', partial, `${distribution}${extra}`],
    ]);
  }
  const asked = ['-c', `from importlib.metadata import version; print(version("${distribution}"))`];
  const { stdout } = await run(python, asked, { variables: { PYTHONPATH: packages } });
  return { python, packages, version: stdout.trim() };
}

/** Runs a command that fills a folder, which takes its place only when it is complete. */
export async function fetched(folder, commandFor) {
  const partial = `${folder}.${process.pid}`;
  await mkdir(partial);
  try {
    const [program, ...args] = await commandFor(partial);
    const { code, stderr } = await run(program, args, { cwd: partial, variables: npmVariables() });
    if (code !== 0) throw new Missing(`${program} could not fetch it: see to its settings. It said: ${lastOf(stderr)}`);
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** A folder of the cache. Programs are run from there, so nobody else may write to it. */
export async function partFolder(name) {
  const { requireTrusted } = await fromBuild('src/adapters/supply/trust.js');
  const { DAGI_CACHE, DAGI_HOME } = process.env;
  const cache = resolve(DAGI_CACHE || join(DAGI_HOME || 'var', 'cache'));
  await mkdir(cache, { recursive: true, mode: 0o700 });
  await requireTrusted([cache]);
  return join(cache, name);
}

const lastOf = (text) => text.trim().split('\n').slice(-3).join(' ');

/** How npm finds its mirror and certificates on this machine. */
const npmVariables = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(npm_config_|NPM_|NODE_EXTRA_CA)/i.test(name)));

async function run(program, args, options = {}) {
  const { runCommand } = await fromBuild('src/adapters/supply/command.js');
  return runCommand(program, args, options).catch((error) => {
    if (error.code === 'ENOENT') throw new Missing(`There is no ${program} on this machine: install it.`);
    throw error;
  });
}

async function findPython(name) {
  const candidates = process.env.TEST_PYTHON ? [process.env.TEST_PYTHON] : PYTHONS;
  // Its true place: what pyenv puts in front of it needs the variables of a shell.
  const asked = ['-c', 'import pip, sys; print("%d.%d" % sys.version_info[:2], sys.executable)'];
  for (const candidate of candidates) {
    const { code, stdout } = await run(candidate, asked).catch(() => ({ code: 1, stdout: '' }));
    const [, version, minor, python] = /^(3\.(\d+)) (.+)$/m.exec(stdout) ?? [];
    if (code === 0 && Number(minor) >= 10) return { python, version };
  }
  throw new Missing(
    `${name} needs Python 3.10 or newer with pip: install python3 and python3-pip, or set TEST_PYTHON.`,
  );
}
