// Gateways of others that the bench of `/v1` stands beside, fetched into the cache of parts, never into the project.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fromBuild } from '../../test/support/parts.mjs';

const PORTKEY = '1.15.2';
/** A newer one breaks its streams. */
const PORTKEY_SERVER = '1.13.8';
const PYTHONS = ['python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3', 'python'];

/** A gateway cannot be had here; the message says what a person can do. */
export class Missing extends Error {}

/**
 * LiteLLM with what its proxy needs, in the version that pip chooses the first time.
 * @returns {Promise<{ python: string, packages: string, version: string }>}
 * @throws Missing
 */
export async function obtainLiteLlm(tell) {
  const { python, version: of } = await findPython();
  const packages = join(await cacheFolder(), `bench-litellm-python-${of}`);
  if (!existsSync(packages)) {
    tell('LiteLLM is being fetched, once; pip takes some minutes over it');
    await fetched(packages, (partial) => [
      python,
      ...['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'],
      ...['--only-binary', ':all:', '--target', partial, 'litellm[proxy]'],
    ]);
  }
  const asked = ['-c', 'from importlib.metadata import version; print(version("litellm"))'];
  const { stdout } = await run(python, asked, { variables: { PYTHONPATH: packages } });
  return { python, packages, version: stdout.trim() };
}

/**
 * Portkey's gateway.
 * @returns {Promise<{ script: string, version: string }>}
 * @throws Missing
 */
export async function obtainPortkey(tell) {
  const folder = join(await cacheFolder(), `bench-portkey-${PORTKEY}`);
  const home = join(folder, 'node_modules', '@portkey-ai', 'gateway');
  if (!existsSync(folder)) {
    tell("Portkey's gateway is being fetched, once");
    await fetched(folder, async (partial) => {
      await writeFile(join(partial, 'package.json'), JSON.stringify(portkeyPackage));
      return ['npm', 'install', '--prefix', partial, '--no-audit', '--no-fund', '--ignore-scripts'];
    });
  }
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'));
  return { script: join(home, 'build', 'start-server.js'), version };
}

const portkeyPackage = {
  private: true,
  dependencies: { '@portkey-ai/gateway': PORTKEY },
  overrides: { '@hono/node-server': PORTKEY_SERVER },
};

/** Runs a command that fills a folder, which takes its place only when it is complete. */
async function fetched(folder, commandFor) {
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

async function findPython() {
  const candidates = process.env.TEST_PYTHON ? [process.env.TEST_PYTHON] : PYTHONS;
  // Its true place: what pyenv puts in front of it needs the variables of a shell.
  const asked = ['-c', 'import pip, sys; print("%d.%d" % sys.version_info[:2], sys.executable)'];
  for (const candidate of candidates) {
    const { code, stdout } = await run(candidate, asked).catch(() => ({ code: 1, stdout: '' }));
    const [, version, minor, python] = /^(3\.(\d+)) (.+)$/m.exec(stdout) ?? [];
    if (code === 0 && Number(minor) >= 10) return { python, version };
  }
  throw new Missing(
    'LiteLLM needs Python 3.10 or newer with pip: install python3 and python3-pip, or set TEST_PYTHON.',
  );
}

/** Programs are run from there, so nobody else may write to it. */
async function cacheFolder() {
  const { requireTrusted } = await fromBuild('src/adapters/supply/trust.js');
  const { DAGI_CACHE, DAGI_HOME } = process.env;
  const cache = resolve(DAGI_CACHE || join(DAGI_HOME || 'var', 'cache'));
  await mkdir(cache, { recursive: true, mode: 0o700 });
  await requireTrusted([cache]);
  return cache;
}
