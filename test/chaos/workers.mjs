import { setTimeout as sleep } from 'node:timers/promises';
import { seedDaos } from '../support/daos.mjs';
import { startFake } from '../support/fake-process.mjs';
import { Installation } from './lib/installation.mjs';
import { KEY, MemberClient } from './lib/member.mjs';
import { readOptions } from './lib/options.mjs';
import { between, randomFrom } from './lib/seed.mjs';

const SLOTS = 3;
const DAOS = ['chaos-a', 'chaos-b', 'chaos-c'];
/** Every accepted request has its end by then, in milliseconds; a little more for who looks every half second. */
const DEADLINE_MS = 60_000;
const GRACE_MS = 5_000;

/** Two workers under load, one of them killed every few seconds; true if the model never had more than three at once. */
export async function main(args) {
  const options = readOptions(args, { requests: 0, kills: 20, members: 24 });
  const { seed, members, kills } = options;
  process.stdout.write(`seed ${seed}: ${members} members of ${DAOS.length} DAOs, two workers, ${kills} kills\n`);
  const stage = new Stage(seed);
  try {
    await stage.open(members);
    return await new Storm(stage, options).run();
  } finally {
    await stage.close();
  }
}

/** Temporal, API and two workers of both queues as processes, one model. */
class Stage extends Installation {
  constructor(seed) {
    super();
    this.seed = seed;
  }

  async open(count) {
    await this.prepare('workers', {});
    this.fake = await startFake('gpu-ollama', { seed: this.seed });
    this.closers.push(() => this.fake.stop());
    await this.openProcesses();
    this.members = Array.from({ length: count }, (_, index) => ({
      dao: DAOS[index % DAOS.length],
      member: `tg:${5_001 + index}`,
    }));
    const of = (dao) => this.members.filter((one) => one.dao === dao).map(({ member }) => member);
    await seedDaos(this.postgres.url, new Map(DAOS.map((dao) => [dao, of(dao)])));
  }

  async openProcesses() {
    await this.start(this.temporal);
    const profile = this.profile(profileText(this.fake.url));
    const api = await this.api(profile);
    // It brings the tables, and the workers look for them.
    await this.start(api.victim);
    this.client = new MemberClient(api.url, KEY);
    const args = ['--queue', 'llm-ollama', 'orchestrator', ...profile];
    this.workers = ['worker a', 'worker b'].map((name) => this.worker(name, args));
    await Promise.all(this.workers.map((worker) => this.start(worker)));
  }
}

const profileText = (url) => `version: "0.4.0"
environment: development
llm_providers:
  - name: local
    type: ollama
    config: { base_url: "${url}", model: fake-model, max_tokens: 200, timeout_ms: 10000 }
routing_rules: [{ name: chat, conditions: { mode: chat }, use_provider: local }]
limits: { request_timeout_ms: ${DEADLINE_MS}, session_tokens: 0 }
`;

/** Members who ask without a pause while the workers are killed, and the ledger at the end. */
class Storm {
  over = false;
  killed = [];
  ends = [];

  constructor(stage, { seed, kills }) {
    Object.assign(this, { stage, kills, random: randomFrom(seed), began: Date.now() });
  }

  async run() {
    const members = this.stage.members.map((one, index) => this.member(one, index));
    await this.killAll();
    this.over = true;
    process.stdout.write(`storm over after ${this.elapsed()} s, waiting for what was accepted\n`);
    await Promise.all(members);
    process.stdout.write(`everything ended after ${this.elapsed()} s\n\n`);
    return this.ledger(await this.stage.fake.stats());
  }

  elapsed() {
    return ((Date.now() - this.began) / 1000).toFixed(1);
  }

  async killAll() {
    for (let index = 0; index < this.kills; index += 1) {
      await sleep(between(this.random, 2_000, 7_000));
      const victim = this.stage.workers[between(this.random, 0, this.stage.workers.length)];
      const { concurrent } = await this.stage.fake.stats();
      await victim.kill();
      const killedAt = this.elapsed();
      await sleep(between(this.random, 200, 2_000));
      await victim.start();
      this.killed.push({ name: victim.name, killedAt, backAt: this.elapsed(), concurrent });
      const { maxConcurrent } = await this.stage.fake.stats();
      process.stderr.write(
        `kill ${index + 1} of ${this.kills}, ${this.ends.length} ended, most at once ${maxConcurrent}\n`,
      );
    }
  }

  async member({ dao, member }, index) {
    const { client } = this.stage;
    for (let number = 1; !this.over; number += 1) {
      const marker = `m${index}-${number}x`;
      const prompt = `Load #${marker} dao=${dao} member=${member}`;
      const id = await client.submit({ marker, prompt, metadata: { dao_id: dao, user_id: member } });
      const acceptedAt = Date.now();
      const body = await client.outcome(id, acceptedAt + DEADLINE_MS + GRACE_MS, member);
      this.ends.push({ marker, id, body, ms: Date.now() - acceptedAt });
    }
  }

  ledger({ maxConcurrent, concurrent, startedByPrompt, aborted, hung }) {
    process.stdout.write('killed    at s    works again at s  at the model then\n');
    for (const { name, killedAt, backAt, concurrent: then } of this.killed) {
      process.stdout.write(`${name.padEnd(10)}${killedAt.padEnd(8)}${backAt.padEnd(18)}${then}\n`);
    }
    const completed = this.ends.filter(({ body }) => body?.status === 'completed');
    const lost = this.ends.filter(({ body }) => body === undefined);
    const failed = this.ends.filter(({ body }) => body !== undefined && body.status !== 'completed');
    const unclear = failed.filter(({ body }) => !body.error?.code);
    const wrong = completed.filter(({ marker, body }) => !body.data.text.includes(`#${marker} `));
    const twice = Object.values(startedByPrompt).filter((count) => count > 1).length;
    const codes = Map.groupBy(failed, ({ body }) => body.error?.code ?? 'no code');
    const told = [...codes].map(([code, all]) => ` (${all.length} ${code})`).join('');
    for (const { id } of lost) process.stdout.write(`lost: ${id}\n`);
    const times = this.ends.map(({ ms }) => ms).toSorted((a, b) => a - b);
    const quantile = (share) => ((times[Math.floor(times.length * share)] ?? 0) / 1000).toFixed(1);
    process.stdout.write(
      `\naccepted ${this.ends.length}, answered ${completed.length}, ended with an error ${failed.length}${told}, ` +
        `without an end in ${(DEADLINE_MS + GRACE_MS) / 1000} s ${lost.length}, answered with another's answer ${wrong.length}\n` +
        `time to the end: median ${quantile(0.5)} s, P95 ${quantile(0.95)} s; refused at first ${this.stage.client.refusals}\n` +
        `the model's own count: most at once ${maxConcurrent} (allowed ${SLOTS}), still running ${concurrent}, ` +
        `left by their caller ${aborted}, of them hung ${hung}, asked more than once ${twice}\n`,
    );
    const kept = maxConcurrent <= SLOTS && concurrent === 0;
    // A run in which little was answered proves little.
    const enough = completed.length > this.ends.length / 2;
    return kept && enough && lost.length + wrong.length + unclear.length === 0;
  }
}
