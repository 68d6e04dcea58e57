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
/** And what came twice must have been looked for so long after. */
const LOOK_MS = 120_000;
/** Longest message of Telegram. Whoever quotes one that is so long needs two. */
const LONGEST = 4_096;
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

/**
 * The chaos run of dialogs; true if each message has one answer, in its chat's order, as far as the product knows of its
 * messages. Those of which it knows nothing were created in the named window: they are counted, and are no violation.
 */
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

/**
 * What members write: questions, whose answers begin as "…"; commands, whose answers come whole; and questions whose answers
 * quote them and are longer than one message, the last word in the second. `shows` is what the first message says in the end.
 */
const KINDS = [
  { text: (marker) => `chaos #${marker}`, shows: (marker) => `echo #${marker} ` },
  { text: () => '/help', shows: () => 'I am the assistant of ' },
  { text: (marker) => `chaos #${marker}`, shows: (marker) => `echo #${marker} ` },
  { text: (marker) => `/${marker}`, shows: (marker) => `I do not know the command /${marker}.` },
  { text: longQuestion, shows: (marker) => `echo #${marker} `, isLong: true },
];
const kindOf = (n) => KINDS[n % KINDS.length];

function longQuestion(marker) {
  const [head, end] = [`chaos #${marker} `, ` end-${marker}`];
  return head + `${'x'.repeat(250)} `.repeat(20).slice(0, LONGEST - head.length - end.length) + end;
}

/** Messages and kills at moments that the seed sets, and the ledger at the end. */
class Storm {
  constructor(stage, { seed, members, each, kills }) {
    Object.assign(this, { stage, each, random: randomFrom(seed), written: new Map() });
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
      `${isWhole ? 'everything was answered' : 'not everything was answered'} after ${this.kills.elapsed()} s\n`,
    );
    await this.untilLooked(Date.now() + LOOK_MS);
    process.stdout.write(`what came twice was looked for after ${this.kills.elapsed()} s\n\n`);
    return this.ledger();
  }

  /** A member writes, now and then several messages at once. */
  async writeAll(person) {
    const moments = Array.from({ length: this.each }, () => between(this.random, 0, this.lastsMs)).toSorted(
      (a, b) => a - b,
    );
    for (const [n, at] of moments.entries()) {
      await this.kills.until(at);
      const id = await person.write(kindOf(n).text(markerOf(person.id, n)));
      this.written.set(`${person.id}/${id}`, n);
    }
  }

  /** Waits until all rows are done. */
  untilAnswered(limit) {
    const sent = this.ids.length * this.each;
    const question = "select count(*)::int as count from inbox where state in ('done', 'dropped')";
    return this.until(limit, question, (count) => count >= sent);
  }

  /** Waits until nothing is left of which it is not known whether it came twice. */
  untilLooked(limit) {
    const question = "select count(*)::int as count from reply_parts where again and state = 'sent'";
    return this.until(limit, question, (count) => count === 0);
  }

  async until(limit, question, isEnough) {
    for (; Date.now() < limit; await sleep(1_000)) {
      const [{ count }] = await this.ask(question);
      if (isEnough(count)) return true;
    }
    return false;
  }

  async ask(question) {
    const client = new pg.Client({ connectionString: this.stage.postgres.url });
    await client.connect();
    try {
      return (await client.query(question)).rows;
    } finally {
      await client.end();
    }
  }

  async ledger() {
    process.stdout.write(this.kills.table());
    const rows = await this.ask(
      'select c.chat_id, p.message_id from reply_parts p join chats c on c.id = p.chat where p.message_id is not null',
    );
    const known = new Set(rows.map(({ chat_id: chat, message_id: id }) => `${chat}/${id}`));
    const books = { sent: 0, answered: 0, lost: 0, doubled: 0, unordered: 0, empty: 0, words: 0, removed: 0 };
    for (const { id } of this.people) this.book(books, id, known, await this.stage.telegram.transcript(id));
    const counts = await this.stage.telegram.counts();
    const violations = (await this.stage.telegram.violations()).filter((each) => !/before/.test(each));
    const { startedByPrompt } = await this.stage.fake.stats();
    const calls = Object.values(startedByPrompt).reduce((sum, count) => sum + count, 0);
    const { sent, answered, lost, doubled, unordered, empty, words, removed } = books;
    process.stdout.write(
      `\nsent ${sent}, answered ${answered}, lost ${lost}, answered twice ${doubled}, out of order ${unordered}\n` +
        `created and not recorded (the named window): ${empty + words + removed}, of which removed ${removed}, left as "…" ${empty}, ` +
        `left with words: doubled within the named window ${words}\n` +
        `calls of the platform: ${JSON.stringify(counts)}; violations ${violations.length}\n` +
        `calls to the model ${calls}, for messages ${Object.keys(startedByPrompt).length}\n`,
    );
    violations.slice(0, 5).forEach((each) => process.stdout.write(`${each}\n`));
    return lost === 0 && doubled === 0 && unordered === 0 && violations.length === 0;
  }

  /** What a chat shows in the end, each message of an answer, against what was written in it. */
  book(books, chat, known, transcript) {
    const ofBot = transcript.filter(({ by }) => by === 'bot');
    const isKnown = ({ id }) => known.has(`${chat}/${id}`);
    for (const stray of ofBot.filter((told) => !isKnown(told))) books[strayOf(stray)] += 1;
    const shown = ofBot.filter(isKnown).map((told) => this.partOf(chat, told));
    const [firsts, seconds] = [false, true].map((isEnd) =>
      shown.flatMap((part) => (part?.isEnd === isEnd ? [part.n] : [])),
    );
    const isAnswered = (n) => firsts.includes(n) && (!kindOf(n).isLong || seconds.includes(n));
    const lost = Array.from({ length: this.each }, (_, n) => n).filter((n) => !isAnswered(n));
    books.sent += this.each;
    books.answered += this.each - lost.length;
    books.lost += lost.length;
    for (const parts of [firsts, seconds]) {
      books.doubled += parts.length - new Set(parts).size;
      books.unordered += parts.filter((n, index) => index > 0 && n < parts[index - 1]).length;
    }
    if (lost.length > 0) {
      const said = ofBot.map((told) => wordsOf(told).slice(0, 60));
      process.stdout.write(
        `chat ${chat}: no answer to ${lost.map((n) => markerOf(chat, n)).join(' ')}; it says ${JSON.stringify(said)}\n`,
      );
    }
  }

  /** Which message a message of the bot answers, and whether it is the second one of its answer; undefined: no complete one. */
  partOf(chat, { replyTo, ...told }) {
    const text = wordsOf(told);
    const n = this.written.get(`${chat}/${replyTo}`);
    if (n !== undefined) return text.startsWith(kindOf(n).shows(markerOf(chat, n))) ? { n, isEnd: false } : undefined;
    const [, end] = /end-c\d+m(\d+)\b/.exec(text) ?? [];
    return end === undefined ? undefined : { n: Number(end), isEnd: true };
  }
}

const wordsOf = ({ versions }) => versions.at(-1)?.text ?? '';

/** What became of a message of which the product knows nothing. */
function strayOf(told) {
  if (told.deletedAt !== undefined) return 'removed';
  return wordsOf(told).startsWith('…') ? 'empty' : 'words';
}
