import { inspect } from 'node:util';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pino } from 'pino';
import type { OutgoingMessage, Place } from '../../contracts/messenger.js';
import { plainText, type Mark, type RichText } from '../../contracts/rich-text.js';
import { DeliveryError } from '../../errors/delivery-error.js';
import { FakeTelegram } from '../../../test/fakes/telegram/fake-telegram.js';
import type { Person, TelegramStage } from '../../../test/fakes/telegram/stage.js';
import { until } from '../../../test/support/until.js';
import { Pace } from './pace.js';
import { TelegramBotApi, type TelegramBotApiOptions } from './telegram-bot-api.js';
import { TelegramMessenger } from './telegram-messenger.js';

/** As quick as nobody may be in earnest. */
const quick = () =>
  new Pace({ perSecond: 10_000, buckets: { private: { everyMs: 1, more: 1 }, group: { everyMs: 1, more: 1 } } });

const NAMES = { bold: 'bold', italic: 'italic', strike: 'strikethrough', code: 'code', quote: 'blockquote' } as const;

/** Stands in for the domain's own: marks as they are, and pieces of equal length, cut between characters. */
const wording = {
  entitiesOf: ({ marks }: RichText) =>
    marks.map(({ at: offset, length, ...mark }) => {
      if (mark.kind === 'link') return { type: 'text_link', offset, length, url: mark.url };
      if (mark.kind === 'pre') return { type: 'pre', offset, length };
      return { type: NAMES[mark.kind], offset, length };
    }),
  split: ({ text }: RichText): RichText[] => {
    const parts: string[] = [''];
    for (const sign of text) {
      if (parts.at(-1)!.length + sign.length > 4_096) parts.push('');
      parts.push(parts.pop()! + sign);
    }
    return parts.map(plainText);
  },
};

let telegram: FakeTelegram;
let stage: TelegramStage;
let messenger: TelegramMessenger;
let ann: Person;

const apiOf = (options: Partial<TelegramBotApiOptions> = {}): TelegramBotApi =>
  new TelegramBotApi({ token: telegram.settings.token, apiRoot: telegram.url, pace: quick(), ...options });
const messengerOf = (options: Partial<TelegramBotApiOptions> = {}) => new TelegramMessenger(apiOf(options), wording);

const inChat = (chat: number): Place => ({
  source: 'tg',
  chat: `${chat}`,
  topic: null,
  kind: chat < 0 ? 'group' : 'private',
});
const ANN = inChat(7);
const says = (text: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  body: plainText(text),
  buttons: [],
  ...more,
});

async function problemOf(call: Promise<unknown>): Promise<DeliveryError> {
  const error: unknown = await call.then(
    () => new Error('It was done'),
    (reason: unknown) => reason,
  );
  if (error instanceof DeliveryError) return error;
  throw error;
}

beforeEach(async () => {
  telegram = await FakeTelegram.start();
  ({ stage } = telegram);
  messenger = messengerOf();
  ann = await stage.person(7);
  await ann.write('/start');
});
afterEach(async () => {
  const violations = await stage.violations();
  await telegram.close();
  // Telegram case 13: every outbound body fits the published description, in every test here.
  expect(violations).toEqual([]);
});

describe('a group', () => {
  it('is ruled by those whom the platform names, whoever else is in it', async () => {
    const bob = await stage.person(8);
    const { id } = await stage.supergroup('Farmers', { members: [ann, bob] });
    const group: Place = { source: 'tg', chat: String(id), topic: null, kind: 'group' };
    expect(await Promise.all(['tg:7', 'tg:8', 'dc:7'].map((user) => messenger.rules(group, user)))).toEqual([
      ...[true, false, false],
    ]);
  });
});

describe('a message', () => {
  it('is written as text and entities, with its buttons, as an answer, without previews', async () => {
    const asked = await ann.write('Who are you?');
    const marks: Mark[] = [
      { kind: 'quote', at: 0, length: 9 },
      { kind: 'bold', at: 0, length: 4 },
      { kind: 'link', at: 5, length: 4, url: 'https://dagi.example/' },
    ];
    const id = await messenger.create(
      ANN,
      { body: { text: 'Your_ *DAO [x', marks }, buttons: [[{ label: 'Yes', press: 'y:1' }]], replyTo: `${asked}` },
      'key',
    );
    expect((await stage.calls({ method: 'sendMessage' }))[0]!.params).toEqual({
      chat_id: 7,
      text: 'Your_ *DAO [x',
      entities: [
        { type: 'blockquote', offset: 0, length: 9 },
        { type: 'bold', offset: 0, length: 4 },
        { type: 'text_link', offset: 5, length: 4, url: 'https://dagi.example/' },
      ],
      link_preview_options: { is_disabled: true },
      reply_markup: { inline_keyboard: [[{ text: 'Yes', callback_data: 'y:1' }]] },
      reply_parameters: { message_id: asked, allow_sending_without_reply: true },
    });
    const press = await ann.press(Number(id), 'Yes');
    await messenger.heard(press, 'x'.repeat(500));
    expect(telegram.scene.presses.get(press)!.answer!.text).toHaveLength(200);
  });

  it('is sent although the one that it answers is gone', async () => {
    const asked = await ann.write('Who are you?');
    await stage.erase(7, asked);
    await messenger.create(ANN, says('DAGI', { replyTo: `${asked}` }), 'key');
    expect(await stage.texts(7)).toEqual(['DAGI']);
  });

  it('goes to its topic, and so does typing', async () => {
    const forum = await stage.supergroup('Forum', { members: [ann], topics: ['Votes'] });
    const place = { ...inChat(forum.id), topic: `${forum.topics.Votes}` };
    await messenger.typing(place);
    const id = await messenger.create(place, says('hello'), 'key');
    expect((await stage.transcript(forum.id)).find((told) => `${told.id}` === id)).toMatchObject({
      topic: forum.topics.Votes,
    });
    expect(await stage.typing(forum.id)).toHaveLength(1);
  });

  it('is edited, and left as it is when it says that already', async () => {
    const id = await messenger.create(ANN, says('…'), 'key');
    await messenger.edit(ANN, id, says('all', { buttons: [[{ label: 'More', press: 'm' }]] }));
    await messenger.edit(ANN, id, says('all', { buttons: [[{ label: 'More', press: 'm' }]] }));
    await messenger.edit(ANN, id, says('all'));
    const told = (await stage.transcript(7)).at(-1)!;
    expect(told.versions.map(({ text, buttons }) => [text, buttons.length])).toEqual([
      ['…', 0],
      ['all', 1],
      ['all', 0],
    ]);
  });

  it('is missing when it was deleted, or is somebody else’s', async () => {
    const id = await messenger.create(ANN, says('a'), 'key');
    await stage.erase(7, Number(id));
    expect((await problemOf(messenger.edit(ANN, id, says('b')))).problem).toBe('missing');
    const own = await ann.write('mine');
    expect((await problemOf(messenger.edit(ANN, `${own}`, says('b')))).problem).toBe('missing');
    expect((await problemOf(messenger.edit(ANN, '999', says('b')))).problem).toBe('missing');
  });

  it.each([
    [{ ...ANN, chat: 'ann' }, 'chat'],
    [{ ...ANN, topic: '' }, 'topic'],
  ])('is refused where the platform has no such id: %j', async (place, what) => {
    expect(await problemOf(messenger.create(place, says('a'), 'key'))).toMatchObject({
      problem: 'refused',
      message: `this is no id of a ${what} of Telegram`,
    });
  });
});

it('answers to presses that come too late are no failure, others are', async () => {
  const press = await stage.person(8).then(async (bob) => {
    await bob.write('hi');
    const id = await messenger.create(inChat(8), says('?', { buttons: [[{ label: 'Yes', press: 'y' }]] }), 'key');
    return bob.press(Number(id), 'y');
  });
  await stage.set({ pressMs: -1 });
  await messenger.heard(press);
  await stage.fail({ kind: 'error-502' });
  expect((await problemOf(messenger.heard(press))).problem).toBe('unreachable');
});

describe('a message of which nothing is known', () => {
  it('is ours if we wrote it, with buttons or without, and nobody else’s', async () => {
    const plain = await messenger.create(ANN, says('stray'), 'key');
    const theirs = await ann.write('something');
    const withButtons = await messenger.create(ANN, says('stray', { buttons: [[{ label: 'a', press: 'a' }]] }), 'key');
    expect(await messenger.isOurs(ANN, plain)).toBe(true);
    expect(await messenger.isOurs(ANN, withButtons)).toBe(true);
    expect(await messenger.isOurs(ANN, String(theirs))).toBe(false);
    expect(await messenger.isOurs(ANN, '9999999')).toBe(false);
    expect(await stage.texts(7)).toEqual(['stray', 'stray']);
    await messenger.remove(ANN, plain);
    await messenger.remove(ANN, plain);
    expect(await stage.texts(7)).toEqual(['stray']);
  });

  it.each(['too-many', 'error-500', 'reset-before'] as const)('is not told of when a call fails: %s', async (kind) => {
    const stray = await messenger.create(ANN, says('stray'), 'key');
    await stage.fail({ kind, seconds: 30 });
    await expect(messenger.isOurs(ANN, stray)).rejects.toThrow();
    expect(await stage.texts(7)).toEqual(['stray']);
  });
});

describe('Telegram case 7: a long reply', () => {
  it.each([
    ['of 4096 units', 'x'.repeat(4_096), 1],
    ['of 4097 units', 'x'.repeat(4_097), 2],
    ['of 20000 units', 'words '.repeat(3_333), 5],
    ['of emoji', '😀'.repeat(4_000), 2],
    ['of half-open Markdown', `${'*_`[('.repeat(900)}\n`, 2],
  ])('%s goes in parts that fit, in order, whole', async (_what, text, count) => {
    const parts = messenger.split(plainText(text));
    for (const [index, body] of parts.entries()) await messenger.create(ANN, { body, buttons: [] }, `${index}`);
    const shown = await stage.texts(7);
    expect(shown).toHaveLength(count);
    expect(shown.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
    for (const part of shown) expect(part.length).toBeLessThanOrEqual(4_096);
  });

  it('that the platform cannot read is refused, and is not tried again here', async () => {
    await stage.fail({ kind: 'refuse', description: "Bad Request: can't parse entities: no end" });
    const error = await problemOf(messenger.create(ANN, says('a'), 'key'));
    expect(error).toMatchObject({ problem: 'refused' });
    expect(await stage.counts()).toEqual({ sendMessage: 1 });
  });
});

describe('Telegram case 8: a call that goes wrong', () => {
  it('because the platform asks to wait is made once more, by who asked, and not before that', async () => {
    await stage.fail({ kind: 'too-many', seconds: 1 });
    expect(await problemOf(messenger.create(ANN, says('a'), 'key'))).toMatchObject({
      problem: 'limited',
      detail: { retryAfterMs: 1_000 },
    });
    const toldAt = Date.now();
    const others = await stage.person(8);
    await others.write('hi');
    await messenger.create(inChat(8), says('at once'), 'key');
    // It waits in line until the time has passed; the fake blames calls that come before that.
    await messenger.create(ANN, says('a'), 'key');
    expect(Date.now() - toldAt).toBeGreaterThanOrEqual(999);
    expect(await stage.texts(7)).toEqual(['a']);
  });

  it('for longer than a call waits is not made at all', async () => {
    await stage.fail({ kind: 'too-many', seconds: 60 });
    await problemOf(messenger.create(ANN, says('a'), 'key'));
    const { problem, detail } = await problemOf(messenger.create(ANN, says('a'), 'key'));
    expect([problem, Math.ceil(detail.retryAfterMs! / 1_000)]).toEqual(['limited', 60]);
    expect(await stage.counts()).toEqual({ sendMessage: 1 });
  });

  it.each([
    ['error-500', false],
    ['error-502', false],
    ['reset-before', false],
    ['reset-after', true],
    ['hang-before', false],
    ['hang-after', true],
  ] as const)('without an answer may have been done, and is tried once only: %s', async (kind, done) => {
    await stage.fail({ kind });
    const error = await problemOf(messengerOf({ callMs: 300 }).create(ANN, says('a'), 'key'));
    expect(error).toMatchObject({ problem: 'unreachable', detail: { maybeDone: true } });
    expect(await stage.counts()).toEqual({ sendMessage: 1 });
    expect(await stage.texts(7)).toEqual(done ? ['a'] : []);
    await messenger.create(ANN, says('b'), 'key');
  });

  it('because nobody is there was not done', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    const away = messengerOf({ apiRoot: `http://127.0.0.1:${port}` });
    expect(await problemOf(away.create(ANN, says('a'), 'key'))).toMatchObject({
      problem: 'unreachable',
      detail: { maybeDone: false },
    });
  });

  it('by what is no answer of the Bot API may have been done', async () => {
    const server = createServer((_request, response) => {
      response.end('{"ok":true,"result":{"message":1}}');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const odd = messengerOf({ apiRoot: `http://127.0.0.1:${port}/` });
    expect(await problemOf(odd.create(ANN, says('a'), 'key'))).toMatchObject({
      problem: 'unreachable',
      detail: { maybeDone: true },
    });
    server.closeAllConnections();
    server.close();
  });
});

describe('Telegram case 9: limits', () => {
  it('of the platform are never met, with fifty private chats at once', async () => {
    await stage.set({ limits: { perSecond: 30, chatPerSecond: 1, chatBurst: 2 } });
    const paced = messengerOf({ pace: new Pace() });
    const chats = Array.from({ length: 50 }, (_, index) => 100 + index);
    for (const chat of chats) await (await stage.person(chat)).write('hi');
    await Promise.all(chats.map((chat) => paced.create(inChat(chat), says('hello'), 'key')));
    const calls = await stage.calls();
    expect(calls.filter(({ status }) => status !== 200)).toEqual([]);
    expect(calls).toHaveLength(50);
  });

  it('of a chat are never met, by as much as there is to write', async () => {
    await stage.set({ limits: { chatPerSecond: 1, chatBurst: 2 } });
    const paced = messengerOf({ pace: new Pace() });
    const writing = await Promise.allSettled(['1', '2', '3', '4'].map((text) => paced.create(ANN, says(text), 'key')));
    expect(writing.map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => 'fulfilled'));
    expect(await stage.texts(7)).toEqual(['1', '2', '3', '4']);
    expect((await stage.calls()).filter(({ status }) => status !== 200)).toEqual([]);
  });
});

describe('Telegram case 12: a chat', () => {
  it('whose person blocked the bot is closed', async () => {
    await ann.block();
    for (const call of [() => messenger.create(ANN, says('a'), 'key'), () => messenger.typing(ANN)]) {
      expect(await problemOf(call())).toMatchObject({
        problem: 'closed',
        message: expect.stringContaining('bot was blocked by the user'),
      });
    }
  });

  it('that removed the bot, or is not there, is closed', async () => {
    const group = await stage.supergroup('DAO', { members: [ann], bot: 'kicked' });
    expect((await problemOf(messenger.create(inChat(group.id), says('a'), 'key'))).problem).toBe('closed');
    expect((await problemOf(messenger.create(inChat(99), says('a'), 'key'))).problem).toBe('closed');
  });

  it('that became a supergroup has moved, and is written to under its new id', async () => {
    const group = await stage.group('DAO', { members: [ann] });
    const next = await group.migrate();
    const { problem, detail } = await problemOf(messenger.create(inChat(group.id), says('a'), 'key'));
    expect([problem, detail]).toEqual(['moved', { movedTo: `${next.id}` }]);
    await messenger.create(inChat(Number(detail.movedTo)), says('a'), 'key');
    expect(await stage.texts(next.id)).toEqual(['a']);
  });
});

it('Telegram case 13: bodies fit the published description, whatever is to be said', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }).filter((each) => each.trim() !== '');
  const button = fc.record({
    label: fc.string({ minLength: 1, maxLength: 20 }),
    press: fc.stringMatching(/^[a-z:0-9]{1,64}$/),
  });
  const message = fc.record({
    text,
    isBold: fc.boolean(),
    buttons: fc.array(fc.array(button, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
    replyTo: fc.option(fc.integer({ min: 1, max: 2_000 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(message, async ({ text, isBold, buttons, replyTo }) => {
      const marks: Mark[] = isBold ? [{ kind: 'bold', at: 0, length: text.length }] : [];
      const asked = { body: { text, marks }, buttons, ...(replyTo !== undefined && { replyTo: `${replyTo}` }) };
      const id = await messenger.create(ANN, asked, 'key');
      await messenger.edit(ANN, id, { body: { text: `${text}.`, marks }, buttons });
      expect((await stage.texts(7)).at(-1)).toBe(`${text}.`.trim());
    }),
    { numRuns: 60 },
  );
});

describe('what the edge needs', () => {
  it('is asked as it is described', async () => {
    const api = apiOf({ pollSeconds: 1 });
    expect(await api.getMe()).toEqual({ id: '7000000001', username: 'dagi_bot' });
    await api.setCommands([{ command: 'help', description: 'Що я вмію' }], 'uk');
    await api.setCommands([{ command: 'help', description: 'What I can do' }], null);
    expect([...telegram.scene.commands.keys()]).toEqual(['[{"type":"default"},"uk"]', '[{"type":"default"},""]']);
    const [first] = (await api.getUpdates(undefined, new AbortController().signal)) as [{ update_id: number }];
    expect(first).toMatchObject({ message: { text: '/start' } });
    await ann.react((await stage.transcript(7))[0]!.id, '👍');
    expect(await api.getUpdates(first.update_id + 1, new AbortController().signal)).toMatchObject([
      { message_reaction: { new_reaction: [{ emoji: '👍' }] } },
    ]);
    await api.setWebhook('http://127.0.0.1:9/hook', 'a-secret');
    expect(await problemOf(api.getUpdates(undefined, new AbortController().signal))).toMatchObject({
      problem: 'unreachable',
      message: expect.stringContaining('webhook is active'),
    });
    await api.deleteWebhook();
    expect(telegram.scene.webhook.isSet).toBe(false);
  });

  it('a poll ends with the reason of its signal', async () => {
    const stop = new AbortController();
    const api = apiOf();
    const updates = (await api.getUpdates(undefined, stop.signal)) as { update_id: number }[];
    const poll = api.getUpdates(updates[0]!.update_id + 1, stop.signal);
    await until(async () => (await stage.counts()).getUpdates === 2);
    const reason = new Error('shutting down');
    stop.abort(reason);
    await expect(poll).rejects.toBe(reason);
  });
});

describe('Telegram case 14: the token', () => {
  it('stands in no error, no log and no printed object, whatever fails', async () => {
    const { token } = telegram.settings;
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
    const api = apiOf({ callMs: 200 });
    const own = new TelegramMessenger(api, wording);
    const kinds = ['too-many', 'error-500', 'error-502', 'reset-before', 'reset-after', 'hang-before'] as const;
    const errors = [];
    for (const kind of kinds) {
      await stage.fail({ kind, seconds: 1, chat: 7 });
      errors.push(await problemOf(own.create(ANN, says('a'), 'key')));
    }
    await stage.fail({ kind: 'refuse', chat: 7, description: `Bad Request: /bot${token}/sendMessage` });
    errors.push(await problemOf(own.create(ANN, says('a'), 'key')));
    errors.push(await problemOf(messengerOf({ apiRoot: 'http://127.0.0.1:1' }).create(ANN, says('a'), 'key')));
    const wrong = `${token}x`;
    const unknown = await problemOf(apiOf({ token: wrong }).getMe());
    expect(unknown).toMatchObject({ problem: 'unreachable', message: expect.stringContaining('TELEGRAM_BOT_TOKEN') });
    expect(errors.map(({ problem }) => problem)).toEqual([
      ...[
        'limited',
        'unreachable',
        'unreachable',
        'unreachable',
        'unreachable',
        'unreachable',
        'refused',
        'unreachable',
      ],
    ]);
    for (const error of [...errors, unknown]) log.error({ err: error, api }, 'failed');
    const told = [...errors, unknown, api, own].map((each) => inspect(each, { depth: 20, showHidden: true }));
    const stacks = errors.flatMap(({ stack, message }) => [stack, message]);
    expect([...lines, ...told, ...stacks, JSON.stringify([errors, api])].join('\n')).not.toContain(token);
    expect(lines).toHaveLength(9);
  });
});
