import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Installation } from './lib/installation.mjs';
import { KEY, MemberClient } from './lib/member.mjs';
import { readOptions } from './lib/options.mjs';
import { between, randomFrom } from './lib/seed.mjs';
import { Leftovers } from './lib/tool-leftovers.mjs';
import { plantFiles, ToolWork } from './lib/tool-work.mjs';

const DAO = 'greenfood-dao';
/** Requests come over this time, and kills fall into it, in milliseconds. */
const STORM_MS = 120_000;
/** After the storm everything must have ended by then, in milliseconds. */
const SETTLE_MS = 240_000;
/** A kill comes so long after a write was accepted, at most, and waits so long for one, in milliseconds. */
const MOST_AFTER_MS = 80;
const WRITE_WAIT_MS = 3_000;
const PROFILE = `version: "0.4.0"
environment: development
llm_providers: [{ name: none, type: openai-compatible, config: { base_url: "http://127.0.0.1:9/v1", model: none } }]
routing_rules: [{ name: chat, conditions: { mode: chat }, use_provider: none }]
limits: { request_timeout_ms: 180000 }
`;

/** The chaos run of tools; true if every request ended once, and the files are what the ends say. */
export async function main(args) {
  const options = readOptions(args, { requests: 200, kills: 16 });
  process.stdout.write(`seed ${options.seed}: ${options.requests} requests for tools, ${options.kills} kills\n`);
  const stage = new Stage();
  try {
    await stage.open();
    return await new Storm(stage, options).run();
  } finally {
    await stage.close();
  }
}

/** An installation whose tools run in a worker of their own. */
class Stage extends Installation {
  /** Ids of all processes that were started: their control groups are named after them. */
  pids = new Set();

  async open() {
    await this.prepare('tools');
    this.workspace = join(this.folder, 'home', 'workspaces', DAO);
    this.temporary = join(this.folder, 'tmp');
    mkdirSync(this.workspace, { recursive: true });
    mkdirSync(this.temporary);
    plantFiles(this.workspace);
    const profile = this.profile(PROFILE);
    const env = this.environment({ TMPDIR: this.temporary });
    const api = await this.api(profile, env);
    this.parts = [this.temporal, api.victim];
    this.tools = this.worker('devtools', ['--queue', 'devtools', ...profile], { env });
    for (const part of [...this.parts, this.tools]) await this.start(part);
    this.client = new MemberClient(api.url, KEY);
  }

  async start(victim) {
    await (this.pids.has(victim.child?.pid) ? victim.start() : super.start(victim));
    this.pids.add(victim.child.pid);
  }

  /** Kills the worker of the tools, or all of the product at once, and starts it again. */
  async strike(name, downMs) {
    const all = name === 'product' ? [...this.parts, this.tools] : [this.tools];
    await Promise.all(all.map((victim) => victim.kill()));
    await sleep(downMs);
    for (const victim of all) await this.start(victim);
  }
}

/** Requests and kills at moments that the seed sets, and the ledger at the end. */
class Storm {
  killed = [];
  over = false;

  constructor(stage, { seed, requests, kills }) {
    Object.assign(this, { stage, requests, kills, random: randomFrom(seed), began: Date.now() });
    this.work = new ToolWork(stage.client, stage.workspace);
  }

  async run() {
    const kills = this.planKills();
    const moments = Array.from({ length: this.requests }, () => between(this.random, 0, STORM_MS));
    const watching = this.work.watch(() => this.over);
    const submissions = moments
      .toSorted((a, b) => a - b)
      .map(async (at, index) => {
        await sleep(at);
        await this.work.submit(index);
      });
    await Promise.all([this.killAll(kills), ...submissions]);
    process.stdout.write(
      `storm over after ${this.elapsed()} s; ${this.stage.client.refusals} refusals were repeated\n`,
    );
    await this.work.end(Date.now() + SETTLE_MS);
    this.over = true;
    await watching;
    process.stdout.write(`everything ended after ${this.elapsed()} s\n\n`);
    return this.ledger();
  }

  elapsed() {
    return ((Date.now() - this.began) / 1000).toFixed(1);
  }

  planKills() {
    const names = ['devtools', 'product'];
    const kills = Array.from({ length: this.kills }, (_, index) => ({
      // Each kind at least once, then at random; the product takes longer to come back.
      name: names[index] ?? (this.random() < 0.3 ? 'product' : 'devtools'),
      at: between(this.random, 2_000, STORM_MS),
      down: between(this.random, 100, 1_500),
      after: between(this.random, 0, MOST_AFTER_MS),
    }));
    return kills.toSorted((a, b) => a.at - b.at);
  }

  async killAll(kills) {
    for (const { name, at, down, after } of kills) {
      await sleep(Math.max(0, this.began + at - Date.now()));
      await this.work.nextWrite(WRITE_WAIT_MS);
      await sleep(after);
      const killedAt = this.elapsed();
      await this.stage.strike(name, down);
      this.killed.push({ name, killedAt, backAt: this.elapsed() });
      process.stderr.write(`kill ${this.killed.length} of ${this.kills}, ${this.work.accepted.size} accepted\n`);
    }
  }

  async ledger() {
    process.stdout.write('kill      at s    serving again at s\n');
    for (const { name, killedAt, backAt } of this.killed) {
      process.stdout.write(`${name.padEnd(10)}${killedAt.padEnd(8)}${backAt}\n`);
    }
    const left = new Leftovers(this.stage);
    const faults = [...this.work.faults(), ...(await left.faults())];
    process.stdout.write(`\n${this.work.summary()}\n${left.summary()}\n`);
    for (const fault of faults) process.stdout.write(`WRONG: ${fault}\n`);
    return faults.length === 0;
  }
}
