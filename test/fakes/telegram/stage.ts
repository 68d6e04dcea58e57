import type { Update, User } from 'grammy/types';
import type { Awaited, CallRecord, Command, Commands, NewGroup, TelegramDriver } from './commands.js';
import type { CallFault, SettingsChange } from './settings.js';
import type { UpdateFault } from './updates.js';
import type { BotStatus, Told } from './world.js';

/** Where in a chat; absent: the private chat with the bot. */
export interface Where {
  in?: Group | number;
  topic?: number;
  replyTo?: number;
}

const placeOf = (person: number, { in: chat = person, topic, replyTo }: Where) => ({
  ...{ person, chat: typeof chat === 'number' ? chat : chat.id },
  ...(topic !== undefined && { topic }),
  ...(replyTo !== undefined && { replyTo }),
});

/** Somebody who talks to the bot. The private chat has the id of the person. */
export class Person {
  readonly id: number;
  private readonly driver: TelegramDriver;

  constructor(driver: TelegramDriver, id: number) {
    this.driver = driver;
    this.id = id;
  }

  /** @returns id of the message */
  write(text: string, where: Where = {}): Promise<number> {
    return this.driver.act('write', { ...placeOf(this.id, where), text });
  }

  async edit(id: number, text: string, where: Where = {}): Promise<void> {
    await this.driver.act('rewrite', { ...placeOf(this.id, where), id, text });
  }

  /** @returns id of the message */
  photo(caption?: string, where: Where = {}): Promise<number> {
    return this.driver.act('photo', { ...placeOf(this.id, where), ...(caption !== undefined && { text: caption }) });
  }

  /**
   * Presses a button, named by its label or its data, under a message of the bot.
   * @returns id of the press
   */
  press(id: number, button: string, where: Where = {}): Promise<string> {
    return this.driver.act('press', { ...placeOf(this.id, where), id, button });
  }

  /** @param emoji null: takes it away */
  async react(id: number, emoji: string | null, where: Where = {}): Promise<void> {
    await this.driver.act('react', { ...placeOf(this.id, where), id, emoji });
  }

  async block(): Promise<void> {
    await this.driver.act('block', { person: this.id, blocked: true });
  }

  async unblock(): Promise<void> {
    await this.driver.act('block', { person: this.id, blocked: false });
  }
}

/** A group, and its topics by their names. */
export class Group {
  readonly id: number;
  readonly topics: Readonly<Record<string, number>>;
  private readonly driver: TelegramDriver;

  constructor(driver: TelegramDriver, id: number, topics: Readonly<Record<string, number>> = {}) {
    this.driver = driver;
    this.id = id;
    this.topics = topics;
  }

  /** Somebody of the group adds the bot, names it an administrator, or removes it. */
  async bot(status: BotStatus, by: Person): Promise<void> {
    await this.driver.act('bot', { person: by.id, chat: this.id, status });
  }

  /** @returns the supergroup that it became */
  async migrate(): Promise<Group> {
    return new Group(this.driver, await this.driver.act('migrate', { chat: this.id }));
  }
}

/** Options of a group. */
export interface GroupOptions {
  members: readonly Person[];
  topics?: string[];
  /** What the bot is in it from the beginning; `member` if absent. */
  bot?: BotStatus;
}

/** How long somebody waits, in milliseconds. */
interface Patience {
  withinMs?: number;
}

type AnswerOptions = Patience & Omit<Extract<Awaited, { what: 'answered' }>, 'what' | 'chat' | 'after'>;

/** People, groups, faults and everything that was seen: the same in the fake's process and from another one. */
export class TelegramStage {
  private readonly driver: TelegramDriver;

  constructor(driver: TelegramDriver) {
    this.driver = driver;
  }

  async person(id: number, facts: Partial<User> = {}): Promise<Person> {
    await this.driver.act('person', { ...facts, id });
    return new Person(this.driver, id);
  }

  /** A basic group. */
  group(title: string, options: GroupOptions): Promise<Group> {
    return this.newGroup('group', title, options);
  }

  /** A supergroup; with topics it is a forum. */
  supergroup(title: string, options: GroupOptions): Promise<Group> {
    return this.newGroup('supergroup', title, options);
  }

  /** Removes a message for everybody, which a bot is not told of. */
  async erase(chat: number, id: number): Promise<void> {
    await this.driver.act('erase', { chat, id });
  }

  /** Hands an update over as it is. */
  async put(update: Update, chat: number): Promise<void> {
    await this.driver.act('put', { update, chat });
  }

  async set(settings: SettingsChange): Promise<void> {
    await this.driver.act('set', settings);
  }

  /** The next calls go wrong, one fault after the other. */
  async fail(...faults: CallFault[]): Promise<void> {
    await this.driver.act('fail', { faults });
  }

  /** The next updates go wrong, one fault after the other. */
  async spoil(...faults: UpdateFault[]): Promise<void> {
    await this.driver.act('spoil', { faults });
  }

  /** Forgets calls, violations and faults; people and chats stay. */
  async reset(): Promise<void> {
    await this.driver.act('reset', {});
  }

  /** Messages of a chat in their order, each with everything that it ever said. */
  transcript(chat: number): Promise<Told[]> {
    return this.driver.act('transcript', { chat });
  }

  /** What the bot's messages in a chat say now; what was deleted is not there. */
  async texts(chat: number): Promise<string[]> {
    const told = await this.transcript(chat);
    const left = told.filter(({ by, deletedAt }) => by === 'bot' && deletedAt === undefined);
    return left.map(({ versions }) => versions.at(-1)?.text ?? '');
  }

  /** When it was shown in a chat that the bot writes, in milliseconds since 1970. */
  typing(chat: number): Promise<number[]> {
    return this.driver.act('typing', { chat });
  }

  drafts(chat: number): Promise<Commands['drafts']['out']> {
    return this.driver.act('drafts', { chat });
  }

  calls(filter: Commands['calls']['in'] = {}): Promise<CallRecord[]> {
    return this.driver.act('calls', filter);
  }

  /** Calls by method, whatever became of them. */
  counts(): Promise<Record<string, number>> {
    return this.driver.act('counts', {});
  }

  /** Everything that no bot should do: calls of a wrong form, calls before their time, answers to webhooks. */
  violations(): Promise<string[]> {
    return this.driver.act('violations', {});
  }

  /** Attempts to hand updates to the webhook. */
  deliveries(): Promise<Commands['deliveries']['out']> {
    return this.driver.act('deliveries', {});
  }

  /** Waits for messages of the bot behind another one. @returns those messages, as they are then */
  untilAnswered(chat: number, after: number, options: AnswerOptions = {}): Promise<Told[]> {
    return this.driver.act('wait', { what: 'answered', chat, after, ...options });
  }

  /** Waits until the bot has taken all updates. */
  async untilDelivered(patience: Patience = {}): Promise<void> {
    await this.driver.act('wait', { what: 'delivered', ...patience });
  }

  /** Waits until so many calls of a method were done. */
  async untilCalls(method: string, count: number, patience: Patience = {}): Promise<void> {
    await this.driver.act('wait', { what: 'calls', method, count, ...patience });
  }

  /** Waits until the bot has answered a press. */
  async untilHeard(press: string, patience: Patience = {}): Promise<void> {
    await this.driver.act('wait', { what: 'heard', press, ...patience });
  }

  private async newGroup(kind: NewGroup['kind'], title: string, options: GroupOptions): Promise<Group> {
    const { members, topics, bot = 'member' } = options;
    const group = { kind, title, members: members.map(({ id }) => id), bot, ...(topics && { topics }) };
    const made = await this.driver.act('group', group);
    return new Group(this.driver, made.id, made.topics);
  }
}

/** The stage of a fake that runs in another process. @param url its address */
export function connectTelegram(url: string): TelegramStage {
  return new TelegramStage({
    act: async <C extends Command>(command: C, input: Commands[C]['in']): Promise<Commands[C]['out']> => {
      const answer = await fetch(`${url}/control/${command}`, { method: 'POST', body: JSON.stringify(input) });
      if (!answer.ok) throw new Error(await answer.text());
      return (await answer.json()) as Commands[C]['out'];
    },
  });
}
