import { describe, expect, it } from '@jest/globals';
import { TelegramUpdateSchema } from '../../schemas/telegram.js';
import type { Inbound } from '../../contracts/dialog.js';
import { readUpdate } from './read-update.js';

const SELF = { id: '99', username: 'green_bot' };
const ANNA = { id: 12345, is_bot: false, first_name: 'Anna', language_code: 'uk' };
const PRIVATE = { id: 12345, type: 'private', first_name: 'Anna' };
const GROUP = { id: -4001, type: 'group', title: 'Garden' };
const FORUM = { id: -1001234567890, type: 'supergroup', title: 'Forum', is_forum: true };

/** An update as the platform sends it, read as it is by us. */
const read = (update: object): Inbound | undefined =>
  readUpdate(TelegramUpdateSchema.parse({ update_id: 1_000, ...update }), SELF);

const message = (changes: object): Inbound | undefined =>
  read({ message: { message_id: 7, date: 1_790_000_000, chat: PRIVATE, from: ANNA, ...changes } });

/** A message in a group, with what the platform marks in it. */
const inGroup = (text: string, type: string, changes: object = {}): Inbound | undefined => {
  const marked = type === 'bot_command' ? (/^\/\S+/.exec(text)?.[0] ?? '') : (/@\w+/.exec(text)?.[0] ?? '');
  const entities = marked === '' ? [] : [{ type, offset: text.indexOf(marked), length: marked.length }];
  return message({ chat: GROUP, text, entities, ...changes });
};

const textOf = (inbound: Inbound | undefined): string | undefined =>
  inbound?.body.kind === 'message' ? inbound.body.text : undefined;

describe(readUpdate.name, () => {
  it('should take a private message as it is', () => {
    expect(message({ text: 'Привіт 👋 @somebody' })).toEqual({
      updateKey: 'tg:99:1000',
      place: { source: 'tg', chat: '12345', topic: null, kind: 'private' },
      space: null,
      actor: 'tg:12345',
      language: 'uk',
      lane: 'turn',
      order: 7,
      messageId: '7',
      body: { kind: 'message', text: 'Привіт 👋 @somebody', name: 'Anna' },
    });
  });

  it('should take a photo by its caption, and tell that there was one', () => {
    const inbound = message({ photo: [{ file_id: 'f' }], caption: 'What is this?', caption_entities: [] });
    expect(inbound?.body).toEqual({ kind: 'message', text: 'What is this?', attachment: 'photo', name: 'Anna' });
    expect(message({ voice: { file_id: 'f' } })?.body).toMatchObject({ text: '', attachment: 'voice' });
    expect(message({ sticker: { file_id: 'f' } })?.body).toMatchObject({ text: '', attachment: 'sticker' });
  });

  it('should hear of photos that are sent together what one of them says', () => {
    const one = { photo: [{ file_id: 'f' }], media_group_id: '13' };
    expect(message({ ...one, caption: 'Which is ours?' })?.body).toMatchObject({
      ...{ text: 'Which is ours?', attachment: 'photo' },
    });
    expect(message(one)).toBeUndefined();
    expect(message({ ...one, photo: undefined, video: { file_id: 'f' } })).toBeUndefined();
    const reply = { reply_to_message: { message_id: 5, from: { id: 99 } } };
    expect(message({ ...one, ...reply, chat: GROUP })).toBeUndefined();
    expect(read({ edited_message: { message_id: 7, chat: PRIVATE, from: ANNA, ...one } })).toBeUndefined();
  });

  it('should not hear what nobody said', () => {
    expect(message({ new_chat_members: [ANNA] })).toBeUndefined();
    expect(message({ chat: GROUP, pinned_message: { message_id: 3 } })).toBeUndefined();
    expect(read({ poll: { id: 'p' } })).toBeUndefined();
    expect(read({ channel_post: { message_id: 3 } })).toBeUndefined();
    expect(message({ chat: { id: -1009, type: 'channel' }, text: 'news' })).toBeUndefined();
  });

  describe('in a group', () => {
    it('should hear what names it, by its name or as a reply, and nothing else', () => {
      expect(textOf(inGroup('@green_bot who may vote?', 'mention'))).toBe('who may vote?');
      expect(textOf(inGroup('tell me, @GREEN_BOT, who may vote?', 'mention'))).toBe('tell me, , who may vote?');
      expect(textOf(inGroup('and you?', 'none', { reply_to_message: { message_id: 5, from: { id: 99 } } }))).toBe(
        'and you?',
      );
      const byName = { entities: [{ type: 'text_mention', offset: 0, length: 5, user: { id: 99 } }] };
      expect(textOf(inGroup('Green what now?', 'none', byName))).toBe('what now?');
      expect(inGroup('@green_bottle what now?', 'mention')).toBeUndefined();
      expect(inGroup('who may vote?', 'none')).toBeUndefined();
      expect(inGroup('and you?', 'none', { reply_to_message: { message_id: 5, from: { id: 5 } } })).toBeUndefined();
    });

    it('should hear commands but for those of other bots', () => {
      expect(textOf(inGroup('/help', 'bot_command'))).toBe('/help');
      expect(textOf(inGroup('/vote@green_bot 12', 'bot_command'))).toBe('/vote 12');
      expect(inGroup('/vote@other_bot 12', 'bot_command')).toBeUndefined();
      const reply = { reply_to_message: { message_id: 5, from: { id: 99 } } };
      expect(inGroup('/vote@other_bot 12', 'bot_command', reply)).toBeUndefined();
    });

    it('should be heard in the space that the group is, and in its topic', () => {
      const marked = { entities: [{ type: 'mention', offset: 0, length: 10 }], text: '@green_bot hi' };
      expect(message({ chat: FORUM, is_topic_message: true, message_thread_id: 77, ...marked })).toMatchObject({
        place: { chat: '-1001234567890', topic: '77', kind: 'group' },
        space: '-1001234567890',
      });
      // Replies in a group without topics have a thread, too.
      expect(message({ chat: GROUP, message_thread_id: 77, ...marked })).toMatchObject({ place: { topic: null } });
    });
  });

  it('should not hear bots, nor who writes as a chat: nobody knows who that is', () => {
    expect(message({ text: 'hi', from: { ...ANNA, is_bot: true } })).toBeUndefined();
    expect(message({ text: 'hi', from: undefined })).toBeUndefined();
    expect(inGroup('@green_bot hi', 'mention', { sender_chat: GROUP })).toBeUndefined();
    expect(inGroup('@green_bot hi', 'mention', { is_automatic_forward: true })).toBeUndefined();
  });

  it('should do at once what must not wait: /stop, presses, edits, marks, and what becomes of the bot', () => {
    expect(message({ text: '/stop' })).toMatchObject({ lane: 'act', order: 7, body: { text: '/stop' } });
    expect(message({ text: '/stopping' })).toMatchObject({ lane: 'turn' });
    const edited = { message_id: 7, chat: PRIVATE, from: ANNA, text: 'I mean this', edit_date: 1 };
    expect(read({ edited_message: edited })).toMatchObject({
      ...{ lane: 'act', order: 1_000, messageId: '7', body: { kind: 'edit', text: 'I mean this' } },
    });
    const press = { id: 'q1', from: ANNA, message: { message_id: 9, chat: PRIVATE }, data: 'good:r1' };
    expect(read({ callback_query: press })).toMatchObject({
      ...{ lane: 'act', messageId: '9', body: { kind: 'button', press: 'q1', data: 'good:r1' } },
    });
    const marks = [
      { type: 'emoji', emoji: '👍' },
      { type: 'custom_emoji', custom_emoji_id: '5' },
    ];
    expect(read({ message_reaction: { chat: PRIVATE, message_id: 9, user: ANNA, new_reaction: marks } })).toMatchObject(
      {
        ...{ lane: 'act', messageId: '9', body: { kind: 'reaction', marks: ['👍'] } },
      },
    );
    expect(
      read({ message_reaction: { chat: GROUP, message_id: 9, actor_chat: GROUP, new_reaction: [] } }),
    ).toBeUndefined();
    const change = { chat: PRIVATE, from: ANNA, date: 1, new_chat_member: { status: 'kicked' } };
    expect(read({ my_chat_member: change })?.body).toEqual({ kind: 'presence', state: 'gone' });
    const back = { ...change, new_chat_member: { status: 'member' } };
    expect(read({ my_chat_member: back })?.body).toEqual({ kind: 'presence', state: 'here' });
    expect(message({ chat: GROUP, migrate_to_chat_id: -100777, from: ANNA })).toMatchObject({
      ...{ lane: 'act', space: '-4001', body: { kind: 'moved', to: '-100777' } },
    });
  });

  it('should not hear a press of what is too old to be told, nor in a channel', () => {
    expect(read({ callback_query: { id: 'q1', from: ANNA, data: 'x' } })).toBeUndefined();
  });
});
