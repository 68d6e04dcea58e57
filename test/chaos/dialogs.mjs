import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DialogStage } from './lib/dialog-stage.mjs';
import { Kills, planKills } from './lib/kills.mjs';
import { readOptions } from './lib/options.mjs';
import { between, randomFrom } from './lib/seed.mjs';

/** Each member writes so often; what they write comes at this rate, to all chats together, in messages a second. */
const EACH = 25;
const RATE = 12;
/** After the last message everything must have been answered by then, in milliseconds. */
const SETTLE_MS = 300_000;
const VICTIMS = ['api', 'worker', 'temporal', 'database'];

/** What goes wrong on the platform by chance: shares of calls and updates. */
const CHANCES = {
  duplicate: 0.1,
  twice: 0.05,
  'too-many': 0.02,
  'error-500': 0.01,
  'reset-before': 0.01,
  // Done, and nobody is told: the window in which a message can come twice.
  'reset-after': 0.01,
};

/** The chaos run of dialogs; true if each message has one answer, in its chat's order. */
export async function main(args) {
  const options = readOptions(args, { members: 40, kills: 16, requests: 0 });
  const each = options.requests > 0 ? Math.ceil(options.requests / options.members) : EACH;
  const { seed, members, kills } = options;
  process.stdout.write(`seed ${seed}: ${members} chats, ${each} messages in each, ${kills} kills\n`);
  const stage = new DialogStage();
  try {
    await stage.open({ secondMs: 200, chances: CHANCES, seed, webhookTimeoutMs: 10_000 });
    return await new Storm(stage, { seed, members, each, kills }).run();
  } finally {
    await stage.close();
  }
}

const markerOf = (chat, n) => `c${chat}m${n}`;

/** Messages and kills at moments that the seed sets, and the ledger at the end. */
class Storm {
  constructor(stage, { seed, members, each, kills }) {
    Object.assign(this, { stage, each, random: randomFrom(seed) });
    this.ids = Array.from({ length: members }, (_, index) => 10_001 + index);
    this.lastsMs = (members * each * 1_000) / RATE;
    this.plan = planKills(this.random, { names: VICTIMS, kills, lastsMs: this.lastsMs });
  }

  async run() {
    this.people = await this.stage.members(this.ids);
    this.kills = new Kills();
    const killing = this.kills.all(this.plan, this.stage.victims);
    await Promise.all([killing, ...this.people.map((person) => this.writeAll(person))]);
    process.stdout.write(`storm over after ${this.kills.elapsed()} s\n`);
    const isWhole = await this.untilAnswered(Date.now() + SETTLE_MS);
    process.stdout.write(
      `${isWhole ? 'everything was answered' : 'not everything was answered'} after ${this.kills.elapsed()} s\n\n`,
    );
    return this.ledger();
  }

  /** A member writes, now and then several messages at once. */
  async writeAll(person) {
    const moments = Array.from({ length: this.each }, () => between(this.random, 0, this.lastsMs)).toSorted(
      (a, b) => a - b,
    );
    for (const [n, at] of moments.entries()) {
      await this.kills.until(at);
      await person.write(`chaos #${markerOf(person.id, n)}`);
    }
  }

  /** Waits until all rows are done. */
  async untilAnswered(limit) {
    const client = new pg.Client({ connectionString: this.stage.postgres.url });
    await client.connect();
    const sent = this.ids.length * this.each;
    try {
      for (; Date.now() < limit; await sleep(1_000)) {
        const { rows } = await client.query(
          "select count(*)::int as done from inbox where state in ('done', 'dropped')",
        );
        if (rows[0].done >= sent) return true;
      }
      return false;
    } finally {
      await client.end();
    }
  }

  async ledger() {
    process.stdout.write(this.kills.table());
    const books = { sent: 0, answered: 0, lost: 0, doubled: 0, unordered: 0, strays: 0, removed: 0 };
    for (const { id } of this.people) this.book(books, id, await this.stage.telegram.transcript(id));
    const counts = await this.stage.telegram.counts();
    const violations = (await this.stage.telegram.violations()).filter((each) => !/before/.test(each));
    const { startedByPrompt } = await this.stage.fake.stats();
    const calls = Object.values(startedByPrompt).reduce((sum, count) => sum + count, 0);
    const { sent, answered, lost, doubled, unordered, strays, removed } = books;
    process.stdout.write(
      `\nsent ${sent}, answered ${answered}, lost ${lost}, answered twice ${doubled}, out of order ${unordered}\n` +
        `"…" that were created and not recorded (the named window): ${strays + removed}, of which removed ${removed}, left ${strays}\n` +
        `calls of the platform: ${JSON.stringify(counts)}; violations ${violations.length}\n` +
        `calls to the model ${calls}, for messages ${Object.keys(startedByPrompt).length}\n`,
    );
    violations.slice(0, 5).forEach((each) => process.stdout.write(`${each}\n`));
    return lost === 0 && doubled === 0 && unordered === 0 && violations.length === 0;
  }

  /** What a chat shows in the end, against what was written in it. */
  book(books, chat, transcript) {
    const ofBot = transcript.filter(({ by }) => by === 'bot');
    const final = ofBot
      .filter(({ deletedAt }) => deletedAt === undefined)
      .map(({ versions }) => versions.at(-1)?.text ?? '');
    const order = [];
    for (const text of final) {
      const [, n] = /echo #c\d+m(\d+)/.exec(text) ?? [];
      if (n === undefined) books.strays += 1;
      else order.push(Number(n));
    }
    books.removed += ofBot.filter(({ deletedAt }) => deletedAt !== undefined).length;
    books.sent += this.each;
    const seen = new Set(order);
    books.answered += seen.size;
    books.doubled += order.length - seen.size;
    books.lost += this.each - seen.size;
    books.unordered += order.filter((n, index) => index > 0 && n < order[index - 1]).length;
    if (seen.size < this.each) {
      const lost = Array.from({ length: this.each }, (_, n) => n).filter((n) => !seen.has(n));
      process.stdout.write(
        `chat ${chat}: no answer to ${lost.map((n) => markerOf(chat, n)).join(' ')}; it says ${JSON.stringify(final.filter((text) => !/echo/.test(text)))}\n`,
      );
    }
  }
}
