import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { seedDaos } from '../support/daos.mjs';
import { startFake } from '../support/fake-process.mjs';
import { Installation } from './lib/installation.mjs';
import { Kills } from './lib/kills.mjs';
import { KEY, MemberClient } from './lib/member.mjs';
import { readOptions } from './lib/options.mjs';
import { between, randomFrom } from './lib/seed.mjs';

const DAO = 'chaos-dao';
/** How long ballots are cast; kills fall into it and a little behind its end, in milliseconds. */
const VOTING_MS = 45_000;
/** After the last kill the proposal must have been executed by then, in milliseconds. */
const SETTLE_MS = 120_000;
/** Between two ballots of a member, who may cast fifty, in milliseconds. */
const PAUSE_MS = 1_000;
const CHOICES = ['yes', 'yes', 'no', 'abstain'];

/** Members who vote without a pause while everything is killed; true if what they were told is what was counted. */
export async function main(args) {
  const options = readOptions(args, { requests: 0, kills: 12, members: 200 });
  const { seed, members, kills } = options;
  process.stdout.write(`seed ${seed}: ${members} members vote for ${VOTING_MS / 1_000} s, ${kills} kills\n`);
  const stage = new Stage();
  try {
    await stage.open(members);
    return await new Storm(stage, options).run();
  } finally {
    await stage.close();
  }
}

/** Temporal, API and a worker as processes, and the database, all of them killable. */
class Stage extends Installation {
  async open(count) {
    await this.prepare('votes');
    this.fake = await startFake('openai');
    this.closers.push(() => this.fake.stop());
    await this.openProcesses();
    this.members = Array.from({ length: count }, (_, index) => `tg:${7_001 + index}`);
    await seedDaos(this.postgres.url, new Map([[DAO, this.members]]));
    const settings = { voting_hours: VOTING_MS / 3_600_000, quorum: 0, veto_hours: 0 };
    await this.query('update daos set settings = $1 where id = $2', [JSON.stringify(settings), DAO]);
  }

  async openProcesses() {
    const profile = this.profile(profileText(this.fake.url));
    const api = await this.api(profile);
    const ready = () => Promise.resolve(true);
    const worker = this.worker('worker', ['--queue', 'orchestrator', ...profile], { ready });
    const { temporal, database } = this;
    this.victims = [worker, temporal, api.victim, database];
    for (const victim of [temporal, api.victim, worker]) await this.start(victim);
    this.client = new MemberClient(api.url, KEY);
  }

  async query(text, values = []) {
    const client = new pg.Client({ connectionString: this.postgres.url });
    await client.connect();
    try {
      return (await client.query(text, values)).rows;
    } finally {
      await client.end();
    }
  }
}

const profileText = (url) => `version: "0.4.0"
environment: development
llm_providers:
  - { name: cloud, type: openai-compatible, config: { base_url: "${url}/v1", model: fake-model } }
routing_rules: [{ name: chat, conditions: { mode: chat }, use_provider: cloud }]
`;

/** Votes and kills at moments that the seed sets, and the ledger at the end. */
class Storm {
  /** What each member was told last: the choice of the last ballot that was accepted. */
  told = new Map();
  accepted = 0;
  repeated = 0;

  constructor(stage, { seed, kills }) {
    Object.assign(this, { stage, many: kills, random: randomFrom(seed) });
  }

  async run() {
    const { n } = await this.open();
    this.kills = new Kills();
    const voters = this.stage.members.map((member, index) => this.vote(n, member, index));
    await Promise.all([this.killAll(), ...voters]);
    process.stdout.write(`nobody votes any more after ${this.kills.elapsed()} s\n`);
    const proposal = await this.ended(n);
    process.stdout.write(`the proposal is ${proposal?.stage} after ${this.kills.elapsed()} s\n\n`);
    return this.ledger(n, proposal);
  }

  call(method, path, user, body) {
    const { client } = this.stage;
    const options = { method, headers: client.headers(), ...(body && { body: JSON.stringify(body) }) };
    return client.call(`${path}?dao_id=${DAO}&user_id=${user}`, options);
  }

  async open() {
    const actions = [{ type: 'set_fact', name: 'storm', value: 'weathered' }];
    const [author] = this.stage.members;
    const made = await this.call('POST', '/proposals', author, {
      title: 'A storm',
      text: 'Vote.',
      actions,
      open: true,
    });
    if (made?.status !== 201) throw new Error(`no proposal: ${JSON.stringify(made)}`);
    return made.body;
  }

  /** Votes again and again until voting has closed; each ballot is repeated under its id until it is answered. */
  async vote(n, member, index) {
    for (let turn = 0; ; turn += 1) {
      const choice = CHOICES[(index + turn) % CHOICES.length];
      const answer = await this.cast(n, member, { choice, ballot_id: `${turn}` });
      if (answer.status !== 200) return;
      this.accepted += 1;
      this.told.set(answer.body.voter, choice);
      await sleep(PAUSE_MS);
    }
  }

  async cast(n, member, ballot) {
    for (;;) {
      const answer = await this.call('PUT', `/proposals/${n}/vote`, member, ballot);
      if (answer?.status === 200 || answer?.body.error?.code === 'VOTING_CLOSED') return answer;
      if (answer && answer.status < 500) throw new Error(`refused for good: ${JSON.stringify(answer.body)}`);
      this.repeated += 1;
      await sleep(answer?.retryAfterMs ?? 200);
    }
  }

  async killAll() {
    const moments = Array.from({ length: this.many }, () => between(this.random, 1_000, VOTING_MS + 3_000));
    for (const [index, at] of moments.toSorted((a, b) => a - b).entries()) {
      await this.kills.until(at);
      const { victims } = this.stage;
      // Each at least once, then at random.
      const victim = victims[index] ?? victims[between(this.random, 0, victims.length)];
      await this.kills.strike(victim.name, victim, between(this.random, 100, 1_500));
    }
  }

  async ended(n) {
    const limit = Date.now() + SETTLE_MS;
    for (;;) {
      const answer = await this.call('GET', `/proposals/${n}`, this.stage.members[0]);
      if (answer?.body.ended_at) return answer.body;
      if (Date.now() > limit) return answer?.body;
      await sleep(250);
    }
  }

  async ledger(n, proposal) {
    process.stdout.write(this.kills.table());
    const { query } = this.stage;
    const rows = await query.call(
      this.stage,
      'select distinct on (member_id) member_id, choice from ballots where dao_id = $1 and n = $2 order by member_id, revision desc',
      [DAO, n],
    );
    const [{ count: ballots }] = await query.call(this.stage, 'select count(*)::int from ballots where dao_id = $1', [
      DAO,
    ]);
    const ends = await query.call(
      this.stage,
      `select action, count(*)::int from audit where chain = $1 and action in ('proposal.close', 'proposal.execute') group by 1`,
      [DAO],
    );
    const [{ facts }] = await query.call(this.stage, 'select facts from daos where id = $1', [DAO]);
    const wrong = rows.filter(({ member_id, choice }) => this.told.get(member_id) !== choice).length;
    const sums = { yes: 0, no: 0, abstain: 0 };
    for (const choice of this.told.values()) sums[choice] += 1;
    const { result, stage, closes_at, closed_at } = proposal ?? {};
    const same = CHOICES.every((choice) => result?.[choice] === sums[choice]);
    const once = ends.length === 2 && ends.every(({ count }) => count === 1);
    process.stdout.write(
      `\nballots accepted ${this.accepted}, kept ${ballots}, calls repeated ${this.repeated}; members who were told something ` +
        `else than what counts: ${wrong}\ntold ${JSON.stringify(sums)}, counted ${JSON.stringify(result)}\n` +
        `closed ${Date.parse(closed_at) - Date.parse(closes_at)} ms after its time; closed and executed once each: ${once}; ` +
        `effect: ${facts.storm}\n`,
    );
    return (
      same &&
      once &&
      wrong === 0 &&
      rows.length === this.told.size &&
      ballots === this.accepted &&
      stage === 'executed' &&
      facts.storm === 'weathered'
    );
  }
}
