import type { InlineKeyboardButton, MessageEntity, Opts } from 'grammy/types';
import { checkEntities, trimmed } from './entities.js';
import type { Marked } from './entities.js';
import { readMarkup } from './markup.js';
import { badRequest, malformed } from './refusal.js';
import type { FakeChat, Told } from './world.js';

/** In UTF-16 units, which is the strictest reading of "characters". */
const MOST_TEXT = 4_096;
const MOST_DATA_BYTES = 64;
/** What of a button is no action. */
const LOOKS = ['text', 'icon_custom_emoji_id', 'style'];
const NO_ACTION = "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard";

interface Wording {
  text?: string | undefined;
  parse_mode?: string | undefined;
  entities?: readonly MessageEntity[] | undefined;
}

/**
 * What a message of the bot will say.
 * @param tooLong how the method calls a text that is
 * @throws Refusal
 */
export function wordingOf({ text = '', parse_mode: mode, entities }: Wording, tooLong = 'message is too long'): Marked {
  if (mode !== undefined && entities !== undefined) throw malformed('parse_mode and entities at once');
  if (entities) checkEntities(text, entities);
  const marked = trimmed(mode === undefined ? { text, entities: [...(entities ?? [])] } : readMarkup(text, mode));
  if (marked.text.length > MOST_TEXT) throw malformed(tooLong);
  return marked;
}

/** Buttons under a message, each with one action and data that fits. */
export function buttonsOf(markup: Opts<'sendMessage'>['reply_markup']): InlineKeyboardButton[][] {
  if (!markup || !('inline_keyboard' in markup)) return [];
  for (const button of markup.inline_keyboard.flat()) {
    const actions = Object.keys(button).filter((name) => !LOOKS.includes(name));
    if (button.text === '' || actions.length !== 1) throw malformed(NO_ACTION);
    const bytes = 'callback_data' in button ? Buffer.byteLength(button.callback_data) : 1;
    if (bytes < 1 || bytes > MOST_DATA_BYTES) throw malformed('BUTTON_DATA_INVALID');
  }
  return markup.inline_keyboard;
}

/** The topic that a message goes to. */
export function topicOf(chat: FakeChat, topic: number | undefined): number | undefined {
  if (topic !== undefined && !chat.topics?.has(topic)) throw badRequest('message thread not found');
  return topic;
}

/** The message that one answers; undefined: none, or one that is gone where that is allowed. */
export function repliedOf(chat: FakeChat, reply: Opts<'sendMessage'>['reply_parameters']): number | undefined {
  if (!reply) return undefined;
  if (reply.message_id === undefined) throw malformed("can't parse reply parameters: no message_id");
  const found = chat.messages.get(reply.message_id);
  if (found && found.deletedAt === undefined) return found.id;
  if (reply.allow_sending_without_reply) return undefined;
  throw badRequest('message to be replied not found');
}

/** A message of the bot that it may change. */
export function editable(chat: FakeChat, id: number): Told {
  const told = chat.messages.get(id);
  if (!told || told.deletedAt !== undefined) throw badRequest('message to edit not found');
  if (told.by !== 'bot' || told.service) throw badRequest("message can't be edited");
  return told;
}

const NOT_MODIFIED =
  'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message';

/** Adds a version to a message. */
export function change(told: Told, next: Marked & { buttons: InlineKeyboardButton[][] }): void {
  const last = told.versions.at(-1);
  const { text, entities, buttons } = next;
  const isSame =
    JSON.stringify([last?.text, last?.entities, last?.buttons]) === JSON.stringify([text, entities, buttons]);
  if (isSame) throw badRequest(NOT_MODIFIED);
  told.versions.push({ at: Date.now(), text, entities, buttons });
}
