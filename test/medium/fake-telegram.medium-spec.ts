import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Api, GrammyError, HttpError } from 'grammy';
import { connectTelegram } from '../fakes/telegram/stage.js';
import { FakeTelegram } from '../fakes/telegram/fake-telegram.js';
import type { Person, TelegramStage } from '../fakes/telegram/stage.js';
import { until } from '../support/until.js';
import { DEFAULT_SETTINGS } from '../fakes/telegram/settings.js';

const SERVE = join(import.meta.dirname, '..', 'fakes', 'serve-fake.mjs');

let telegram: FakeTelegram;
let stage: TelegramStage;
let api: Api;
let ann: Person;

beforeEach(async () => {
  telegram = await FakeTelegram.start({ secondMs: 10 });
  ({ stage } = telegram);
  api = new Api(telegram.settings.token, { apiRoot: telegram.url });
  ann = await stage.person(7, { first_name: 'Ann', language_code: 'uk' });
});
afterEach(async () => {
  await telegram.close();
});

/** How a call is refused. */
async function refusalOf(call: Promise<unknown>): Promise<GrammyError> {
  const error: unknown = await call.then(
    () => new Error('It was done'),
    (reason: unknown) => reason,
  );
  if (error instanceof GrammyError) return error;
  throw error;
}
const whyNot = async (call: Promise<unknown>): Promise<string> => (await refusalOf(call)).description;

describe('calls of the bot', () => {
  it('are answered only with the token', async () => {
    expect(await api.getMe()).toMatchObject({ id: 7_000_000_001, is_bot: true, username: 'dagi_bot' });
    const other = new Api('7000000001:another', { apiRoot: telegram.url });
    expect(await refusalOf(other.getMe())).toMatchObject({ error_code: 401, description: 'Unauthorized' });
  });

  it('are judged by the published description, and what is wrong is remembered', async () => {
    await ann.write('hi');
    const raw = api.raw as unknown as Record<string, (params: object) => Promise<unknown>>;
    expect(await refusalOf(raw.sendSticker!({ chat_id: 7 }))).toMatchObject({ error_code: 404 });
    expect(await whyNot(raw.sendMessage!({ chat_id: 7 }))).toBe('Bad Request: text: missing');
    expect(await whyNot(raw.sendMessage!({ chat_id: 7.5, text: 'a', colour: 'red' }))).toBe(
      'Bad Request: colour: unknown; chat_id: no Integer',
    );
    expect(await whyNot(raw.sendMessage!({ chat_id: 7, text: 'a', entities: [{ type: 'bold', offset: 0 }] }))).toBe(
      'Bad Request: entities[0].length: missing',
    );
    const keyboard = { inline_keyboard: [[{ text: 'a', callback_data: 1 }]] };
    expect(await whyNot(raw.sendMessage!({ chat_id: 7, text: 'a', reply_markup: keyboard }))).toBe(
      'Bad Request: reply_markup.inline_keyboard[0][0].callback_data: no String',
    );
    expect(await stage.violations()).toHaveLength(5);
    expect((await stage.calls({ method: 'sendMessage' })).map(({ status, done }) => [status, done])).toEqual([
      [400, false],
      [400, false],
      [400, false],
      [400, false],
    ]);
  });

  it('reach only chats that are open to the bot', async () => {
    expect(await whyNot(api.sendMessage(8, 'a'))).toBe('Bad Request: chat not found');
    expect(await whyNot(api.sendMessage(7, 'a'))).toBe("Forbidden: bot can't initiate conversation with a user");
    await ann.write('/start');
    await api.sendMessage(7, 'a');
    await ann.block();
    expect(await refusalOf(api.sendMessage(7, 'a'))).toMatchObject({
      error_code: 403,
      description: 'Forbidden: bot was blocked by the user',
    });
    await ann.unblock();
    await api.sendMessage(7, 'b');
    const group = await stage.group('DAO', { members: [ann] });
    await group.bot('kicked', ann);
    expect(await whyNot(api.sendMessage(group.id, 'a'))).toBe('Forbidden: bot was kicked from the group chat');
    expect(await stage.violations()).toEqual([]);
  });

  it('follow a group that has become a supergroup', async () => {
    const group = await stage.group('DAO', { members: [ann] });
    const next = await group.migrate();
    expect(await refusalOf(api.sendMessage(group.id, 'a'))).toMatchObject({
      description: 'Bad Request: group chat was upgraded to a supergroup chat',
      parameters: { migrate_to_chat_id: next.id },
    });
    expect((await api.sendMessage(next.id, 'a')).chat).toEqual({ id: next.id, type: 'supergroup', title: 'DAO' });
  });

  it('give messages ids of one sequence, but for supergroups, which have their own', async () => {
    const bob = await stage.person(8);
    const group = await stage.group('DAO', { members: [ann] });
    const other = await stage.supergroup('Forum', { members: [ann] });
    const ids = [await ann.write('1'), await bob.write('2'), (await api.sendMessage(7, '3')).message_id];
    const inGroup = [await ann.write('4', { in: group }), (await api.sendMessage(group.id, '5')).message_id];
    const first = ids[0]!;
    expect([...ids, ...inGroup]).toEqual([first, first + 1, first + 2, first + 3, first + 4]);
    expect(await ann.write('1', { in: other })).toBe(2);
    expect((await api.sendMessage(other.id, '2')).message_id).toBe(3);
  });

  it('change and delete only what is there and may be changed', async () => {
    const id = await ann.write('hi');
    const { message_id: own } = await api.sendMessage(7, 'a');
    expect(await api.editMessageText(7, own, 'b')).toMatchObject({ message_id: own, text: 'b' });
    expect(await whyNot(api.editMessageText(7, own, 'b'))).toMatch(/^Bad Request: message is not modified: specified/);
    expect(await whyNot(api.editMessageText(7, own, 'b\n'))).toMatch(/message is not modified/);
    expect(await whyNot(api.editMessageReplyMarkup(7, own))).toMatch(/message is not modified/);
    expect(await whyNot(api.editMessageText(7, id, 'b'))).toBe("Bad Request: message can't be edited");
    expect(await whyNot(api.editMessageText(7, 99, 'b'))).toBe('Bad Request: message to edit not found');
    await api.deleteMessage(7, own);
    expect(await whyNot(api.editMessageText(7, own, 'c'))).toBe('Bad Request: message to edit not found');
    expect(await whyNot(api.deleteMessage(7, own))).toBe('Bad Request: message to delete not found');
    expect(await stage.texts(7)).toEqual([]);
    const [, told] = await stage.transcript(7);
    expect(told!.versions.map(({ text }) => text)).toEqual(['a', 'b']);
  });

  it('answer messages that are there, or need not be', async () => {
    const id = await ann.write('hi');
    const { reply_to_message: answered } = await api.sendMessage(7, 'a', { reply_parameters: { message_id: id } });
    expect(answered).toMatchObject({ message_id: id, text: 'hi' });
    await stage.erase(7, id);
    const gone = { message_id: id };
    expect(await whyNot(api.sendMessage(7, 'b', { reply_parameters: gone }))).toBe(
      'Bad Request: message to be replied not found',
    );
    await api.sendMessage(7, 'b', { reply_parameters: { ...gone, allow_sending_without_reply: true } });
    expect(await stage.texts(7)).toEqual(['a', 'b']);
  });

  it('go to topics that there are', async () => {
    const forum = await stage.supergroup('Forum', { members: [ann], topics: ['Votes'] });
    const topic = forum.topics.Votes!;
    const sent = await api.sendMessage(forum.id, 'a', { message_thread_id: topic });
    expect(sent).toMatchObject({ message_thread_id: topic, is_topic_message: true, chat: { is_forum: true } });
    expect(await whyNot(api.sendMessage(forum.id, 'a', { message_thread_id: 99 }))).toBe(
      'Bad Request: message thread not found',
    );
  });

  it('answer a press once it was made, for a while', async () => {
    await ann.write('hi');
    const reply_markup = { inline_keyboard: [[{ text: 'Yes', callback_data: 'y' }]] };
    const { message_id: id } = await api.sendMessage(7, 'Sure?', { reply_markup });
    await expect(ann.press(id, 'No')).rejects.toThrow('has no button No');
    const press = await ann.press(id, 'Yes');
    const updates = await api.getUpdates();
    expect(updates.at(-1)!.callback_query).toMatchObject({ id: press, data: 'y', message: { message_id: id } });
    await api.answerCallbackQuery(press, { text: 'Done' });
    await stage.untilHeard(press);
    expect(telegram.scene.presses.get(press)!.answer).toMatchObject({ text: 'Done', alert: false });
    await stage.set({ pressMs: -1 });
    expect(await whyNot(api.answerCallbackQuery(press))).toBe(
      'Bad Request: query is too old and response timeout expired or query ID is invalid',
    );
  });

  it('show drafts and typing in private chats, and set commands', async () => {
    const group = await stage.group('DAO', { members: [ann] });
    await ann.write('hi');
    await api.sendChatAction(7, 'typing');
    await api.raw.sendMessageDraft({ chat_id: 7, draft_id: 3, text: 'so far' });
    expect(await stage.typing(7)).toHaveLength(1);
    expect(await stage.drafts(7)).toMatchObject([{ id: 3, text: 'so far' }]);
    expect(await whyNot(api.raw.sendMessageDraft({ chat_id: group.id, draft_id: 3, text: 'a' }))).toMatch(/private/);
    expect(await whyNot(api.raw.sendMessageDraft({ chat_id: 7, draft_id: 0, text: 'a' }))).toMatch(/non-zero/);
    await api.setMyCommands([{ command: 'help', description: 'What I can do' }], { language_code: 'en' });
    expect([...telegram.scene.commands]).toEqual([
      ['[{"type":"default"},"en"]', [{ command: 'help', description: 'What I can do' }]],
    ]);
    expect(await whyNot(api.setMyCommands([{ command: 'Help!', description: 'a' }]))).toMatch(/BOT_COMMAND_INVALID/);
  });

  it('get files of photos', async () => {
    await ann.photo('our flag');
    const [update] = await api.getUpdates();
    expect(update!.message).toMatchObject({ caption: 'our flag', photo: [{ width: 90 }] });
    const file = await api.getFile(update!.message!.photo![0]!.file_id);
    const answer = await fetch(`${telegram.url}/file/bot${DEFAULT_SETTINGS.token}/${file.file_path}`);
    expect((await answer.arrayBuffer()).byteLength).toBe(4);
  });
});

describe('texts of the bot', () => {
  beforeEach(async () => {
    await ann.write('hi');
  });

  it('have 1 to 4096 UTF-16 units', async () => {
    await api.sendMessage(7, 'x'.repeat(4_096));
    expect(await whyNot(api.sendMessage(7, 'x'.repeat(4_097)))).toBe('Bad Request: message is too long');
    expect(await whyNot(api.sendMessage(7, '😀'.repeat(2_049)))).toBe('Bad Request: message is too long');
    expect(await whyNot(api.sendMessage(7, ' \n'))).toBe('Bad Request: message text is empty');
    const { message_id: id } = await api.sendMessage(7, 'a');
    expect(await whyNot(api.editMessageText(7, id, 'x'.repeat(4_097)))).toBe('Bad Request: MESSAGE_TOO_LONG');
  });

  it.each([
    ['beyond the end', [['bold', 0, 9]], /ends after the end of the text/],
    ['in a character', [['bold', 2, 1]], /ends in a middle/],
    ['from within a character', [['bold', 3, 2]], /begins in a middle/],
    ['of nothing', [['bold', 0, 0]], /ENTITY_BOUNDS_INVALID/],
    ['before the beginning', [['bold', -1, 2]], /ENTITY_BOUNDS_INVALID/],
    [
      'across each other',
      [
        ['bold', 0, 4],
        ['italic', 2, 4],
      ],
      /ENTITIES_CROSS/,
    ],
    [
      'of code in bold',
      [
        ['bold', 0, 6],
        ['code', 0, 2],
      ],
      /ENTITIES_NESTED/,
    ],
    [
      'of a quote in a quote',
      [
        ['blockquote', 0, 6],
        ['blockquote', 0, 2],
      ],
      /ENTITIES_NESTED/,
    ],
    ['of an unknown kind', [['loud', 0, 1]], /unsupported type/],
    ['of a link to nowhere', [['text_link', 0, 1]], /no url/],
  ] as const)('have no entities %s', async (_what, list, why) => {
    const entities = list.map(([type, offset, length]) => ({ type, offset, length }));
    const send = api.raw.sendMessage as unknown as (params: object) => Promise<unknown>;
    expect(await whyNot(send({ chat_id: 7, text: 'ab😀cd', entities }))).toMatch(why);
    expect(await stage.violations()).toHaveLength(1);
  });

  it('keep entities that are right, moved along with the text', async () => {
    const sent = await api.sendMessage(7, ' ab😀cd\n', {
      entities: [
        { type: 'blockquote', offset: 1, length: 7 },
        { type: 'bold', offset: 3, length: 2 },
      ],
    });
    expect(sent).toMatchObject({
      text: 'ab😀cd',
      entities: [
        { type: 'blockquote', offset: 0, length: 6 },
        { type: 'bold', offset: 2, length: 2 },
      ],
    });
  });

  it.each([
    ['MarkdownV2', 'a.', /^Bad Request: can't parse entities: Character '\.' is reserved/],
    ['MarkdownV2', 'a *b', /can't parse entities: Can't find end of Bold entity at byte offset 2/],
    ['MarkdownV2', '[a](b', /can't parse entities: /],
    ['HTML', 'a <x>b</x>', /can't parse entities: Unsupported start tag "x" at byte offset 2/],
    ['HTML', '<b>a</i>', /can't parse entities: Unmatched end tag at byte offset 4, expected "<\/b>", found "<\/i>"/],
    ['HTML', '<b>a', /can't parse entities: Can't find end tag corresponding to start tag "b"/],
  ] as const)('are refused in %s that cannot be read: %s', async (parse_mode, text, why) => {
    expect(await whyNot(api.sendMessage(7, text, { parse_mode }))).toMatch(why);
  });

  it.each([
    ['MarkdownV2', '*a* _b_ `c\\`` [d](https://e.example/) \\.'],
    ['HTML', '<b>a</b> <i>b</i> <code>c`</code> <a href="https://e.example/">d</a> .'],
  ] as const)('are read as %s', async (parse_mode, text) => {
    expect(await api.sendMessage(7, text, { parse_mode })).toMatchObject({
      text: 'a b c` d .',
      entities: [
        { type: 'bold', offset: 0, length: 1 },
        { type: 'italic', offset: 2, length: 1 },
        { type: 'code', offset: 4, length: 2 },
        { type: 'text_link', offset: 7, length: 1, url: 'https://e.example/' },
      ],
    });
  });

  it('have buttons whose data is 1 to 64 bytes', async () => {
    const send = (button: object) =>
      api.sendMessage(7, 'a', { reply_markup: { inline_keyboard: [[button as { text: string; url: string }]] } });
    await send({ text: 'a', callback_data: 'ї'.repeat(32) });
    expect(await whyNot(send({ text: 'a', callback_data: 'ї'.repeat(33) }))).toBe('Bad Request: BUTTON_DATA_INVALID');
    expect(await whyNot(send({ text: 'a', callback_data: '' }))).toBe('Bad Request: BUTTON_DATA_INVALID');
    expect(await whyNot(send({ text: 'a' }))).toMatch(/Text buttons are unallowed/);
  });
});

describe('faults', () => {
  beforeEach(async () => {
    await ann.write('hi');
  });

  const failure = async (): Promise<unknown> => api.sendMessage(7, 'a').catch((error: unknown) => error);

  it('answer with 429, and remember who comes too early', async () => {
    await stage.fail({ kind: 'too-many', method: 'sendMessage', seconds: 1 });
    expect(await failure()).toMatchObject({
      error_code: 429,
      description: 'Too Many Requests: retry after 1',
      parameters: { retry_after: 1 },
    });
    expect(await stage.violations()).toEqual([]);
    // A call that was under way when the chat was told to wait is not blamed.
    const told = Date.now();
    expect(await failure()).toMatchObject({ error_code: 429 });
    expect(await stage.violations()).toEqual([]);
    await until(() => Date.now() > told + 60);
    expect(await failure()).toMatchObject({ error_code: 429 });
    expect(await stage.violations()).toEqual([expect.stringMatching(/^sendMessage in 7: \d+ ms before its time$/)]);
  });

  it.each([
    ['error-500', 'invalid-json', false],
    ['reset-before', 'system', false],
    ['reset-after', 'system', true],
  ] as const)('break a call: %s', async (kind, type, done) => {
    await stage.fail({ kind });
    const error = (await failure()) as HttpError;
    expect(error.error).toMatchObject({ type });
    expect((await stage.calls())[0]).toMatchObject({ method: 'sendMessage', fault: kind, done });
    expect(await stage.texts(7)).toHaveLength(done ? 1 : 0);
    await api.sendMessage(7, 'b');
  });

  it.each([
    ['hang-before', 0],
    ['hang-after', 1],
  ] as const)('leave a call without an answer: %s', async (kind, messages) => {
    await stage.fail({ kind, method: 'sendMessage', chat: 7 });
    const stop = new AbortController();
    const call = api.sendMessage(7, 'a', {}, stop.signal as never).catch((error: unknown) => error);
    await stage.untilCalls('sendMessage', messages);
    stop.abort();
    expect(await call).toBeInstanceOf(HttpError);
    expect(await stage.texts(7)).toHaveLength(messages);
  });

  it('spoil as many calls as they are told, of that method and that chat', async () => {
    await stage.fail({ kind: 'error-502', method: 'sendMessage', chat: 7, times: 2 });
    await api.getMe();
    expect(await failure()).toMatchObject({ error_code: 502 });
    expect(await failure()).toMatchObject({ error_code: 502 });
    expect(await failure()).toMatchObject({ text: 'a' });
    expect(await stage.counts()).toEqual({ getMe: 1, sendMessage: 3 });
  });

  it('come by chance, the same for the same seed', async () => {
    const fates = async (): Promise<boolean[]> => {
      await stage.set({ chances: { 'error-502': 0.5 }, seed: 3 });
      await stage.reset();
      const list: boolean[] = [];
      for (let call = 0; call < 12; call += 1) list.push((await failure()) instanceof GrammyError);
      return list;
    };
    const first = await fates();
    expect(new Set(first).size).toBe(2);
    expect(await fates()).toEqual(first);
  });

  it('limit calls of a chat, of a group, and of the bot', async () => {
    const group = await stage.group('DAO', { members: [ann] });
    await stage.set({ limits: { chatPerSecond: 1, chatBurst: 2 } });
    await api.sendMessage(7, 'a');
    await api.sendMessage(7, 'b');
    expect(await refusalOf(api.sendMessage(7, 'c'))).toMatchObject({ error_code: 429, parameters: { retry_after: 1 } });
    await api.sendChatAction(group.id, 'typing');
    await stage.set({ limits: { chatPerSecond: 0, groupPerMinute: 2 } });
    await api.sendMessage(group.id, 'a');
    await api.sendMessage(group.id, 'b');
    const { parameters } = await refusalOf(api.sendMessage(group.id, 'c'));
    expect(parameters.retry_after).toBeGreaterThan(50);
    await stage.set({ limits: { groupPerMinute: 0, perSecond: 3 } });
    const calls = await Promise.allSettled(Array.from({ length: 20 }, () => api.getMe()));
    expect(calls.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(20);
  });
});

describe('a stage in another process', () => {
  it('says and does the same over HTTP', async () => {
    const there = connectTelegram(telegram.url);
    const bob = await there.person(8, { first_name: 'Bob' });
    const forum = await there.supergroup('Forum', { members: [bob], topics: ['Votes'] });
    const id = await bob.write('hello', { in: forum, topic: forum.topics.Votes! });
    const answered = there.untilAnswered(forum.id, id, { topic: forum.topics.Votes!, matching: 'done$' });
    const { message_id: own } = await api.sendMessage(forum.id, '…', { message_thread_id: forum.topics.Votes! });
    await api.editMessageText(forum.id, own, 'all done');
    expect((await answered).map(({ versions }) => versions.map(({ text }) => text))).toEqual([['…', 'all done']]);
    await expect(bob.press(own, 'x', { in: forum })).rejects.toThrow('has no button x');
    await expect(there.untilCalls('getMe', 1, { withinMs: 20 })).rejects.toThrow('Not so within 20 ms');
    expect(await there.counts()).toEqual({ sendMessage: 1, editMessageText: 1 });
  });

  it('is led by its address alone', async () => {
    const child = spawn(process.execPath, [SERVE, 'telegram', '{"username":"other_bot"}']);
    try {
      const [address] = (await once(child.stdout, 'data')) as [Buffer];
      const url = address.toString().trim();
      const there = connectTelegram(url);
      await (await there.person(8)).write('hello');
      const its = new Api(DEFAULT_SETTINGS.token, { apiRoot: url });
      expect(await its.getMe()).toMatchObject({ username: 'other_bot' });
      expect((await its.getUpdates())[0]!.message).toMatchObject({ text: 'hello', from: { id: 8 } });
    } finally {
      child.kill();
    }
  });
});
