// Gateways of others that the bench of `/v1` stands beside.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetched, obtainFromPyPi, partFolder } from './fetched-parts.mjs';

const PORTKEY = '1.15.2';
/** A newer one breaks its streams. */
const PORTKEY_SERVER = '1.13.8';

/**
 * LiteLLM with what its proxy needs, in the version that pip chooses the first time.
 * @returns {Promise<{ python: string, packages: string, version: string }>}
 * @throws Missing
 */
export const obtainLiteLlm = (tell) =>
  obtainFromPyPi(
    { name: 'LiteLLM', distribution: 'litellm', extra: '[proxy]', takes: 'pip takes some minutes over it' },
    tell,
  );

/**
 * Portkey's gateway.
 * @returns {Promise<{ script: string, version: string }>}
 * @throws Missing
 */
export async function obtainPortkey(tell) {
  const folder = await partFolder(`bench-portkey-${PORTKEY}`);
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
