import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startFake } from '../support/fake-process.mjs';
import { main as embedded } from './embedded.mjs';
import { Installation } from './lib/installation.mjs';
import { Kills, planKills } from './lib/kills.mjs';
import { KEY, MemberClient } from './lib/member.mjs';
import { readOptions } from './lib/options.mjs';
import { between, randomFrom } from './lib/seed.mjs';

const VICTIMS = ['api', 'worker', 'temporal', 'database'];
/** Requests come over this time, and kills fall into it, in milliseconds. */
const STORM_MS = 60_000;
/** After the storm everything must have ended by then, in milliseconds. */
const SETTLE_MS = 240_000;

/** The chaos run of `/route`; true if nothing was lost or doubled. */
export async function main(args) {
  const options = readOptions(args, { requests: 60, kills: 16 });
  process.stdout.write(`seed ${options.seed}: ${options.requests} requests, ${options.kills} kills\n`);
  const stage = new Stage();
  let whole;
  try {
    await stage.open();
    whole = await new Storm(stage, options).run();
  } finally {
    await stage.close();
  }
  const survived = await embedded(['--seed', String(options.seed), '--kills', String(options.embeddedKills)]);
  return survived && whole;
}

/** API, a worker of the local model, Temporal and database; two models survive. */
class Stage extends Installation {
  fakes = {};

  async open() {
    await this.prepare('route');
    for (const name of ['openai', 'ollama']) {
      const fake = await startFake(name);
      this.closers.push(() => fake.stop());
      await fake.control({ firstTokenMs: 1_000, tokenMs: 50, tokens: 60 });
      this.fakes[name] = fake;
    }
    const profile = this.profile(profileText(this.fakes));
    const env = this.environment({ OLLAMA_BASE_URL: this.fakes.ollama.url });
    const api = await this.api(profile, env);
    // Nobody waits for it: it may be killed again before it works.
    const ready = () => Promise.resolve(true);
    const worker = this.worker('worker', ['--queue', 'llm-ollama', ...profile], { env, ready });
    const { temporal, database } = this;
    this.victims = { api: api.victim, worker, temporal, database };
    await this.start(temporal);
    await Promise.all([api.victim, worker].map((victim) => this.start(victim)));
    this.client = new MemberClient(api.url, KEY);
  }
}

const profileText = ({ openai, ollama }) => `version: "0.4.0"
environment: development
llm_providers:
  - { name: cloud, type: openai-compatible, config: { base_url: "${openai.url}/v1", model: fake-model } }
  - { name: local, type: ollama, config: { base_url: "${ollama.url}", model: fake-model } }
routing_rules:
  - { name: local, priority: 1, conditions: { mode: chat, via: local }, use_provider: local, fallback_provider: cloud }
  - { name: cloud, priority: 2, conditions: { mode: chat }, use_provider: cloud, fallback_provider: local }
limits: { request_timeout_ms: 180000 }
`;

/** Requests and kills at moments that the seed sets, and the ledger at the end. */
class Storm {
  kills = new Kills();
  accepted = new Map();

  constructor(stage, { seed, requests, kills }) {
    Object.assign(this, { stage, requests, random: randomFrom(seed) });
    this.plan = planKills(this.random, { names: VICTIMS, kills, lastsMs: STORM_MS });
  }

  async run() {
    const submissions = Array.from({ length: this.requests }, (_, index) => this.submitAt(index));
    await Promise.all([this.kills.all(this.plan, this.stage.victims), ...submissions]);
    process.stdout.write(
      `storm over after ${this.kills.elapsed()} s; ${this.stage.client.refusals} refusals were repeated\n`,
    );
    const limit = Date.now() + SETTLE_MS;
    const outcomes = await Promise.all([...this.accepted.values()].map((id) => this.stage.client.outcome(id, limit)));
    process.stdout.write(`everything ended after ${this.kills.elapsed()} s\n\n`);
    return this.ledger(outcomes);
  }

  async submitAt(index) {
    const at = between(this.random, 0, STORM_MS);
    const metadata = this.random() < 0.5 ? { via: 'local' } : {};
    await sleep(at);
    const marker = `m${index}x`;
    this.accepted.set(marker, await this.stage.client.submit({ marker, metadata }));
  }

  async ledger(outcomes) {
    process.stdout.write(this.kills.table());
    const rows = await this.recorded();
    const bought = await this.bought();
    const completed = outcomes.filter((body) => body?.status === 'completed').length;
    const failed = outcomes.filter((body) => body && body.status !== 'completed');
    const lost = outcomes.filter((body) => body === undefined).length;
    const doubled = [...this.accepted.keys()].filter((marker) => rows.get(marker) !== 1).length;
    const twice = [...this.accepted.keys()].filter((marker) => (bought.get(marker) ?? 0) > 1);
    const wrong = [...this.accepted.keys()].filter(
      (marker, index) => !outcomes[index]?.data?.text?.includes(marker),
    ).length;
    for (const body of failed)
      process.stdout.write(`failed: ${JSON.stringify({ error: body.error, attempts: body.attempts })}\n`);
    process.stdout.write(
      `\naccepted ${this.accepted.size}, answered ${completed}, ended with an error ${failed.length}, lost ${lost}, ` +
        `recorded more or less than once ${doubled}, answered with another's answer ${wrong - failed.length - lost}\n` +
        `calls to the models ${[...bought.values()].reduce((sum, count) => sum + count, 0)}; ` +
        `bought more than once ${twice.length} (killed while the model spoke, or before its answer was written)\n`,
    );
    return lost === 0 && doubled === 0 && failed.length === 0 && wrong === 0;
  }

  /** How many answers the database holds for each marker. */
  async recorded() {
    const client = new pg.Client({ connectionString: this.stage.postgres.url });
    await client.connect();
    const { rows } = await client.query('select prompt, count(answer)::int as answers from turns group by prompt');
    await client.end();
    return new Map(rows.map(({ prompt, answers: count }) => [prompt.replace('chaos #', ''), count]));
  }

  /** How many calls the models saw for each marker. */
  async bought() {
    const counts = new Map();
    for (const fake of Object.values(this.stage.fakes)) {
      const { startedByPrompt } = await fake.stats();
      for (const [marker, count] of Object.entries(startedByPrompt)) {
        counts.set(marker, (counts.get(marker) ?? 0) + count);
      }
    }
    return counts;
  }
}
