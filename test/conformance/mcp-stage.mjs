// The product in this process, serving MCP: as it is, and once more with the fixtures of the conformance suite.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { createServer, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { Servers } from '../attacks/lib/host.mjs';
import { LETTERS_SCRIPTS } from '../factories/letters-crew.ts';
import { startFakeOpenAi } from '../fakes/fake-openai.ts';
import { fromBuild } from '../support/parts.mjs';
import { createDatabase } from '../support/postgres.ts';
import { extend } from './mcp-fixtures.mjs';

const HOST = '127.0.0.1';
export const ADMIN_KEY = 'administrator-of-the-conformance';
export const DAO = 'greenfood-dao';

const profileFor = (fake) => ({
  version: '1',
  environment: 'development',
  llm_providers: [
    {
      ...{ name: 'fake', type: 'openai-compatible' },
      config: { base_url: `${fake.url}/v1`, model: 'fake-model', max_tokens: 800 },
    },
  ],
  routing_rules: [{ name: 'chat', conditions: { mode: 'chat' }, use_provider: 'fake' }],
  limits: { request_timeout_ms: 20_000 },
});

export class McpStage {
  static async open() {
    const stage = new McpStage();
    try {
      await stage.start();
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async start() {
    this.servers = await Servers.start();
    this.home = await mkdtemp(join(tmpdir(), 'dagi-conformance-'));
    this.fake = await startFakeOpenAi({ scripts: LETTERS_SCRIPTS });
    const database = await createDatabase(this.servers.postgres.url, `mcp_${randomUUID().replaceAll('-', '')}`);
    await writeFile(join(this.home, 'profile.yml'), JSON.stringify(profileFor(this.fake)));
    await this.startProduct(database);
    this.fixtures = await this.serveWithFixtures();
    this.proxy = await proxyTo(this.fixtures.url);
  }

  async startProduct(databaseUrl) {
    const { openRuntime } = await fromBuild('src/runtime.js');
    const { readEnv } = await fromBuild('config/env.js');
    const { SERVED_QUEUES } = await fromBuild('src/worker.js');
    const env = readEnv({
      ...{ DAGI_HOME: this.home, DAGI_PROFILE: join(this.home, 'profile.yml'), DAGI_ADMIN_KEY: ADMIN_KEY },
      ...{ DATABASE_URL: databaseUrl, DAGI_CACHE: process.env.DAGI_CACHE },
    });
    const logFile = join(this.home, 'logs', 'dagi.log');
    const { address: temporalAddress } = this.servers.temporal;
    this.runtime = await openRuntime(env, { temporalAddress, modelPath: undefined, logFile });
    this.runtime.startWorkers(SERVED_QUEUES);
    this.url = (await this.runtime.startApi({ host: HOST, port: 0 })).url;
    this.mcpUrl = await this.runtime.startMcp({ host: HOST, port: 0 });
    const giveUpAt = Date.now() + 60_000;
    while ((await fetch(`${this.url}/ready`)).status !== 200) {
      if (Date.now() > giveUpAt) throw new Error('the product is not ready');
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** The product's own application, with what the suite calls on its servers. */
  async serveWithFixtures() {
    const { createMcpServer } = await fromBuild('src/mcp-server.js');
    const app = await createMcpServer(await this.runtime.parts.mcp(() => '', extend));
    await app.listen(0, HOST);
    return { url: new URL(await app.getUrl()), close: () => app.close() };
  }

  /** Creates a key; gives the secret. */
  async key(principal) {
    return (await this.call('POST', '/keys', { name: 'conformance', dao_id: DAO, principal })).key;
  }

  /** Makes a crew of the DAO's own. */
  putCrew(id, definition) {
    return this.call('PUT', `/crews/${id}?dao_id=${DAO}&user_id=tg:1`, definition);
  }

  async call(method, path, body) {
    const response = await fetch(this.url + path, {
      ...{ method, body: JSON.stringify(body) },
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer;
  }

  async close() {
    await this.proxy?.close();
    await this.fixtures?.close();
    await this.runtime?.close();
    await this.fake?.close();
    await this.servers?.stop();
    if (this.home) await rm(this.home, { recursive: true, force: true });
  }
}

/** Adds a key to each call, since the suite has none; all else passes as it is, and an end on either side is one on both. */
async function proxyTo(target) {
  const server = createServer((request, response) => {
    const onward = httpRequest(
      {
        ...{ host: target.hostname, port: target.port, path: request.url, method: request.method },
        headers: { ...request.headers, authorization: `Bearer ${ADMIN_KEY}` },
      },
      (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        response.flushHeaders();
        pipeline(answer, response, () => undefined);
      },
    );
    onward.once('error', () => response.destroy());
    response.once('close', () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise((done) => server.listen(0, HOST, done));
  return {
    url: `http://localhost:${server.address().port}/mcp`,
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}
