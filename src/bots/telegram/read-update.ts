import type { Attachment, Inbound, InboundBody } from '../../contracts/dialog.js';
import type { Place } from '../../contracts/messenger.js';
import type { TelegramMessage, TelegramUpdate } from '../../schemas/telegram.js';

/** Who the bot is. */
export interface TelegramSelf {
  id: string;
  username: string;
}

/** Marks that the platform shows for a good and a bad answer are told as they are; what they mean is decided later. */
const EMOJI = 'emoji';
/** What a bot is where it cannot write any more. */
const GONE: ReadonlySet<string> = new Set(['kicked', 'left']);
/** Commands that are not to wait behind what is being answered. */
const AT_ONCE = /^\/stop(?=\s|$)/i;

const ATTACHMENTS: readonly (readonly [keyof TelegramMessage, Attachment])[] = [
  ['photo', 'photo'],
  ['voice', 'voice'],
  ['audio', 'voice'],
  ['video_note', 'voice'],
  ['sticker', 'sticker'],
  ['document', 'document'],
  ['video', 'other'],
  ['animation', 'other'],
];

type Chat = TelegramMessage['chat'];

interface Topical {
  is_topic_message?: boolean | undefined;
  message_thread_id?: string | undefined;
}

/** A chat that people write in; of a channel there is none. */
function placeOf(
  chat: Chat,
  { is_topic_message: inTopic = false, message_thread_id: topic }: Topical = {},
): Place | undefined {
  if (chat.type === 'channel') return undefined;
  const kind = chat.type === 'private' ? 'private' : 'group';
  return { source: 'tg', chat: chat.id, topic: inTopic ? (topic ?? null) : null, kind };
}

const spaceOf = (place: Place): string | null => (place.kind === 'group' ? place.chat : null);

/**
 * What an update of Telegram is to us; undefined: nothing. A message in a group is for the bot if it names it, is a command
 * that names no other, or answers one of its messages. Who writes as a chat, or is a bot, has no identity, and is not heard.
 */
export function readUpdate(update: TelegramUpdate, self: TelegramSelf): Inbound | undefined {
  const {
    message,
    edited_message: edited,
    callback_query: callback,
    my_chat_member: change,
    message_reaction: reaction,
  } = update;
  const head = { updateKey: `tg:${self.id}:${update.update_id}` };
  if (message) return readMessage(head, message, self);
  if (edited) return readEdit(head, edited, self, update.update_id);
  if (callback) return readPress(head, callback, update.update_id);
  if (change) return readChange(head, change, update.update_id);
  return reaction && readReaction(head, reaction, update.update_id);
}

type Head = Pick<Inbound, 'updateKey'>;

/** Who did something, and where. */
const by = (
  { id, language_code: language }: Pick<NonNullable<TelegramMessage['from']>, 'id' | 'language_code'>,
  head: Head,
  place: Place,
): Pick<Inbound, 'updateKey' | 'place' | 'space' | 'actor' | 'language'> => ({
  ...{ ...head, place, space: spaceOf(place), actor: `tg:${id}`, language },
});

function readMessage(head: Head, message: TelegramMessage, self: TelegramSelf): Inbound | undefined {
  const place = placeOf(message.chat, message);
  if (!place) return undefined;
  if (message.migrate_to_chat_id !== undefined) return moved(head, message, place, message.migrate_to_chat_id);
  const from = personIn(message);
  const words = wordsFor(message, self);
  if (!from || (place.kind === 'group' && !words.isForBot)) return undefined;
  const body = saidIn(message, words.text, from.first_name);
  return (
    body && {
      ...{ ...by(from, head, place), body },
      ...{ lane: AT_ONCE.test(words.text) ? 'act' : 'turn', order: message.message_id },
      messageId: String(message.message_id),
    }
  );
}

/**
 * What a message says; undefined: somebody joined, something was pinned, and nothing was said; or it is one of several photos
 * that were sent together, of which another one says what they are for.
 */
function saidIn(message: TelegramMessage, text: string, name: string | undefined): InboundBody | undefined {
  const attachment = ATTACHMENTS.find(([key]) => message[key] !== undefined)?.[1];
  const isAlone = attachment !== undefined && message.media_group_id === undefined;
  if (text === '' && !isAlone) return undefined;
  const replyTo = message.reply_to_message?.message_id;
  return {
    ...{ kind: 'message', text },
    ...(attachment !== undefined && { attachment }),
    ...(replyTo !== undefined && { replyTo }),
    ...(name !== undefined && { name }),
  };
}

function readEdit(head: Head, message: TelegramMessage, self: TelegramSelf, order: number): Inbound | undefined {
  const read = readMessage(head, message, self);
  if (read?.body.kind !== 'message') return undefined;
  return { ...read, lane: 'act', order, body: { kind: 'edit', text: read.body.text } };
}

function readPress(
  head: Head,
  press: NonNullable<TelegramUpdate['callback_query']>,
  order: number,
): Inbound | undefined {
  const { message, from, data = '' } = press;
  const place = message && placeOf(message.chat, message);
  if (!place || from.is_bot) return undefined;
  return {
    ...by(from, head, place),
    ...{ lane: 'act', order, messageId: message.message_id, body: { kind: 'button', press: press.id, data } },
  };
}

function readChange(
  head: Head,
  change: NonNullable<TelegramUpdate['my_chat_member']>,
  order: number,
): Inbound | undefined {
  const place = placeOf(change.chat);
  if (!place) return undefined;
  const { from } = change;
  const state = GONE.has(change.new_chat_member.status) ? 'gone' : 'here';
  return {
    ...by(from, head, place),
    ...{ lane: 'act', order, messageId: null, body: { kind: 'presence', state } },
  };
}

function readReaction(
  head: Head,
  reaction: NonNullable<TelegramUpdate['message_reaction']>,
  order: number,
): Inbound | undefined {
  const place = placeOf(reaction.chat);
  const { user, message_id: messageId, new_reaction: now } = reaction;
  // Whoever stays anonymous is nobody whose opinion could be written down.
  if (!place || !user || user.is_bot) return undefined;
  const marks = now.flatMap(({ type, emoji }) => (type === EMOJI && emoji !== undefined ? [emoji] : []));
  return {
    ...by(user, head, place),
    ...{ lane: 'act', order, messageId, body: { kind: 'reaction', marks } },
  };
}

function moved(head: Head, message: TelegramMessage, place: Place, to: string): Inbound {
  return {
    ...{ ...head, place, space: spaceOf(place), actor: `tg:${message.chat.id}`, language: undefined },
    ...{ lane: 'act', order: message.message_id, messageId: null, body: { kind: 'moved', to } },
  };
}

/** Who wrote a message, if it was a person under their own name. */
function personIn({
  from,
  sender_chat: asChat,
  is_automatic_forward: forwarded = false,
}: TelegramMessage): TelegramMessage['from'] {
  return asChat !== undefined || forwarded || from?.is_bot === true ? undefined : from;
}

/** What a message says without the bot's own name, and whether it is for the bot. */
function wordsFor(message: TelegramMessage, self: TelegramSelf): { text: string; isForBot: boolean } {
  const text = message.text ?? message.caption ?? '';
  const entities = message.text === undefined ? message.caption_entities : message.entities;
  const named = entities.toReversed().map((entity) => ({ entity, ...namedBy(entity, text, self) }));
  // A command at the beginning that names another bot is nothing to us, whatever it answers.
  if (named.some(({ who, entity }) => who === 'other' && entity.offset === 0)) return { text: '', isForBot: false };
  const ours = named.filter(({ who }) => who === 'us');
  const words = ours.reduce(
    (left, { entity: { offset, length }, stays }) => left.slice(0, offset) + stays + left.slice(offset + length),
    text,
  );
  return { text: words.trim(), isForBot: ours.length > 0 || message.reply_to_message?.from?.id === self.id };
}

type Entity = TelegramMessage['entities'][number];

/** Whom a marked stretch of a text names, and what stays of it where that is us. */
function namedBy(
  { type, offset, length, user }: Entity,
  text: string,
  { id, username }: TelegramSelf,
): { who: 'us' | 'other' | 'nobody'; stays: string } {
  const part = text.slice(offset, offset + length);
  const own = username.toLowerCase();
  if (type === 'bot_command') {
    const [command = '', name = own] = part.split('@');
    return { who: name.toLowerCase() === own ? 'us' : 'other', stays: command };
  }
  const isOurs = type === 'mention' ? part.toLowerCase() === `@${own}` : type === 'text_mention' && user?.id === id;
  return { who: isOurs ? 'us' : 'nobody', stays: '' };
}
