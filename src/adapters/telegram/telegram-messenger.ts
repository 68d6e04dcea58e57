import type { InlineKeyboardMarkup, MessageEntity } from 'grammy/types';
import { z } from 'zod';
import type { Button, Messenger, OutgoingMessage, Place } from '../../contracts/messenger.js';
import type { RichText } from '../../contracts/rich-text.js';
import { cutText } from '../../contracts/text.js';
import { DeliveryError, type DeliveryProblem } from '../../errors/delivery-error.js';
import type { Turn } from './pace.js';
import { expected, type TelegramBotApi } from './telegram-bot-api.js';
import { isTooLate, isUnchanged } from './translate.js';

/** A stretch of a text as the platform takes it. */
interface TextEntity {
  type: string;
  offset: number;
  length: number;
  url?: string;
  language?: string;
}

/** How texts are written for this platform; it is no adapter's to know. */
export interface TelegramWording {
  /** Marks as entities, within the platform's rules for them. */
  entitiesOf(body: RichText): readonly TextEntity[];
  split(body: RichText): RichText[];
}

/** So that an edit seldom waits, and something else can be written in between; in milliseconds. */
const EDIT_EVERY_MS = { private: 1_500, group: 5_000 } as const;
/** Longest text that is shown for a press, in UTF-16 units. */
const LONGEST_NOTICE = 200;
/** Most messages that are touched in search of a stray one, and when the search is given up, in milliseconds. */
const MOST_PROBES = 8;
const SEARCH_MS = 10_000;
/** A group has room for a call each four seconds. */
const PROBE_PATIENCE_MS = 5_000;

const NOT_OURS: readonly DeliveryProblem[] = ['missing', 'refused'];

const Sent = z.object({ message_id: z.int() });

/** An id as the platform takes it. */
function numberOf(id: string, what: string): number {
  const number = Number(id);
  if (id !== '' && Number.isSafeInteger(number)) return number;
  throw new DeliveryError('refused', `this is no id of a ${what} of Telegram`);
}

const topicOf = ({ topic }: Place): { message_thread_id?: number } =>
  topic === null ? {} : { message_thread_id: numberOf(topic, 'topic') };

const keyboard = (rows: readonly (readonly Button[])[]): { reply_markup?: InlineKeyboardMarkup } =>
  rows.length === 0
    ? {}
    : {
        reply_markup: {
          inline_keyboard: rows.map((row) => row.map(({ label, press }) => ({ text: label, callback_data: press }))),
        },
      };

/** An edit that is as good as done when the message says this already. */
const unlessUnchanged = (edit: Promise<unknown>): Promise<unknown> =>
  edit.catch((error: unknown) => {
    if (!isUnchanged(error)) throw error;
  });

/** Messages in Telegram, written as text and entities: nothing is to be escaped, and nothing can be read wrongly. */
export class TelegramMessenger implements Messenger {
  constructor(
    private readonly api: TelegramBotApi,
    private readonly wording: TelegramWording,
  ) {}

  editEveryMs({ kind }: Place): number {
    return EDIT_EVERY_MS[kind];
  }

  split(body: RichText): RichText[] {
    return this.wording.split(body);
  }

  /** The platform cannot tell that a message is sent once more: see `removeStray`. */
  async create(place: Place, { replyTo, ...message }: OutgoingMessage, _key: string): Promise<string> {
    const chatId = numberOf(place.chat, 'chat');
    const reply = replyTo === undefined ? undefined : numberOf(replyTo, 'message');
    const asked = {
      ...{ chat_id: chatId, ...topicOf(place), ...this.written(message) },
      ...(reply !== undefined && { reply_parameters: { message_id: reply, allow_sending_without_reply: true } }),
    };
    const sent = await this.api.call('sendMessage', { place }, (raw, signal) => raw.sendMessage(asked, signal));
    return String(expected('sendMessage', Sent, sent).message_id);
  }

  async edit(place: Place, id: string, message: Omit<OutgoingMessage, 'replyTo'>): Promise<void> {
    const which = { chat_id: numberOf(place.chat, 'chat'), message_id: numberOf(id, 'message') };
    const asked = { ...which, ...this.written(message) };
    await this.api.call('editMessageText', { place }, (raw, signal) =>
      unlessUnchanged(raw.editMessageText(asked, signal)),
    );
  }

  async typing(place: Place): Promise<void> {
    const asked = { chat_id: numberOf(place.chat, 'chat'), action: 'typing' as const, ...topicOf(place) };
    await this.api.call('sendChatAction', { place, light: true }, (raw, signal) => raw.sendChatAction(asked, signal));
  }

  /**
   * Touches the messages just below one that we know, with an edit that changes nothing. Only a message of ours survives
   * that, and ours that nobody knows is the stray one. One that has buttons loses them: it is deleted anyhow.
   */
  async removeStray(place: Place, near: string, known: ReadonlySet<string>): Promise<boolean> {
    const until = Date.now() + SEARCH_MS;
    try {
      const chat = numberOf(place.chat, 'chat');
      for (const id of idsBelow(numberOf(near, 'message'), known)) {
        if (Date.now() > until) return false;
        if (!(await this.isOurs(place, chat, id))) continue;
        await this.probe('deleteMessage', place, (raw, signal) =>
          raw.deleteMessage({ chat_id: chat, message_id: id }, signal),
        );
        return true;
      }
      return false;
    } catch (error) {
      // A message too many is no reason for the reply to fail.
      if (error instanceof DeliveryError) return false;
      throw error;
    }
  }

  async heard(press: string, text?: string): Promise<void> {
    const asked = { callback_query_id: press, ...(text !== undefined && { text: cutText(text, LONGEST_NOTICE) }) };
    await this.api.call('answerCallbackQuery', {}, (raw, signal) =>
      raw.answerCallbackQuery(asked, signal).catch((error: unknown) => {
        if (!isTooLate(error)) throw error;
      }),
    );
  }

  private written({ body, buttons }: Omit<OutgoingMessage, 'replyTo'>) {
    return {
      text: body.text,
      entities: this.wording.entitiesOf(body) as MessageEntity[],
      link_preview_options: { is_disabled: true },
      ...keyboard(buttons),
    };
  }

  private async isOurs(place: Place, chat: number, id: number): Promise<boolean> {
    try {
      await this.probe('editMessageReplyMarkup', place, (raw, signal) =>
        unlessUnchanged(raw.editMessageReplyMarkup({ chat_id: chat, message_id: id }, signal)),
      );
      return true;
    } catch (error) {
      // Whatever the platform says about the message itself: it is not one of ours.
      if (error instanceof DeliveryError && NOT_OURS.includes(error.problem)) return false;
      throw error;
    }
  }

  private probe(method: string, place: Place, send: Parameters<TelegramBotApi['call']>[2]): Promise<unknown> {
    const turn: Turn = { place, patienceMs: PROBE_PATIENCE_MS };
    return this.api.call(method, turn, send);
  }
}

/** Ids below one, from the top, without those that are known; only so many. */
function* idsBelow(near: number, known: ReadonlySet<string>): Generator<number> {
  let left = MOST_PROBES;
  for (let id = near - 1; id > 0 && left > 0; id -= 1) {
    if (known.has(String(id))) continue;
    left -= 1;
    yield id;
  }
}
