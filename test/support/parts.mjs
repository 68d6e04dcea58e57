import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ownFolder } from './own-folder.mjs';

const ROOT = resolve(import.meta.dirname, '../..');

/** Imports a module of the build, by its path in the sources. */
export async function fromBuild(path) {
  const file = join(ROOT, 'dist', path);
  if (!existsSync(file)) throw new Error(`${file} is missing: build first (npm run build)`);
  return import(file);
}

/** Where parts are kept, and who hears of them. */
export async function supply() {
  const { ConsoleReporter } = await fromBuild('src/adapters/supply/reporter.js');
  const home = resolve(ROOT, process.env.DAGI_HOME || 'var');
  const cache = process.env.DAGI_CACHE ? resolve(process.env.DAGI_CACHE) : join(home, 'cache');
  return { cache, reporter: new ConsoleReporter(process.stderr) };
}

/** The Temporal CLI, in the shape that `TemporalDevServer` takes. */
export async function obtainTemporalCli() {
  if (process.env.TEST_TEMPORAL_CLI) return JSON.parse(process.env.TEST_TEMPORAL_CLI);
  const module = await fromBuild('src/adapters/supply/temporal-cli.js');
  return module.obtainTemporalCli(await supply());
}

/** Path of the small model's weights. */
export async function obtainModel() {
  if (process.env.TEST_MODEL) return process.env.TEST_MODEL;
  const module = await fromBuild('src/adapters/supply/small-model.js');
  return module.obtainModel(undefined, await supply());
}

/** A folder with embedded databases for tests to copy (embedded-database.ts). Whoever takes it removes it. */
export async function makeEmbeddedDatabases() {
  const { openEmbedded } = await fromBuild('src/adapters/store/database.js');
  const folder = await ownFolder('dagi-test-embedded-');
  const [empty, migrated] = [join(folder, 'empty'), join(folder, 'migrated')];
  await (await openEmbedded(empty)).close();
  await cp(empty, migrated, { recursive: true });
  const database = await openEmbedded(migrated);
  await database.migrate();
  await database.close();
  return folder;
}
