import { resolve } from 'node:path';
import { processVariables } from '../../config/env.js';
import { openSandbox } from '../../src/adapters/sandbox/open-sandbox.js';
import type { DescribedSandbox } from '../../src/adapters/sandbox/description.js';
import { silentReporter } from '../../src/adapters/supply/reporter.js';
import { packagePath } from '../../config/paths.js';

/** Where the tests keep what is obtained. */
export const testCache = (): string => resolve(processVariables().DAGI_CACHE ?? packagePath('var', 'cache'));

/** The real sandbox. @throws Error with the reason where programs cannot be run: that is a failure of the test */
export async function realSandbox(): Promise<DescribedSandbox> {
  const sandbox = await openSandbox({
    kind: 'bubblewrap',
    cache: testCache(),
    reporter: silentReporter,
    hidden: [packagePath()],
    production: false,
  });
  if (sandbox.kind === 'off') throw new Error(sandbox.describe().reason);
  return sandbox;
}
