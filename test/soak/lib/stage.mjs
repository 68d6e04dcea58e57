import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { startProduct } from '../../../bench/lib/parties.mjs';
import { fromBuild, obtainTemporalCli } from '../../support/parts.mjs';
import { TestPostgres } from '../../support/postgres.ts';
import { Model } from './models.mjs';

const DAO = 'greenfood-dao';
const MEMBER = 'tg:12345';
const ADMIN = 'tg:1';

/** An answer is as long as its prompt, so the times of a token and the prompts make it some seconds. */
const OPEN_MODEL = { firstTokenMs: [50, 1_000], tokenMs: [10, 90] };
const LOCAL_MODEL = { firstTokenMs: [50, 500], tokenMs: [10, 60] };

/** What runs: Temporal, two models and the product, each a process, so that what grows can be told apart. */
export class Stage {
  closers = [];

  async open({ seed, postgres }) {
    this.temporalAddress = await this.openTemporal();
    this.models = {
      open: await this.model('openai', { ...OPEN_MODEL, seed }),
      local: await this.model('ollama', { ...LOCAL_MODEL, seed: seed + 1 }),
    };
    const options = { temporalAddress: this.temporalAddress, profileText: profileOf(this.models) };
    if (postgres) options.databaseUrl = await this.openPostgres();
    this.product = await startProduct(options);
    this.closers.push(() => this.product.stop());
    this.memberKey = await this.keyOfMember();
    this.connection = await Connection.connect({ address: this.temporalAddress });
    this.closers.push(() => this.connection.close());
    this.temporal = new Client({ connection: this.connection });
  }

  async openTemporal() {
    const { TemporalDevServer } = await fromBuild('src/adapters/temporal/dev-server.js');
    const home = mkdtempSync(join(tmpdir(), 'dagi-soak-temporal-'));
    const ports = { grpc: undefined, ui: undefined };
    const server = await TemporalDevServer.start({
      ...{ cli: await obtainTemporalCli(), home, namespace: 'default', ports },
    });
    this.closers.push(async () => {
      await server.stop();
      rmSync(home, { recursive: true, force: true });
    });
    return server.address;
  }

  async openPostgres() {
    const postgres = await TestPostgres.start({ fsync: true });
    this.closers.push(() => postgres.stop());
    return postgres.url;
  }

  async model(kind, settings) {
    const model = await Model.start(kind, settings);
    this.closers.push(() => model.stop());
    return model;
  }

  async keyOfMember() {
    const body = JSON.stringify({ name: 'soak', dao_id: DAO, principal: MEMBER });
    const headers = { authorization: `Bearer ${this.product.key}`, 'content-type': 'application/json' };
    const response = await fetch(`${this.product.url}/keys`, { method: 'POST', headers, body });
    if (response.status !== 201) throw new Error(`no key: ${await response.text()}`);
    return (await response.json()).key;
  }

  /** Workflows of requests that have not ended, as Temporal's visibility has them: a second late. */
  async openWorkflows() {
    const query = 'WorkflowType = "routeRequest" AND ExecutionStatus = "Running"';
    return (await this.temporal.workflow.count(query)).count;
  }

  /** What the product says of its providers, by their names. */
  async providers() {
    const headers = { authorization: `Bearer ${this.product.key}` };
    const response = await fetch(`${this.product.url}/providers?dao_id=${DAO}&user_id=${ADMIN}`, { headers });
    if (response.status !== 200) throw new Error(`GET /providers: ${response.status} ${await response.text()}`);
    const { providers } = await response.json();
    return Object.fromEntries(providers.map((one) => [one.name, one]));
  }

  async close() {
    for (const close of this.closers.toReversed()) {
      await close().catch((error) => process.stderr.write(`${error.message}\n`));
    }
  }
}

const profileOf = ({ open, local }) => `version: "0.4.0"
environment: development
llm_providers:
  - name: open
    type: openai-compatible
    config: { base_url: "${open.url}/v1", model: fake-model, max_tokens: 500 }
  - name: local
    type: ollama
    config: { base_url: "${local.url}", model: fake-model, max_tokens: 500 }
routing_rules:
  - { name: chat, conditions: { mode: chat }, use_provider: open, fallback_provider: local }
`;
