import type { Chat, InlineKeyboardButton, Message, MessageEntity, User } from 'grammy/types';
import { badRequest, forbidden } from './refusal.js';

/** One state of a message. */
export interface Version {
  /** Milliseconds since 1970. */
  at: number;
  text: string;
  entities: MessageEntity[];
  buttons: InlineKeyboardButton[][];
}

/** A message in a chat, with everything that it ever said. */
export interface Told {
  id: number;
  chat: number;
  /** Id of a person; of a service message, of whoever caused it. */
  by: 'bot' | number;
  topic?: number;
  replyTo?: number;
  versions: Version[];
  deletedAt?: number;
  /** What people think of it, by their ids. */
  reactions: Record<number, string>;
  /** Id of the file of a photo; its text is the caption. */
  photo?: string;
  /** Further fields of a service message. */
  service?: Partial<Message>;
}

export type BotStatus = 'member' | 'administrator' | 'left' | 'kicked';

/** A chat as the server knows it. */
export interface FakeChat {
  id: number;
  kind: 'private' | 'group' | 'supergroup';
  title: string;
  /** Of the bot in a group; in a private chat `kicked` says that the person blocked it. */
  bot: BotStatus;
  /** Of the people in it. */
  members: Set<number>;
  /** Of a private chat: whether its person ever wrote to the bot. */
  started: boolean;
  /** Names of topics by their ids; undefined: it has none. */
  topics: Map<number, string> | undefined;
  /** In the order in which they were written. */
  messages: Map<number, Told>;
  /** When it was shown that the bot writes, in milliseconds since 1970. */
  typing: number[];
  /** Latest draft, as it was shown. */
  drafts: { at: number; id: number; text: string }[];
  movedTo?: number;
  nextId(): number;
}

const counter = (): (() => number) => {
  let last = 0;
  return () => (last += 1);
};

const seconds = (ms: number): number => Math.floor(ms / 1_000);

export interface NewMessage {
  by: 'bot' | number;
  text: string;
  entities?: MessageEntity[];
  buttons?: InlineKeyboardButton[][];
  topic?: number | undefined;
  replyTo?: number | undefined;
  photo?: string;
  service?: Partial<Message>;
}

/** People, chats and their messages, as one bot's server keeps them. */
export class World {
  readonly bot: User & { username: string };
  readonly people = new Map<number, User>();
  readonly chats = new Map<number, FakeChat>();
  /** One sequence for all private chats and basic groups of the bot. */
  private readonly sharedId = counter();
  private readonly nextGroup = counter();

  constructor(bot: User & { username: string }) {
    this.bot = bot;
  }

  /** A person, with a private chat of the same id. */
  addPerson(person: User): void {
    const { id, first_name: title } = person;
    this.people.set(id, person);
    this.addChat({ id, kind: 'private', title, bot: 'member', members: new Set([id]), nextId: this.sharedId });
  }

  /** A group without the bot in it. A supergroup counts its own messages; names of topics make it a forum. */
  addGroup(
    kind: 'group' | 'supergroup',
    title: string,
    members: readonly number[],
    topics?: readonly string[],
  ): FakeChat {
    const number = this.nextGroup();
    const id = kind === 'group' ? -(4_000_000 + number) : -(1_002_000_000_000 + number);
    const nextId = kind === 'group' ? this.sharedId : counter();
    const chat = this.addChat({ id, kind, title, bot: 'left', members: new Set(members), nextId });
    // A topic has the id of the message that opened it.
    if (topics) chat.topics = new Map(topics.map((name) => [chat.nextId(), name]));
    return chat;
  }

  chat(id: number): FakeChat {
    const chat = this.chats.get(id);
    if (!chat) throw new Error(`There is no chat ${id}`);
    return chat;
  }

  person(id: number): User {
    const person = this.people.get(id);
    if (!person) throw new Error(`There is no person ${id}`);
    return person;
  }

  /**
   * The chat that a call of the bot names, if the bot may write there.
   * @throws Refusal
   */
  reachable(id: number | string): FakeChat {
    const chat = this.chats.get(typeof id === 'number' ? id : Number(id));
    if (!chat) throw badRequest('chat not found');
    if (chat.movedTo !== undefined) {
      throw badRequest('group chat was upgraded to a supergroup chat', { migrate_to_chat_id: chat.movedTo });
    }
    if (chat.kind === 'private') {
      if (chat.bot === 'kicked') throw forbidden('bot was blocked by the user');
      if (!chat.started) throw forbidden("bot can't initiate conversation with a user");
      return chat;
    }
    if (chat.bot === 'kicked') throw forbidden(`bot was kicked from the ${chat.kind} chat`);
    if (chat.bot === 'left') throw forbidden(`bot is not a member of the ${chat.kind} chat`);
    return chat;
  }

  write(chat: FakeChat, { text, entities = [], buttons = [], ...rest }: NewMessage): Told {
    const versions = [{ at: Date.now(), text, entities, buttons }];
    const message: Told = { id: chat.nextId(), chat: chat.id, versions, reactions: {}, by: rest.by };
    for (const key of ['topic', 'replyTo', 'photo', 'service'] as const) {
      if (rest[key] !== undefined) Object.assign(message, { [key]: rest[key] });
    }
    chat.messages.set(message.id, message);
    return message;
  }

  /** A message as the bot's side sees it, with the one that it answers. */
  toMessage(told: Told, depth = 1): Message {
    const chat = this.chat(told.chat);
    const first = told.versions[0];
    const last = told.versions.at(-1);
    if (!first || !last) throw new Error('A message without a version');
    const answered = told.replyTo === undefined || depth === 0 ? undefined : chat.messages.get(told.replyTo);
    return {
      message_id: told.id,
      date: seconds(first.at),
      chat: this.toChat(chat),
      from: told.by === 'bot' ? this.bot : this.person(told.by),
      ...(told.versions.length > 1 && { edit_date: seconds(last.at) }),
      ...(told.topic !== undefined && { message_thread_id: told.topic, is_topic_message: true }),
      ...(answered && { reply_to_message: this.toMessage(answered, 0) as NonNullable<Message['reply_to_message']> }),
      ...said(told, last),
      ...(last.buttons.length > 0 && { reply_markup: { inline_keyboard: last.buttons } }),
      ...told.service,
    };
  }

  toChat({ id, kind, title, topics }: FakeChat): Exclude<Chat, Chat.ChannelChat> {
    if (kind === 'group') return { id, type: 'group', title };
    if (kind === 'supergroup') return { id, type: 'supergroup', title, ...(topics && { is_forum: true as const }) };
    const { first_name, username } = this.person(id);
    return { id, type: 'private', first_name, ...(username !== undefined && { username }) };
  }

  private addChat(chat: Pick<FakeChat, 'id' | 'kind' | 'title' | 'bot' | 'members' | 'nextId'>): FakeChat {
    const whole = { ...chat, started: false, topics: undefined, messages: new Map(), typing: [], drafts: [] };
    this.chats.set(chat.id, whole);
    return whole;
  }
}

function said({ photo, service }: Told, { text, entities }: Version): Partial<Message> {
  if (service) return {};
  const marks = entities.length > 0;
  if (photo === undefined) return { text, ...(marks && { entities }) };
  const size = { file_id: photo, file_unique_id: `u${photo}`, width: 90, height: 90, file_size: 4 };
  return { photo: [size], ...(text && { caption: text }), ...(text && marks && { caption_entities: entities }) };
}
