// The product in this process, with servers of its own: PostgreSQL, Temporal, and a model that obeys.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBuild, obtainTemporalCli } from '../../support/parts.mjs';
import { createDatabase, TestPostgres } from '../../support/postgres.ts';
import { startFakeOpenAi } from '../../fakes/fake-openai.ts';
import { ENVIRONMENT, FAKE_SETTINGS, profileFor } from './profile.ts';

const ADMIN_KEY = 'canary-of-the-administrator-key-8a31';

/** Servers that several runs use, one after the other. */
export class Servers {
  static async start() {
    const servers = new Servers();
    servers.home = await mkdtemp(join(tmpdir(), 'dagi-attacks-temporal-'));
    servers.postgres = await TestPostgres.start();
    const { TemporalDevServer } = await fromBuild('src/adapters/temporal/dev-server.js');
    const cli = await obtainTemporalCli();
    servers.temporal = await TemporalDevServer.start({
      ...{ cli, home: servers.home, namespace: 'default', ports: { grpc: 0, ui: 0 } },
    });
    return servers;
  }

  async stop() {
    await this.temporal?.stop();
    await this.postgres?.stop();
    await rm(this.home, { recursive: true, force: true });
  }
}

/** A fresh installation. */
export class Host {
  /** @param {Servers} servers */
  static async open(servers) {
    const host = new Host();
    host.home = await mkdtemp(join(tmpdir(), 'dagi-attacks-'));
    host.fake = await startFakeOpenAi(FAKE_SETTINGS);
    const databaseUrl = await createDatabase(servers.postgres.url, `attacks_${randomUUID().replaceAll('-', '')}`);
    await writeFile(join(host.home, 'profile.yml'), JSON.stringify(profileFor(host.fake)));
    await host.start(databaseUrl, servers.temporal.address);
    return host;
  }

  async start(databaseUrl, temporalAddress) {
    const { openRuntime } = await fromBuild('src/runtime.js');
    const { readEnv } = await fromBuild('config/env.js');
    const { SERVED_QUEUES } = await fromBuild('src/worker.js');
    const { openPostgres } = await fromBuild('src/adapters/store/database.js');
    Object.assign(process.env, ENVIRONMENT);
    const { home } = this;
    const logFile = join(home, 'logs', 'dagi.log');
    const variables = { DAGI_HOME: home, DAGI_PROFILE: join(home, 'profile.yml'), DAGI_ADMIN_KEY: ADMIN_KEY };
    const env = readEnv({ ...variables, ...ENVIRONMENT, DATABASE_URL: databaseUrl });
    this.runtime = await openRuntime(env, { temporalAddress, modelPath: undefined, logFile });
    this.runtime.startWorkers(SERVED_QUEUES);
    const { url } = await this.runtime.startApi({ host: '127.0.0.1', port: 0 });
    this.database = openPostgres(databaseUrl, { poolSize: 2 });
    this.served = { url, home, adminKey: ADMIN_KEY, database: this.database, databaseUrl, logFile };
    await this.ready(url);
  }

  async ready(url) {
    const giveUpAt = Date.now() + 30_000;
    while ((await fetch(`${url}/ready`)).status !== 200) {
      if (Date.now() > giveUpAt) throw new Error('the product is not ready');
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  async close() {
    await this.database?.close();
    await this.runtime?.close();
    await this.fake?.close();
    await rm(this.home, { recursive: true, force: true });
  }
}
