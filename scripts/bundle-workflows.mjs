// Bundles the compiled workflows for Temporal's sandbox: bundle-workflows.mjs [FOLDER], by default dist/.
// A bundle made beforehand saves each start a second of webpack.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const folder = resolve(process.argv[2] ?? 'dist');
try {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(folder, 'workflows', 'index.js'),
    logger: new DefaultLogger('WARN', ({ level, message }) => console.error(`${level}: ${message}`)),
  });
  writeFileSync(join(folder, 'workflow-bundle.js'), code);
} catch (error) {
  console.error(`The workflows could not be bundled: ${error.message}`);
  process.exitCode = 1;
}
