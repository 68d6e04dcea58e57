import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Update } from 'grammy/types';
import { sql } from 'kysely';
import { DEFAULT_SETTINGS } from '../fakes/fake-dialect.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import { FakeTelegram } from '../fakes/telegram/fake-telegram.js';
import type { Person, TelegramStage } from '../fakes/telegram/stage.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { freePort } from '../support/ports.mjs';
import { until } from '../support/until.js';
import { chatProfile, fakeProvider, Product } from './harness.js';

/** A member, a contributor, and somebody whom nobody knows. */
const [MEMBER, CONTRIBUTOR, STRANGER] = [12_345, 222, 777];
const PACE = { calls_per_second: 200, chat_interval_ms: 200, group_interval_ms: 400 };
const SECRET = 'the-secret-of-the-webhook';
const HEADER = 'x-telegram-bot-api-secret-token';

let model: WireFake;
let telegram: FakeTelegram;
let stage: TelegramStage;
let product: Product;
let anna: Person;
let updates = 1_000_000;

/** The profile of the product. Its people write more in a minute than any person would. */
const profile = (bots: object = {}): object => ({
  ...chatProfile([fakeProvider('fake', model)], ['fake']),
  bots: { telegram: PACE, messages_per_minute: 10_000, ...bots },
});

/** The product with a bot, whose updates come by the way that the variables say. */
async function open(env: NodeJS.ProcessEnv, port = 0): Promise<void> {
  model = await startFakeOpenAi();
  telegram = await FakeTelegram.start({ secondMs: 50 });
  ({ stage } = telegram);
  product = await Product.open({
    // Quicker than the real platform bears; the pace has tests of its own.
    profile: profile(),
    env: { TELEGRAM_BOT_TOKEN: telegram.settings.token, TELEGRAM_API_ROOT: telegram.url, ...env },
    port,
  });
  anna = await stage.person(MEMBER, { first_name: 'Anna', language_code: 'en' });
}

async function close(): Promise<void> {
  await product.close();
  await telegram.close();
  await model.close();
}

async function reset(): Promise<void> {
  model.reset();
  model.settings = { ...DEFAULT_SETTINGS };
  await stage.reset();
}

const inbox = (): Promise<{ state: string; update_key: string }[]> =>
  product.database.all.selectFrom('inbox').select(['state', 'update_key']).execute();

const webhook = (body: string, secret?: string): Promise<Response> =>
  product.fetch(
    'POST',
    '/telegram/webhook',
    { key: null, headers: secret === undefined ? {} : { [HEADER]: secret } },
    body,
  );

/** An update of a private message, as the platform sends it. */
function written(text: string, id = (updates += 1), person = MEMBER): string {
  const from = { id: person, is_bot: false, first_name: 'Anna', language_code: 'en' };
  const chat = { id: person, type: 'private', first_name: 'Anna' };
  return JSON.stringify({ update_id: id, message: { message_id: id, date: 1_790_000_000, chat, from, text } });
}

describe('Telegram by webhook', () => {
  beforeAll(async () => {
    const port = await freePort();
    await open({ PUBLIC_URL: `http://127.0.0.1:${port}`, TELEGRAM_WEBHOOK_SECRET: SECRET }, port);
    await until(async () => (await stage.counts()).setWebhook === 1);
  });
  afterAll(close);
  beforeEach(reset);

  it('should answer a member, in one message that grows', async () => {
    const asked = await anna.write('Hello #first');
    const [answer] = await stage.untilAnswered(anna.id, asked, { matching: 'first$' });
    expect(answer?.versions[0]?.text).toBe('…');
    expect(answer?.versions.at(-1)?.text).toBe('echo #first (2 messages) Hello #first');
    expect(await stage.texts(anna.id)).toHaveLength(1);
    expect(await stage.violations()).toEqual([]);
  });

  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['another', 'the-secret-of-another'],
    ['the beginning of it', SECRET.slice(0, -1)],
    ['one of 257 characters', 'x'.repeat(257)],
  ])('Telegram case 1: should refuse a webhook with %s for its secret, and keep nothing', async (_what, secret) => {
    const before = await inbox();
    expect((await webhook(written('let me in'), secret)).status).toBe(401);
    expect(await inbox()).toHaveLength(before.length);
  });

  it('Telegram case 2: should answer an update once, delivered five times in a row or twenty at once', async () => {
    for (const [name, times] of [
      ['row', 5],
      ['once', 20],
    ] as const) {
      const body = written(`Only once #${name}`);
      const deliver = (): Promise<Response> => webhook(body, SECRET);
      const statuses: number[] = [];
      if (name === 'row') for (let time = 0; time < times; time += 1) statuses.push((await deliver()).status);
      else statuses.push(...(await Promise.all(Array.from({ length: times }, deliver))).map(({ status }) => status));
      expect(new Set(statuses)).toEqual(new Set([200]));
      await until(async () => (await stage.texts(MEMBER)).some((text) => text.includes(`echo #${name}`)));
      expect((await stage.texts(MEMBER)).filter((text) => text.includes(`#${name}`))).toHaveLength(1);
      expect(model.stats.byPrompt[name]).toBe(1);
    }
  });

  it('Telegram case 3: should answer the webhook at once, without a body, while the model takes its time', async () => {
    Object.assign(model.settings, { firstTokenMs: 3_000 });
    const began = Date.now();
    const response = await webhook(written('Slow #slow'), SECRET);
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(Date.now() - began).toBeLessThan(3_000);
    await until(async () => (await stage.texts(MEMBER)).some((text) => text.includes('echo #slow')));
  });

  it('Telegram case 5: should take in what comes out of order, and by a lower number than before', async () => {
    const late = (updates += 5);
    expect((await webhook(written('Later #later', late), SECRET)).status).toBe(200);
    expect((await webhook(written('Lower #lower', 17), SECRET)).status).toBe(200);
    await until(async () => {
      const texts = (await stage.texts(MEMBER)).join(' ');
      return texts.includes('echo #later') && texts.includes('echo #lower');
    });
  });

  it('Telegram case 6: should refuse what is no update, and pass over what it does not know', async () => {
    const refused = ['', 'no json', '[]', '{}', '{"update_id":"seven"}', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`];
    for (const body of refused)
      expect([body.slice(0, 20), (await webhook(body, SECRET)).status]).toEqual([body.slice(0, 20), 400]);
    const before = await inbox();
    const passed = [
      { poll: { id: 'p' } },
      { message: { message_id: 1, date: 1, chat: { id: 1, type: 'private' } } },
      { message: { message_id: 'x' } },
      { message: null },
      { channel_post: { message_id: 1 } },
      { future_kind_of_update: { anything: true } },
    ];
    for (const part of passed) {
      expect((await webhook(JSON.stringify({ update_id: (updates += 1), ...part }), SECRET)).status).toBe(200);
    }
    expect(await inbox()).toHaveLength(before.length);
    expect((await webhook(JSON.stringify({ update_id: 1, pad: 'x'.repeat(5_000_000) }), SECRET)).status).toBe(413);
    // A character that the database cannot keep is left out of the message, not the message.
    expect((await webhook(written('Odd \u0000character #odd'), SECRET)).status).toBe(200);
    await until(async () => (await stage.texts(MEMBER)).some((text) => text.includes('echo #odd')));
  });

  it('Telegram case 8: should neither lose nor double an answer where the platform says 429 or does not answer', async () => {
    await stage.fail(
      { kind: 'too-many', method: 'sendMessage', seconds: 1 },
      { kind: 'reset-before', method: 'sendMessage' },
      { kind: 'error-500', method: 'editMessageText' },
      { kind: 'too-many', method: 'editMessageText', seconds: 1 },
    );
    const asked = await anna.write('In trouble #trouble');
    await stage.untilAnswered(anna.id, asked, { matching: 'echo #trouble' });
    const answers = (await stage.texts(anna.id)).filter((text) => text.includes('#trouble'));
    expect(answers).toEqual([expect.stringContaining('echo #trouble')]);
    expect(await stage.violations()).toEqual([]);
  });

  it('should leave no message behind that was created although nobody was told', async () => {
    const before = await stage.texts(anna.id);
    await stage.fail({ kind: 'reset-after', method: 'sendMessage' });
    const asked = await anna.write('Twice? #twice');
    await stage.untilAnswered(anna.id, asked, { matching: 'echo #twice' });
    await until(async () => (await stage.texts(anna.id)).length === before.length + 1);
    expect((await stage.texts(anna.id)).at(-1)).toContain('echo #twice');
  });

  it('Telegram case 10: should show that it writes at least every five seconds until the first word', async () => {
    Object.assign(model.settings, { firstTokenMs: 5_500 });
    const began = Date.now();
    const asked = await anna.write('Think about it #think');
    await stage.untilAnswered(anna.id, asked, { matching: 'echo #think' });
    const shown = (await stage.typing(anna.id)).filter((at) => at >= began);
    expect(shown.length).toBeGreaterThanOrEqual(1);
    const gaps = [began, ...shown].map((at, index, all) => (all[index + 1] ?? Date.now()) - at);
    expect(Math.max(...gaps.slice(0, -1))).toBeLessThanOrEqual(5_000);
  });

  it('Telegram case 12: should give up a chat whose person has blocked the bot, and go on when they are back', async () => {
    const maria = await stage.person(CONTRIBUTOR, { first_name: 'Maria', language_code: 'en' });
    Object.assign(model.settings, { firstTokenMs: 1_000 });
    await maria.write('And then I am gone #gone');
    await maria.block();
    await until(async () => (await inbox()).every(({ state }) => state === 'done' || state === 'dropped'));
    const { sendMessage = 0 } = await stage.counts();
    expect(sendMessage).toBeLessThanOrEqual(2);
    await maria.unblock();
    const asked = await maria.write('Back again #back');
    await stage.untilAnswered(maria.id, asked, { matching: 'echo #back' });
  });

  it('Telegram case 12: should follow a group that becomes a supergroup', async () => {
    const group = await stage.group('Garden', { members: [anna] });
    const asked = await anna.write(`@${telegram.settings.username} hello #small`, { in: group });
    await stage.untilAnswered(group.id, asked, { matching: 'echo #small' });
    Object.assign(model.settings, { firstTokenMs: 1_500 });
    const before = await anna.write(`@${telegram.settings.username} hello #between`, { in: group });
    await until(async () => (await stage.transcript(group.id)).some(({ id, by }) => by === 'bot' && id > before));
    const large = await group.migrate();
    await until(async () => (await stage.texts(large.id)).some((text) => text.includes('echo #between')));
  });

  it('Telegram case 15: should react in a group to what is for it, and to no bot', async () => {
    const group = await stage.supergroup('Forum', { members: [anna], topics: ['Votes'] });
    const name = `@${telegram.settings.username}`;
    await anna.write('Nobody asked you', { in: group });
    await anna.write('/help@other_bot', { in: group });
    const topic = group.topics.Votes ?? 0;
    const asked = await anna.write(`${name} when is the vote? #topic`, { in: group, topic });
    const [answer] = await stage.untilAnswered(group.id, asked, { matching: 'echo #topic', topic });
    const again = await anna.write('And who may vote? #reply', { in: group, topic, replyTo: answer?.id ?? 0 });
    await stage.untilAnswered(group.id, again, { matching: 'echo #reply', topic });
    expect(await stage.texts(group.id)).toHaveLength(2);
    expect(await stage.violations()).toEqual([]);
  });

  it('should answer each message of a chat in its order, while other chats do not wait', async () => {
    Object.assign(model.settings, { firstTokenMs: 400 });
    const maria = await stage.person(CONTRIBUTOR, { first_name: 'Maria', language_code: 'en' });
    const asked: number[] = [];
    for (const n of [1, 2, 3]) asked.push(await anna.write(`Question ${n} #order${n}`));
    const other = await maria.write('Mine #other');
    await stage.untilAnswered(maria.id, other, { matching: 'echo #other' });
    await stage.untilAnswered(anna.id, asked[0] ?? 0, { matching: 'echo #order3' });
    const order = (await stage.texts(anna.id)).flatMap((text) => /echo #(order\d)/.exec(text)?.[1] ?? []);
    expect(order).toEqual(['order1', 'order2', 'order3']);
  });

  it('should remember what was said before, in this chat alone', async () => {
    const first = await anna.write('My garden is in Lviv #remember1');
    await stage.untilAnswered(anna.id, first, { matching: 'echo #remember1' });
    model.reset();
    const second = await anna.write('Where is it? #remember2');
    await stage.untilAnswered(anna.id, second, { matching: 'echo #remember2' });
    expect(JSON.stringify(model.bodies)).toContain('My garden is in Lviv');
    const elsewhere = await product.route('Where is it? #elsewhere', { session_id: String(anna.id) });
    expect(elsewhere.status).toBe(200);
    expect(elsewhere.body.data.text).toContain('(2 messages)');
  });

  it('should stop what is being written for whoever says /stop, at once', async () => {
    Object.assign(model.settings, { firstTokenMs: 300, tokenMs: 300, tokens: 60 });
    const asked = await anna.write('A long story #stop');
    await stage.untilAnswered(anna.id, asked, { matching: '.' });
    await until(() => model.stats.inFlight === 1);
    const began = Date.now();
    await anna.write('/stop');
    await until(() => model.stats.inFlight === 0);
    expect(Date.now() - began).toBeLessThan(1_000);
    await until(async () => (await stage.texts(anna.id)).some((text) => text.includes('Stopped')));
  });

  it('should do so where the platform takes no message of the chat for a while, and say the rest behind that', async () => {
    const marked = await anna.write('Hello #marked');
    const [answer] = await stage.untilAnswered(anna.id, marked, { matching: 'echo #marked' });
    Object.assign(model.settings, { firstTokenMs: 300, tokenMs: 300, tokens: 60 });
    const asked = await anna.write('A long story #busy');
    await stage.untilAnswered(anna.id, asked, { matching: '.' });
    await until(() => model.stats.inFlight === 1);
    await stage.fail({ kind: 'too-many', method: 'sendMessage', seconds: 3 });
    await anna.react(answer?.id ?? 0, '👎');
    const left = product.database.all.selectFrom('inbox').where('lane', '=', 'say').where('state', '=', 'open');
    await until(async () => (await left.select('id').execute()).length > 0);
    const began = Date.now();
    await anna.write('/stop');
    await until(() => model.stats.inFlight === 0);
    expect(Date.now() - began).toBeLessThan(1_000);
    for (const words of ['Stopped', 'What was wrong'])
      await until(async () => (await stage.texts(anna.id)).some((text) => text.includes(words)));
    expect(await stage.violations()).toEqual([]);
  });

  it('should do nothing twice that a command has begun, when the command is changed', async () => {
    const maria = await stage.person(CONTRIBUTOR, { first_name: 'Maria', language_code: 'en' });
    const asked = await maria.write('/propose A cold frame\nSeedlings freeze in March.');
    await stage.untilAnswered(maria.id, asked, { matching: 'A cold frame' });
    await maria.edit(asked, '/propose A warm frame\nSeedlings freeze in March.');
    await until(async () => (await stage.texts(maria.id)).some((text) => text.includes('Send it anew')));
    const proposals = await product.database.all.selectFrom('proposals').select('title').execute();
    expect(proposals).toEqual([{ title: 'A cold frame' }]);
  });

  it('should answer a message again, in its place, that was changed while it was answered', async () => {
    Object.assign(model.settings, { firstTokenMs: 1_000 });
    const asked = await anna.write('I mean pears #pears');
    await until(() => model.stats.inFlight === 1);
    await anna.edit(asked, 'I mean apples #apples');
    await stage.untilAnswered(anna.id, asked, { matching: 'echo #apples' });
    const behind = (await stage.transcript(anna.id)).filter(({ id, by }) => by === 'bot' && id > asked);
    expect(behind).toHaveLength(1);
  });

  it('should take a photo by its caption, and say that it reads text only where there is none', async () => {
    const withCaption = await anna.photo('What is this? #photo');
    await stage.untilAnswered(anna.id, withCaption, { matching: 'echo #photo' });
    const without = await anna.photo();
    await stage.untilAnswered(anna.id, without, { matching: 'text only' });
  });

  it('Telegram case 14: should keep the token out of the log, whatever goes wrong', async () => {
    await stage.fail(
      { kind: 'error-500' },
      { kind: 'reset-before' },
      { kind: 'refuse', code: 400, description: 'Bad Request: no' },
    );
    const asked = await anna.write('Quietly #quiet');
    await stage.untilAnswered(anna.id, asked, { matching: 'echo #quiet' });
    const log = JSON.stringify(await product.logLines());
    const [, secretPart = ''] = telegram.settings.token.split(':');
    expect(log).not.toContain(secretPart);
    expect(log).not.toContain(SECRET);
  });

  it('should refuse a stranger kindly, and buy nothing for it', async () => {
    const stranger = await stage.person(STRANGER, { first_name: 'Oleh', language_code: 'en' });
    const asked = await stranger.write('Tell me everything #stranger');
    await stage.untilAnswered(stranger.id, asked, { matching: '.' });
    expect(model.bodies).toEqual([]);
  });

  it('Telegram case 4: should answer after a restart, once, what was taken in before', async () => {
    Object.assign(model.settings, { firstTokenMs: 2_000 });
    const asked = await anna.write('Survive #survive');
    await until(() => model.stats.inFlight === 1);
    await product.restart();
    await stage.untilAnswered(anna.id, asked, { matching: 'echo #survive', withinMs: 40_000 });
    const answers = (await stage.texts(anna.id)).filter((text) => text.includes('#survive'));
    expect(answers).toHaveLength(1);
  });
});

describe('Telegram by polling', () => {
  beforeAll(() => open({ TELEGRAM_MODE: 'polling' }));
  afterAll(close);
  beforeEach(reset);

  it('should answer as by webhook', async () => {
    const asked = await anna.write('Hello #polled');
    await stage.untilAnswered(anna.id, asked, { matching: 'echo #polled' });
    expect(await stage.violations()).toEqual([]);
  });

  it('Telegram case 5: should take in what comes by a lower number than before, after a time without any', async () => {
    const asked = await anna.write('Higher #higher');
    await stage.untilAnswered(anna.id, asked, { matching: 'echo #higher' });
    const polls = async (): Promise<number> => (await stage.counts()).getUpdates ?? 0;
    const quiet = (await polls()) + 2;
    await until(async () => (await polls()) >= quiet);
    // Written while nobody polls: the next poll finds it there.
    await stage.fail({ kind: 'error-500', method: 'getUpdates' });
    const spoilt = (await polls()) + 1;
    await until(async () => (await polls()) >= spoilt);
    await stage.put(JSON.parse(written('Lower #lower', 17)) as Update, MEMBER);
    await until(async () => (await stage.texts(MEMBER)).some((text) => text.includes('echo #lower')));
  });

  describe('with bounds of its own', () => {
    let maria: Person;
    let began: Date;
    beforeEach(async () => {
      began = new Date();
      maria = await stage.person(CONTRIBUTOR, { first_name: 'Maria', language_code: 'en' });
    });
    afterAll(() => use({}));

    /** Has the running product go by other numbers. */
    async function use(bots: object): Promise<void> {
      await writeFile(join(product.home, 'profile.yml'), JSON.stringify(profile(bots)));
      expect((await product.call('POST', '/config/reload')).status).toBe(200);
    }
    /** What somebody wrote in this test. */
    const rowsOf = (person: Person) =>
      product.database.all
        .selectFrom('inbox')
        .where('actor', '=', `tg:${person.id}`)
        .where('received_at', '>=', began)
        .orderBy('place')
        .select(['id', 'state', 'joined_to'])
        .execute();
    /** Waits until so many messages of somebody are in and done. */
    const settled = (person: Person, count: number) =>
      until(async () => {
        const rows = await rowsOf(person);
        return rows.length === count && rows.every(({ state }) => state === 'done' || state === 'dropped');
      });
    const many = (texts: string[], part: string) => texts.filter((text) => text.includes(part)).length;

    it('should answer what is sent quickly as one, and anew when a part of it is changed', async () => {
      await use({ join_within_ms: 700 });
      const asked: number[] = [];
      for (const text of ['I have a question #joined', 'it is about pears', 'are they ripe?']) {
        asked.push(await maria.write(text));
      }
      await stage.untilAnswered(maria.id, asked[0] ?? 0, { matching: 'are they ripe\\?$' });
      await settled(maria, 3);
      expect(model.bodies).toHaveLength(1);
      expect(JSON.stringify(model.bodies)).toContain('I have a question #joined\\nit is about pears\\nare they ripe?');
      const rows = await rowsOf(maria);
      const [first] = rows;
      expect(rows.map(({ state, joined_to: to }) => [state, to])).toEqual([
        ['done', null],
        ['done', first?.id],
        ['done', first?.id],
      ]);
      await maria.edit(asked[1] ?? 0, 'it is about apples');
      await stage.untilAnswered(maria.id, asked[0] ?? 0, { matching: 'about apples' });
      await settled(maria, 4);
      expect(await stage.texts(maria.id)).toHaveLength(1);
      const why = await maria.write('/why', { replyTo: asked[2] ?? 0 });
      await stage.untilAnswered(maria.id, why, { matching: 'Rule: chat' });
      expect(await stage.violations()).toEqual([]);
    });

    it('should answer as one, after a restart, what came before it', async () => {
      await use({ join_within_ms: 4_000 });
      const asked = await maria.write('Before #across');
      await maria.write('and still before');
      await until(
        async () => (await inbox()).filter(({ state }) => state === 'open' || state === 'waiting').length === 2,
      );
      await product.restart();
      await stage.untilAnswered(maria.id, asked, { matching: 'and still before$', withinMs: 40_000 });
      await settled(maria, 2);
      expect(await stage.texts(maria.id)).toHaveLength(1);
      expect(model.stats.byPrompt.across).toBe(1);
    });

    it('should answer somebody who floods so often in a minute, and say so once; others and /stop as ever', async () => {
      await use({ messages_per_minute: 3 });
      // What she wrote before was within the numbers of then.
      await sql`delete from rate_limits`.execute(product.database.all);
      for (const n of [1, 2, 3, 4, 5, 6]) await maria.write(`Flood ${n} #flood${n}`);
      await settled(maria, 6);
      const texts = await stage.texts(maria.id);
      expect([many(texts, 'echo #flood'), many(texts, 'write again in')]).toEqual([3, 1]);
      expect(texts).toHaveLength(4);
      expect(model.bodies).toHaveLength(3);
      const stop = await maria.write('/stop');
      await stage.untilAnswered(maria.id, stop, { matching: 'nothing to stop' });
      const other = await anna.write('Mine #calm');
      await stage.untilAnswered(anna.id, other, { matching: 'echo #calm' });
      expect(await stage.violations()).toEqual([]);
    });

    it('should answer what waits, say once that it is too much, and leave out the rest', async () => {
      await use({ waiting_per_chat: 2 });
      Object.assign(model.settings, { firstTokenMs: 1_500 });
      const asked = await maria.write('Wait 1 #wait1');
      for (const n of [2, 3, 4, 5]) await maria.write(`Wait ${n} #wait${n}`);
      const other = await anna.write('Mine #free');
      await stage.untilAnswered(maria.id, asked, { matching: 'Too many messages are waiting' });
      await stage.untilAnswered(anna.id, other, { matching: 'echo #free' });
      await settled(maria, 5);
      const texts = await stage.texts(maria.id);
      expect(texts).toHaveLength(3);
      expect(texts.filter((text) => /echo #wait[12]/.test(text))).toHaveLength(2);
      expect(many(texts, 'Too many messages')).toBe(1);
      expect(await stage.violations()).toEqual([]);
    });
  });

  it('should have nothing at the path of the webhook', async () => {
    expect((await webhook(written('hello'), SECRET)).status).toBe(404);
  });

  it('should take in what came while it was stopped', async () => {
    await product.stop();
    const asked = await anna.write('While you slept #slept');
    await product.start();
    await stage.untilAnswered(anna.id, asked, { matching: 'echo #slept' });
    expect((await stage.texts(anna.id)).filter((text) => text.includes('#slept'))).toHaveLength(1);
  });
});
