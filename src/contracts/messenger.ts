import type { RichText } from './rich-text.js';

/** Platforms with a bot: the prefix that ids of their people carry, and the name that rules of routing know them by. */
export const PLATFORMS = { tg: 'telegram', dc: 'discord' } as const;
export type Source = keyof typeof PLATFORMS;

/** Where a message is, or is to be. */
export interface Place {
  source: Source;
  /** Id of the chat, or of the channel, as the platform gives it. */
  chat: string;
  /** Id of the topic in it; null: none. */
  topic: string | null;
  kind: 'private' | 'group';
}

/** A button under a message. */
export interface Button {
  label: string;
  /** What comes back when it is pressed: at most 64 bytes of UTF-8. */
  press: string;
}

/** A message to be shown. */
export interface OutgoingMessage {
  /** Within the platform's limit: see `Messenger.split`. */
  body: RichText;
  /** Rows of buttons; empty: none. */
  buttons: readonly (readonly Button[])[];
  /** Id of the message that it answers; absent: none. One that is gone is no reason not to send it. */
  replyTo?: string;
}

/**
 * A platform, as far as replies need it. All but `split` throw `DeliveryError`, and wait for their turn in front of the
 * platform's limits as long as that is short.
 */
export interface Messenger {
  /** Least time between two edits of a message that is being written, in milliseconds. */
  editEveryMs(place: Place): number;
  /** A text in pieces that each fit in one message, cut at sensible places; at least one. */
  split(body: RichText): RichText[];
  /**
   * Creates a message.
   * @param key the same for the same message, for platforms that can tell
   * @returns the platform's id of it
   */
  create(place: Place, message: OutgoingMessage, key: string): Promise<string>;
  /**
   * Changes a message. One that says this already is left as it is. A draft does not wait for its turn: there is another
   * one soon.
   */
  edit(place: Place, id: string, message: Omit<OutgoingMessage, 'replyTo'>, isDraft?: boolean): Promise<void>;
  /** Shows for a few seconds that something is being written. */
  typing(place: Place): Promise<void>;
  /** Whether a message is the bot's own: tried with a change that changes nothing. False where it cannot be told. */
  isOurs(place: Place, id: string): Promise<boolean>;
  /** Removes a message of the bot's. One that is gone is no error. */
  remove(place: Place, id: string): Promise<void>;
  /** Tells the platform that a press was heard, and shows its person a short text, if there is one. */
  heard(press: string, text?: string): Promise<void>;
  /**
   * Whether a person rules a group on its platform. Absent: the platform itself asks that where it matters.
   * @param user id of the person, with the prefix of the platform
   */
  rules?(place: Place, user: string): Promise<boolean>;
  /**
   * Takes away what the platform shows until an answer comes, where none will. Absent: it shows nothing.
   * @param key id of the reply that will not be
   */
  unanswered?(key: string): Promise<void>;
}
