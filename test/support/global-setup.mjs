import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { ownFolder } from './own-folder.mjs';
import { fromBuild, obtainTemporalCli } from './parts.mjs';
import { TestPostgres } from './postgres.ts';

/** Which servers a kind of test needs; each is started once for the whole kind. */
const NEEDS = {
  workflow: [startTemporal, bundleWorkflows],
  medium: [startTemporal, startPostgres],
  e2e: [startTemporal, startPostgres],
};

/** Starts the servers; their addresses reach the tests as `TEST_…` variables (see temporal.ts and postgres.ts). */
export default async function setup(_global, project) {
  const starts = NEEDS[project.displayName.name] ?? [];
  globalThis.testServers = await Promise.all(starts.map((start) => start()));
}

async function startTemporal() {
  if (process.env.TEST_TEMPORAL_ADDRESS) return undefined;
  const cli = await obtainTemporalCli();
  const { TemporalDevServer } = await fromBuild('src/adapters/temporal/dev-server.js');
  const home = await ownFolder('dagi-test-temporal-');
  const server = await TemporalDevServer.start({ cli, home, namespace: 'default', ports: { grpc: 0, ui: 0 } });
  process.env.TEST_TEMPORAL_ADDRESS = server.address;
  return async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  };
}

/** Bundles the workflows as their sources are now. */
async function bundleWorkflows() {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  const folder = await ownFolder('dagi-test-bundle-');
  process.env.TEST_WORKFLOW_BUNDLE = join(folder, 'workflows.js');
  await writeFile(process.env.TEST_WORKFLOW_BUNDLE, code);
  return () => rm(folder, { recursive: true, force: true });
}

async function startPostgres() {
  if (process.env.TEST_POSTGRES_URL) return undefined;
  const server = await TestPostgres.start();
  process.env.TEST_POSTGRES_URL = server.url;
  return () => server.stop();
}
