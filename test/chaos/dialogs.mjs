import { setTimeout as sleep } from 'node:timers/promises';
import { DialogProgress } from './lib/dialog-progress.mjs';
import { DialogStage } from './lib/dialog-stage.mjs';
import { Kills, planKills } from './lib/kills.mjs';
import { readOptions } from './lib/options.mjs';
import { between, randomFrom } from './lib/seed.mjs';

/** Each member writes so often; what they write comes at this rate, to all chats together, in messages a second. */
const EACH = 25;
const RATE = 12;
/** Who has so many messages without an answer writes none for now: half of what may wait in a chat before one is left out. */
const MOST_OPEN = 25;
/** Where nothing has moved for so long, nothing more will come, in milliseconds. */
const STILL_MS = 120_000;
/** After all was answered, what came twice must have been looked for by then. */
const LOOK_MS = 120_000;
/** How often it is told how far it is. */
const TELL_MS = 60_000;
/** Most that is told of one chat. */
const MOST_TOLD = 10;
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
  const options = readOptions(args, { members: 40, kills: 16, requests: 0, rate: RATE });
  const each = options.requests > 0 ? Math.ceil(options.requests / options.members) : EACH;
  const { seed, members, kills, rate, minutes } = options;
  process.stdout.write(`seed ${seed}: ${members} chats, ${each} messages in each, ${rate} a second, ${kills} kills\n`);
  const stage = new DialogStage();
  try {
    await stage.open({ secondMs: 200, chances: CHANCES, seed, webhookTimeoutMs: 10_000 });
    return await new Storm(stage, { seed, members, each, kills, rate, minutes }).run();
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
  /** @param minutes most time that is written in: then what was not written yet is left out */
  constructor(stage, { seed, members, each, kills, rate, minutes }) {
    Object.assign(this, { stage, each, random: randomFrom(seed), written: new Map(), toldAt: Date.now() });
    this.ids = Array.from({ length: members }, (_, index) => 10_001 + index);
    this.lastsMs = (members * each * 1_000) / rate;
    this.plan = planKills(this.random, { names: VICTIMS, kills, lastsMs: this.lastsMs });
    this.progress = new DialogProgress(stage.postgres.url);
    this.mostMs = minutes * 60_000;
  }

  async run() {
    this.people = await this.stage.members(this.ids);
    this.kills = new Kills();
    const following = this.progress.follow(() => this.tell());
    await Promise.all([this.killAll(), ...this.people.map((person) => this.writeAll(person))]);
    const isStuck = this.isStill;
    process.stdout.write(`storm over after ${this.kills.elapsed()} s, in which ${this.written.size} were written\n`);
    const isWhole = await this.until(
      () => this.progress.overAll >= this.written.size,
      () => this.isStill,
    );
    process.stdout.write(
      `${isWhole ? 'everything was answered' : 'not everything was answered'} after ${this.kills.elapsed()} s\n`,
    );
    this.progress.stop();
    await following;
    await this.untilLooked(Date.now() + LOOK_MS);
    process.stdout.write(`what came twice was looked for after ${this.kills.elapsed()} s\n\n`);
    return (await this.ledger()) && !isStuck;
  }

  /** A member writes, now and then several messages at once, and waits where too much has no answer yet. */
  async writeAll(person) {
    const moments = Array.from({ length: this.each }, () => between(this.random, 0, this.lastsMs)).toSorted(
      (a, b) => a - b,
    );
    for (const [n, at] of moments.entries()) {
      await this.kills.until(at);
      const isLeft = await this.until(
        () => n - this.progress.overIn(person.id) < MOST_OPEN,
        () => this.isOver,
      );
      if (!isLeft) return;
      const id = await person.write(kindOf(n).text(markerOf(person.id, n)));
      this.written.set(`${person.id}/${id}`, n);
    }
  }

  /** Kills what was planned: each when as much of the messages was written as its moment is of the time. */
  async killAll() {
    for (const { name, at, down } of this.plan) {
      const share = at / this.lastsMs;
      await this.until(
        () => this.written.size >= share * this.ids.length * this.each,
        () => this.isOver,
      );
      if (this.isOver) return;
      await this.kills.strike(name, this.stage.victims[name], down);
    }
  }

  get isStill() {
    return this.progress.stillMs > STILL_MS;
  }

  get isOver() {
    return this.isStill || Date.now() - this.kills.began > this.mostMs;
  }

  tell() {
    if (Date.now() - this.toldAt < TELL_MS) return;
    this.toldAt = Date.now();
    const { size } = this.written;
    const { overAll } = this.progress;
    process.stdout.write(`${this.kills.elapsed()} s: written ${size}, answered ${overAll}, open ${size - overAll}\n`);
  }

  /** Waits until nothing is left of which it is not known whether it came twice. */
  async untilLooked(limit) {
    const question = "select count(*)::int as count from reply_parts where again and state = 'sent'";
    await this.until(
      async () => (await this.progress.ask(question))[0].count === 0,
      () => Date.now() > limit,
    );
  }

  /** @returns false: it is given up */
  async until(isEnough, isGivenUp) {
    for (; !isGivenUp(); await sleep(200)) if (await isEnough()) return true;
    return false;
  }

  async ledger() {
    process.stdout.write(this.kills.table());
    const { progress, stage } = this;
    const rows = await progress.ask(
      'select c.chat_id, p.message_id from reply_parts p join chats c on c.id = p.chat where p.message_id is not null',
    );
    const known = new Set(rows.map(({ chat_id: chat, message_id: id }) => `${chat}/${id}`));
    const inbox = await progress.ask(INBOX);
    this.inbox = new Map(inbox.map((row) => [`${row.chat}/${row.message}`, row]));
    const books = { sent: 0, answered: 0, left: 0, untold: 0, lost: 0, doubled: 0, unordered: 0 };
    const strays = { empty: 0, words: 0, removed: 0 };
    for (const { id } of this.people) this.book({ books, strays }, id, known, await stage.telegram.transcript(id));
    const counts = await stage.telegram.counts();
    const violations = (await stage.telegram.violations()).filter((each) => !/before/.test(each));
    const { startedByPrompt } = await stage.fake.stats();
    const calls = Object.values(startedByPrompt).reduce((sum, count) => sum + count, 0);
    const { sent, answered, left, untold, lost, doubled, unordered } = books;
    const { empty, words, removed } = strays;
    process.stdout.write(
      `\nsent ${sent}, answered ${answered}, lost ${lost}, answered twice ${doubled}, out of order ${unordered}\n` +
        `left out since too much waited in the chat: ${left}, of which nobody was told ${untold}\n` +
        `created and not recorded (the named window): ${empty + words + removed}, of which removed ${removed}, left as "…" ${empty}, ` +
        `left with words: doubled within the named window ${words}\n` +
        `calls of the platform: ${JSON.stringify(counts)}; violations ${violations.length}\n` +
        `calls to the model ${calls}, for messages ${Object.keys(startedByPrompt).length}\n`,
    );
    violations.slice(0, 5).forEach((each) => process.stdout.write(`${each}\n`));
    return [untold, lost, doubled, unordered, violations.length].every((count) => count === 0);
  }

  /** What a chat shows in the end, each message of an answer, against what was written in it. */
  book({ books, strays }, chat, known, transcript) {
    const ofBot = transcript.filter(({ by }) => by === 'bot');
    const isKnown = ({ id }) => known.has(`${chat}/${id}`);
    for (const stray of ofBot.filter((told) => !isKnown(told))) strays[strayOf(stray)] += 1;
    const shown = ofBot.filter(isKnown);
    const parts = shown.map((told) => this.partOf(chat, told));
    const [firsts, seconds] = [false, true].map((isEnd) =>
      parts.flatMap((part) => (part?.isEnd === isEnd ? [part.n] : [])),
    );
    const answers = [new Set(firsts), new Set(seconds)];
    const isAnswered = (n) => answers[0].has(n) && (!kindOf(n).isLong || answers[1].has(n));
    const written = this.writtenIn(chat);
    const open = written.filter(({ n }) => !isAnswered(n));
    const left = open.filter(({ row }) => row?.beyond);
    const untold = left.filter(({ row }) => !isToldOf(row, shown));
    const lost = open.filter(({ row }) => !row?.beyond);
    books.sent += written.length;
    books.answered += written.length - open.length;
    books.left += left.length;
    books.untold += untold.length;
    books.lost += lost.length;
    for (const [index, of] of [firsts, seconds].entries()) {
      books.doubled += of.length - answers[index].size;
      books.unordered += of.filter((n, place) => place > 0 && n < of[place - 1]).length;
    }
    this.complain(chat, [...lost, ...untold], ofBot);
  }

  /** What was written in a chat, in order, each with what the product made of it; undefined: it never came in. */
  writtenIn(chat) {
    const mine = [...this.written].filter(([key]) => key.startsWith(`${chat}/`));
    return mine.map(([key, n]) => ({ n, row: this.inbox.get(key) })).toSorted((a, b) => a.n - b.n);
  }

  /** Says what a chat has no answer to, with what became of it, and what it says in the end. */
  complain(chat, open, ofBot) {
    if (open.length === 0) return;
    const names = open
      .slice(0, MOST_TOLD)
      .map(({ n, row }) => `${markerOf(chat, n)} (${row?.state ?? 'not taken in'})`);
    const said = ofBot.slice(-MOST_TOLD).map((told) => wordsOf(told).slice(0, 60));
    process.stdout.write(
      `chat ${chat}: no answer to ${open.length}: ${names.join(' ')}; the last that it says ${JSON.stringify(said)}\n`,
    );
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

/** Rows of all that was written; of one that was left out, which message tells so: its own, or one of a minute before. */
const INBOX = `
  select c.chat_id as chat, i.message_id as message, i.state, i.body ? 'isBeyond' as beyond, (
    select a.message_id from inbox a
    where i.body ? 'isBeyond' and a.chat = i.chat and a.lane <> 'turn' and a.body ? 'isBeyond'
      and a.received_at between i.received_at - interval '1 minute' and i.received_at
    order by a.received_at desc limit 1
  ) as told
  from inbox i join chats c on c.id = i.chat`;

/** Whether somebody was told that their message is left out. */
const isToldOf = ({ told }, shown) =>
  shown.some((one) => String(one.replyTo) === told && wordsOf(one).startsWith('Too many messages are waiting'));

const wordsOf = ({ versions }) => versions.at(-1)?.text ?? '';

/** What became of a message of which the product knows nothing. */
function strayOf(told) {
  if (told.deletedAt !== undefined) return 'removed';
  return wordsOf(told).startsWith('…') ? 'empty' : 'words';
}
