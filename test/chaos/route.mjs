import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startFake } from '../support/fake-process.mjs';
import { obtainModel } from '../support/parts.mjs';
import { TestPostgres } from '../support/postgres.ts';
import { main as embedded } from './embedded.mjs';
import { MemberClient } from './lib/member.mjs';
import { readOptions } from './lib/options.mjs';
import { between, randomFrom } from './lib/seed.mjs';
import { apiVictim, temporalVictim, workerVictim } from './lib/victim.mjs';

const KEY = 'chaos-key-of-the-administrator';
/** Requests come over this time, and kills fall into it, in milliseconds. */
const STORM_MS = 60_000;
/** After the storm everything must have ended by then, in milliseconds. */
const SETTLE_MS = 240_000;

/** The chaos run of `/route`; true if nothing was lost or doubled. */
export async function main(args) {
  const options = readOptions(args, { requests: 60, kills: 16 });
  process.stdout.write(`seed ${options.seed}: ${options.requests} requests, ${options.kills} kills\n`);
  const stage = await Stage.open();
  let whole;
  try {
    whole = await new Storm(stage, options).run();
  } finally {
    await stage.close();
  }
  const survived = await embedded(['--seed', String(options.seed), '--kills', String(options.embeddedKills)]);
  return survived && whole;
}

/** All processes of an installation on PostgreSQL, each of them killable. */
class Stage {
  static async open() {
    const stage = new Stage();
    stage.folder = mkdtempSync(join(tmpdir(), 'dagi-chaos-'));
    mkdirSync(join(stage.folder, 'home'));
    stage.log = createWriteStream(join(stage.folder, 'processes.log'));
    stage.postgres = await TestPostgres.start({ fsync: true });
    stage.fakes = { openai: await startFake('openai'), ollama: await startFake('ollama') };
    for (const fake of Object.values(stage.fakes)) await fake.control({ firstTokenMs: 1_000, tokenMs: 50, tokens: 60 });
    await stage.openVictims();
    return stage;
  }

  async openVictims() {
    const temporal = await temporalVictim(this.folder, this.log);
    const process = { env: this.environment(temporal.address, await obtainModel()), log: this.log };
    const profile = ['--profile', this.writeProfile()];
    const api = await apiVictim(profile, process);
    this.url = api.url;
    this.victims = {
      temporal: temporal.victim,
      api: api.victim,
      // Nobody waits for it: it may be killed again before it works.
      worker: workerVictim('worker', ['--queue', 'llm-ollama', ...profile], {
        ...process,
        ready: () => Promise.resolve(true),
      }),
      database: {
        name: 'database',
        kill: () => this.postgres.kill(),
        start: () => this.postgres.restart(),
        stop: () => this.postgres.stop(),
      },
    };
    await this.victims.temporal.start();
    await Promise.all([this.victims.api.start(), this.victims.worker.start()]);
    this.client = new MemberClient(this.url, KEY);
  }

  environment(temporalAddress, model) {
    return {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DAGI_HOME: join(this.folder, 'home'),
      DAGI_ADMIN_KEY: KEY,
      DATABASE_URL: this.postgres.url,
      TEMPORAL_ADDRESS: temporalAddress,
      EMBEDDED_MODEL: model,
      OLLAMA_BASE_URL: this.fakes.ollama.url,
    };
  }

  writeProfile() {
    const file = join(this.folder, 'chaos.yml');
    writeFileSync(
      file,
      `version: "0.4.0"
environment: development
llm_providers:
  - { name: cloud, type: openai-compatible, config: { base_url: "${this.fakes.openai.url}/v1", model: fake-model } }
  - { name: local, type: ollama, config: { base_url: "${this.fakes.ollama.url}", model: fake-model } }
routing_rules:
  - { name: local, priority: 1, conditions: { mode: chat, via: local }, use_provider: local, fallback_provider: cloud }
  - { name: cloud, priority: 2, conditions: { mode: chat }, use_provider: cloud, fallback_provider: local }
limits: { request_timeout_ms: 180000 }
`,
    );
    return file;
  }

  async close() {
    for (const name of ['api', 'worker', 'temporal', 'database'])
      await this.victims?.[name].stop().catch(() => undefined);
    for (const fake of Object.values(this.fakes ?? {})) await fake.stop();
    this.log.end();
    process.stdout.write(`what the processes wrote: ${join(this.folder, 'processes.log')}\n`);
    rmSync(join(this.folder, 'temporal.db'), { force: true });
  }
}

/** Requests and kills at moments that the seed sets, and the ledger at the end. */
class Storm {
  constructor(stage, { seed, requests, kills }) {
    Object.assign(this, { stage, requests, kills, random: randomFrom(seed), killed: [], accepted: new Map() });
    this.began = Date.now();
  }

  async run() {
    const kills = this.planKills();
    const submissions = Array.from({ length: this.requests }, (_, index) => this.submitAt(index));
    await Promise.all([this.killAll(kills), ...submissions]);
    process.stdout.write(
      `storm over after ${this.elapsed()} s; ${this.stage.client.refusals} refusals were repeated\n`,
    );
    const limit = Date.now() + SETTLE_MS;
    const outcomes = await Promise.all([...this.accepted.values()].map((id) => this.stage.client.outcome(id, limit)));
    process.stdout.write(`everything ended after ${this.elapsed()} s\n\n`);
    return this.ledger(outcomes);
  }

  elapsed() {
    return ((Date.now() - this.began) / 1000).toFixed(1);
  }

  planKills() {
    const names = ['api', 'worker', 'temporal', 'database'];
    const kills = Array.from({ length: this.kills }, (_, index) => ({
      // Each kind at least once, then at random.
      name: names[index] ?? names[between(this.random, 0, names.length)],
      at: between(this.random, 2_000, STORM_MS),
      down: between(this.random, 100, 1_500),
    }));
    return kills.toSorted((a, b) => a.at - b.at);
  }

  async submitAt(index) {
    const at = between(this.random, 0, STORM_MS);
    const metadata = this.random() < 0.5 ? { via: 'local' } : {};
    await sleep(at);
    const marker = `m${index}x`;
    this.accepted.set(marker, await this.stage.client.submit({ marker, metadata }));
  }

  async killAll(kills) {
    for (const { name, at, down } of kills) {
      await sleep(Math.max(0, this.began + at - Date.now()));
      const victim = this.stage.victims[name];
      await victim.kill();
      const killedAt = this.elapsed();
      await sleep(down);
      await victim.start();
      this.killed.push({ name, killedAt, backAt: this.elapsed() });
    }
  }

  async ledger(outcomes) {
    process.stdout.write('kill     at s    serving again at s\n');
    for (const { name, killedAt, backAt } of this.killed) {
      process.stdout.write(`${name.padEnd(9)}${killedAt.padEnd(8)}${backAt}\n`);
    }
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
