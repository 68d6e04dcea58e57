import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBuild, obtainTemporalCli } from './parts.mjs';
import { TestPostgres } from './postgres.ts';

const TEMPORAL_HOME = 'dagi-test-temporal-';

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
  await removeLeftovers();
  const cli = await obtainTemporalCli();
  const { TemporalDevServer } = await fromBuild('src/adapters/temporal/dev-server.js');
  const home = await mkdtemp(join(tmpdir(), `${TEMPORAL_HOME}${process.pid}-`));
  const server = await TemporalDevServer.start({ cli, home, namespace: 'default', ports: { grpc: 0, ui: 0 } });
  process.env.TEST_TEMPORAL_ADDRESS = server.address;
  return async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  };
}

/** What killed runs left; their servers have ended with them. */
async function removeLeftovers() {
  for (const name of await readdir(tmpdir())) {
    const owner = new RegExp(`^${TEMPORAL_HOME}(\\d+)-`).exec(name)?.[1];
    if (owner && !isAlive(Number(owner)))
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {});
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function startPostgres() {
  if (process.env.TEST_POSTGRES_URL) return undefined;
  const server = await TestPostgres.start();
  process.env.TEST_POSTGRES_URL = server.url;
  return () => server.stop();
}
