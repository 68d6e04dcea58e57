import { join, resolve } from 'node:path';
import { obtainModel } from '../../src/adapters/supply/small-model.js';
import { silentReporter } from '../../src/adapters/supply/reporter.js';

/** Path of the small model's weights; fetched into the cache if they are not there. */
export async function embeddedModelPath(): Promise<string> {
  const { TEST_MODEL, DAGI_CACHE, DAGI_HOME } = process.env;
  if (TEST_MODEL) return TEST_MODEL;
  const cache = resolve(DAGI_CACHE ?? join(DAGI_HOME || 'var', 'cache'));
  return obtainModel(undefined, { cache, reporter: silentReporter });
}
