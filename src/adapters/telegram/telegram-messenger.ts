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
/** A group has room for a call each four seconds. */
const PROBE_PATIENCE_MS = 5_000;
/** In a group the next turn may be four seconds away: whoever left the line would have to come back for it. */
const GROUP_PATIENCE_MS = 9_000;

const NOT_OURS: readonly DeliveryProblem[] = ['missing', 'refused'];

const Sent = z.object({ message_id: z.int() });
const Rulers = z.array(z.object({ user: z.object({ id: z.int() }) }));

/** An id as the platform takes it. */
function numberOf(id: string, what: string): number {
  const number = Number(id);
  if (id !== '' && Number.isSafeInteger(number)) return number;
  throw new DeliveryError('refused', `this is no id of a ${what} of Telegram`);
}

const turnIn = (place: Place): Turn => ({ place, ...(place.kind === 'group' && { patienceMs: GROUP_PATIENCE_MS }) });

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

  /** The platform cannot tell that a message is sent once more. */
  async create(place: Place, { replyTo, ...message }: OutgoingMessage, _key: string): Promise<string> {
    const chatId = numberOf(place.chat, 'chat');
    const reply = replyTo === undefined ? undefined : numberOf(replyTo, 'message');
    const asked = {
      ...{ chat_id: chatId, ...topicOf(place), ...this.written(message) },
      ...(reply !== undefined && { reply_parameters: { message_id: reply, allow_sending_without_reply: true } }),
    };
    const sent = await this.api.call('sendMessage', turnIn(place), (raw, signal) => raw.sendMessage(asked, signal));
    return String(expected('sendMessage', Sent, sent).message_id);
  }

  async edit(place: Place, id: string, message: Omit<OutgoingMessage, 'replyTo'>, isDraft = false): Promise<void> {
    const which = { chat_id: numberOf(place.chat, 'chat'), message_id: numberOf(id, 'message') };
    const asked = { ...which, ...this.written(message) };
    const turn: Turn = isDraft ? { place, patienceMs: 0 } : turnIn(place);
    await this.api.call('editMessageText', turn, (raw, signal) => unlessUnchanged(raw.editMessageText(asked, signal)));
  }

  async typing(place: Place): Promise<void> {
    const asked = { chat_id: numberOf(place.chat, 'chat'), action: 'typing' as const, ...topicOf(place) };
    await this.api.call('sendChatAction', { place, light: true }, (raw, signal) => raw.sendChatAction(asked, signal));
  }

  /**
   * Touched with a change of its buttons to none: only a message of ours survives that. One that has buttons loses them,
   * so this is asked of those alone that are to be removed.
   */
  async isOurs(place: Place, id: string): Promise<boolean> {
    const which = { chat_id: numberOf(place.chat, 'chat'), message_id: numberOf(id, 'message') };
    try {
      await this.probe('editMessageReplyMarkup', place, (raw, signal) =>
        unlessUnchanged(raw.editMessageReplyMarkup(which, signal)),
      );
      return true;
    } catch (error) {
      // Whatever the platform says about the message itself: it is not one of ours.
      if (error instanceof DeliveryError && NOT_OURS.includes(error.problem)) return false;
      throw error;
    }
  }

  async remove(place: Place, id: string): Promise<void> {
    const which = { chat_id: numberOf(place.chat, 'chat'), message_id: numberOf(id, 'message') };
    try {
      await this.probe('deleteMessage', place, (raw, signal) => raw.deleteMessage(which, signal));
    } catch (error) {
      if (!(error instanceof DeliveryError) || !NOT_OURS.includes(error.problem)) throw error;
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

  /** Asked of the list: about one person a bot may ask for certain only where it is an administrator itself. */
  async rules(place: Place, user: string): Promise<boolean> {
    const asked = { chat_id: numberOf(place.chat, 'chat') };
    const told = await this.api.call('getChatAdministrators', {}, (raw, signal) =>
      raw.getChatAdministrators(asked, signal),
    );
    return expected('getChatAdministrators', Rulers, told).some((one) => `${place.source}:${one.user.id}` === user);
  }

  private written({ body, buttons }: Omit<OutgoingMessage, 'replyTo'>) {
    return {
      text: body.text,
      entities: this.wording.entitiesOf(body) as MessageEntity[],
      link_preview_options: { is_disabled: true },
      ...keyboard(buttons),
    };
  }

  private probe(method: string, place: Place, send: Parameters<TelegramBotApi['call']>[2]): Promise<unknown> {
    const turn: Turn = { place, patienceMs: PROBE_PATIENCE_MS };
    return this.api.call(method, turn, send);
  }
}
