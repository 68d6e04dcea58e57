import type { Update, User } from 'grammy/types';
import type { CallFault, SettingsChange } from './settings.js';
import type { UpdateFault } from './updates.js';
import type { BotStatus, Told } from './world.js';

/** Where a person does something: a chat, and a message or a topic in it. */
export interface Deed {
  person: number;
  chat: number;
}

export interface Writing {
  text: string;
  replyTo?: number;
  topic?: number;
}

export interface NewGroup {
  kind: 'group' | 'supergroup';
  title: string;
  /** Ids of people; the first brings the bot. */
  members: number[];
  /** Names of topics; the group is a forum then. */
  topics?: string[];
  /** What the bot is in it; `left`: not there yet. */
  bot: BotStatus;
}

/** A call of the bot, and what became of it. */
export interface CallRecord {
  at: number;
  method: string;
  chat: number | undefined;
  params: Readonly<Record<string, unknown>>;
  /** HTTP status; 0: none. */
  status: number;
  /** Whether it was done, answered or not. */
  done: boolean;
  fault?: string;
}

/** What somebody waits for. */
export type Awaited =
  /** Messages of the bot behind another one, in the same topic if there is one. */
  | {
      what: 'answered';
      chat: number;
      after: number;
      topic?: number;
      /** How many; 1 if absent. */
      count?: number;
      /** A pattern for the latest text of each; absent: anything but a lone "…". */
      matching?: string;
    }
  /** All updates were taken by the bot. */
  | { what: 'delivered' }
  /** So many calls of a method that were done. */
  | { what: 'calls'; method: string; count: number }
  /** A press was answered. */
  | { what: 'heard'; press: string };

/** What can be asked of a fake, in its process or from another: what goes in, what comes out. All of it is JSON. */
export interface Commands {
  person: { in: Partial<User> & { id: number }; out: null };
  group: { in: NewGroup; out: { id: number; topics: Record<string, number> } };
  bot: { in: Deed & { status: BotStatus }; out: null };
  write: { in: Deed & Writing; out: number };
  rewrite: { in: Deed & { id: number; text: string }; out: null };
  photo: { in: Deed & Partial<Writing>; out: number };
  /** By its label, or by its data. */
  press: { in: Deed & { id: number; button: string }; out: string };
  /** Null: none any more. */
  react: { in: Deed & { id: number; emoji: string | null }; out: null };
  /** Removes a message for everybody, which a bot is not told of. */
  erase: { in: { chat: number; id: number }; out: null };
  block: { in: { person: number; blocked: boolean }; out: null };
  migrate: { in: { chat: number }; out: number };
  /** Hands an update over as it is. */
  put: { in: { update: Update; chat: number }; out: null };
  set: { in: SettingsChange; out: null };
  fail: { in: { faults: CallFault[] }; out: null };
  spoil: { in: { faults: UpdateFault[] }; out: null };
  /** Forgets calls, violations and faults; people and chats stay. */
  reset: { in: object; out: null };
  transcript: { in: { chat: number }; out: Told[] };
  typing: { in: { chat: number }; out: number[] };
  drafts: { in: { chat: number }; out: { at: number; id: number; text: string }[] };
  calls: { in: { method?: string; chat?: number }; out: CallRecord[] };
  counts: { in: object; out: Record<string, number> };
  violations: { in: object; out: string[] };
  deliveries: {
    in: object;
    out: { at: number; update: number; chat: number; status: number; ms: number; body: string }[];
  };
  wait: { in: Awaited & { withinMs?: number }; out: Told[] };
}
export type Command = keyof Commands;

/** Whoever carries commands to a fake. */
export interface TelegramDriver {
  act<C extends Command>(command: C, input: Commands[C]['in']): Promise<Commands[C]['out']>;
}
