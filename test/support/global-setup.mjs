import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBuild, obtainTemporalCli } from './parts.mjs';
import { TestPostgres } from './postgres.ts';

/** Which servers a kind of test needs; each is started once for the whole kind. */
const NEEDS = {
  workflow: [startTemporal],
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
  const home = await mkdtemp(join(tmpdir(), 'dagi-test-temporal-'));
  const server = await TemporalDevServer.start({ cli, home, namespace: 'default', ports: { grpc: 0, ui: 0 } });
  process.env.TEST_TEMPORAL_ADDRESS = server.address;
  return async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  };
}

async function startPostgres() {
  if (process.env.TEST_POSTGRES_URL) return undefined;
  const server = await TestPostgres.start();
  process.env.TEST_POSTGRES_URL = server.url;
  return () => server.stop();
}
