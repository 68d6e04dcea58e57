// The product in this process over an embedded database, with a model that says what it was told.
import { channel } from 'node:diagnostics_channel';
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { fromBuild } from '../../support/parts.mjs';
import { ADMIN_KEY } from './dao-state.mjs';
import { ECHOES } from './echo.mjs';
import { plant } from './plants.mjs';
import { ScriptedTemporal } from './scripted-temporal.mjs';
import { openTools } from './tools.mjs';

const PROFILE = {
  version: '1',
  environment: 'production',
  llm_providers: [
    { name: 'echo', type: 'openai-compatible', config: { base_url: 'http://echo.invalid/v1', model: 'echo' } },
  ],
  routing_rules: [
    {
      name: 'kept',
      priority: 1,
      conditions: { prompt_matches: '(?i)^what' },
      use_provider: 'echo',
      cache: { ttl_s: 3_600 },
    },
    { name: 'admins', priority: 2, conditions: { role: 'admin', mode: 'chat' }, use_provider: 'echo' },
    { name: 'chat', priority: 9, conditions: { mode: 'chat' }, use_provider: 'echo' },
  ],
};

/** @typedef {{ method: string, url: string, key: string, headers?: object, body?: object }} Call */

export class World {
  /** Routes of the product, as its router has them. */
  routes = [];

  /** @param {string} [planted] name of a mistake to make */
  static async open(planted) {
    const world = new World();
    const { openEmbedded } = await fromBuild('src/adapters/store/database.js');
    world.database = await openEmbedded();
    await world.database.migrate();
    await world.compose(planted);
    return world;
  }

  async compose(planted) {
    const { compose } = await fromBuild('src/compose.js');
    const { MemorySharedState } = await fromBuild('src/adapters/store/shared-state.js');
    const { RequestCounter } = await fromBuild('src/adapters/limits/request-counter.js');
    const { withHash } = await fromBuild('src/adapters/profile-files.js');
    const { buildFromText } = await fromBuild('config/loader.js');
    const { readEnv } = await fromBuild('config/env.js');
    const { createActivities } = await fromBuild('activities/index.js');
    const { createDevtoolsActivities } = await fromBuild('activities/devtools.js');
    const env = readEnv({});
    const log = pino({ level: 'silent' });
    this.temporal = new ScriptedTemporal();
    const files = { profile: 'isolation', watch: () => undefined, close: () => Promise.resolve() };
    this.parts = await compose(
      {
        ...{ env, log, files, database: this.database, temporal: this.temporal, modelPath: undefined },
        ...{ shared: new MemorySharedState(), counter: RequestCounter.inMemory(log) },
      },
      withHash(buildFromText(JSON.stringify(PROFILE), '/isolation/profile.yml', env, {})),
    );
    this.tools = await openTools();
    plant(planted, this.parts.repositories, this.database, this.tools.workspaces);
    // Calls that begin beside the start of their request ask the registry themselves.
    Object.assign(this.parts.registry, ECHOES);
    const activities = { ...this.parts.activities(), tools: this.tools.tools };
    this.temporal.serve({ ...createActivities(activities), ...createDevtoolsActivities(activities) });
    await this.parts.keys.putAdminKey(ADMIN_KEY);
    await this.parts.repositories.access.grantPlatform('api:admin');
    await this.listen(log);
  }

  async listen(log) {
    const { createApi } = await fromBuild('src/main.js');
    const { HealthService } = await fromBuild('src/services/health.service.js');
    const none = () => [];
    const health = new HealthService(none(), none, async () => none(), none, none);
    const created = channel('fastify.initialization');
    const listen = ({ fastify }) =>
      fastify.addHook('onRoute', ({ method, url }) => {
        for (const one of [method].flat()) this.routes.push(`${one} ${url}`);
      });
    created.subscribe(listen);
    this.app = await createApi({ ...this.parts.edge(), health, log });
    created.unsubscribe(listen);
    this.server = this.app.getHttpAdapter().getInstance();
    await this.server.ready();
  }

  /**
   * Makes a call and waits until all that it began has ended.
   * @param {Call} call
   */
  async call({ method, url, key, headers, body }) {
    const reply = await this.server.inject({
      ...{ method, url, headers: { authorization: `Bearer ${key}`, ...headers } },
      ...(body && { payload: body }),
    });
    await this.settled();
    return { status: reply.statusCode, headers: reply.headers, body: reply.body };
  }

  /** Resolves when all has ended that was begun: what nobody waited for is before this at the database. */
  async settled() {
    await turn();
    await this.temporal.settled();
    await this.database.ping();
    await turn();
  }

  async close() {
    await this.app.close();
    await this.parts.config.close();
    await this.database.close();
    this.tools.close();
  }
}
