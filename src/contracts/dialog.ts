import type { Button, Place, Source } from './messenger.js';
import type { RichText } from './rich-text.js';

/** Languages in which the product itself speaks. */
export const LANGUAGES = ['uk', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/**
 * How what came in is done. `turn`: one after the other, with an answer each. `act`: at once, beside a turn. `say`: it was an
 * act, which is done, and something of it is still to be shown.
 */
export const LANES = ['turn', 'act', 'say'] as const;
export type Lane = (typeof LANES)[number];

/** Something that was attached to a message, as far as it is told. */
export const ATTACHMENTS = ['photo', 'voice', 'document', 'sticker', 'other'] as const;
export type Attachment = (typeof ATTACHMENTS)[number];

/** A message that is answered with another one. */
export interface Said {
  /** Of its row. */
  id: string;
  text: string;
}

/** What somebody did in a chat. */
export type InboundBody =
  /** A message for the bot. `text` is as it was written, a command too; empty where only something is attached. */
  | {
      kind: 'message';
      text: string;
      attachment?: Attachment;
      replyTo?: string;
      name?: string;
      /** That it is a question to a model and nothing else, whatever it looks like. */
      isQuestion?: boolean;
      /** What its author wrote right behind it and is answered with it; absent: what that is, is not decided. */
      more?: Said[];
      /** That too much waited in its chat already: nobody answers it. */
      isBeyond?: boolean;
    }
  /** A message that says something else now. Its id is the message's. */
  | { kind: 'edit'; text: string }
  | { kind: 'button'; press: string; data: string }
  /** Marks of the person on a message of the bot, as they are now. */
  | { kind: 'reaction'; marks: string[] }
  /** What has become of the bot in the chat. */
  | { kind: 'presence'; state: 'here' | 'gone' }
  /** The chat has another id now. */
  | { kind: 'moved'; to: string };

/** Something that came in from a platform, as the edge understood it. */
export interface Inbound {
  /** The platform's own id of it: the same each time it is delivered. */
  updateKey: string;
  place: Place;
  /** The group or guild that the chat is in; null: a private chat. */
  space: string | null;
  /** Id of the person, with the prefix of the platform. */
  actor: string;
  /** Language in which the person uses the platform, as it says; undefined: it does not. */
  language: string | undefined;
  lane: Exclude<Lane, 'say'>;
  /** Where it stands among what is in the chat; greater is later. Ids of some platforms are greater than numbers hold. */
  order: number | bigint;
  /** Id of the message that it is, or is about. */
  messageId: string | null;
  body: InboundBody;
}

/** Which chat, as its workflow is named. */
export interface ChatAddress {
  source: Source;
  chat: string;
  /** Empty: none. */
  topic: string;
}

/** Input of the workflow `dialog`. */
export interface DialogInput extends ChatAddress {
  version: 1;
}

/** What a look at a chat came to. */
export interface DialogStep {
  /** Whether there is more to do at once. */
  isMore: boolean;
  /** How long until something is due, in milliseconds; null: nothing is. */
  waitMs: number | null;
  /** Other lanes of the chat that are to be looked at, too. */
  wakes?: Lane[];
  /** A dialog that has grown so long that old turns are to be summed up. */
  remember?: RememberInput;
}

/** Whose turns are to be summed up: those of a chat (by its row) with a DAO. */
export interface RememberInput {
  daoId: string;
  chat: string;
}

/** Something that came in, when it is its turn. */
export interface OpenUpdate {
  id: string;
  /** Id of the chat's row. */
  chat: string;
  address: ChatAddress;
  kind: Place['kind'];
  /** Null: no DAO is its own, and none is anybody's who has none. */
  daoId: string | null;
  actor: string;
  messageId: string | null;
  body: InboundBody;
  /** Absent: nothing. */
  left?: Left;
  /** From one; greater each time its author changed it. */
  revision: number;
  /** Whether its author wants no answer any more. */
  isStopped: boolean;
  receivedAt: Date;
  /** As the platform says; null: it does not. */
  language: string | null;
  /** The one that was chosen for the chat; null: none. */
  speaks: Language | null;
  /** Whether the bot cannot write there. */
  isClosed: boolean;
  /** Whether it was taken up before, so that something of it may be done. */
  isAgain: boolean;
  /** Whether its author may be waited for with an answer there. */
  isAsked: boolean;
}

/** A message of a chat that is not answered yet. */
export interface Unanswered {
  id: string;
  actor: string;
  body: InboundBody;
  receivedAt: Date;
  /** Whether nobody has begun with it, and its author wants an answer. */
  isFree: boolean;
}

/** Why somebody was refused something. */
export interface Refused {
  code: string;
  /** The entitlement that was lacking, if it was one. */
  lacks?: string;
  /** The id of the refused request, if it came so far. */
  requestId?: string;
}

/** What a chat is shown that is there at once. */
export interface ReplyContent {
  body: RichText;
  buttons: readonly (readonly Button[])[];
  /** Of a refusal: kept for whoever asks why. */
  refused?: Refused;
}

/** What is still to be shown of an act that is done. */
export interface Left {
  /** What the message says from now on that it was about. */
  shows?: ReplyContent | undefined;
  /** What is said in the chat beside. */
  says?: ReplyContent | undefined;
}

/** A reply that is being written, by its latest writer. */
export interface Reply {
  id: string;
  daoId: string;
  /** Id of the chat's row. */
  chat: string;
  place: Place;
  /** Id of the message that it answers; null: none. */
  replyTo: string | null;
  language: Language;
  content: ReplyContent | null;
  requestId: string | null;
  /** As its how-manieth writer. */
  generation: number;
  /** Whether this is its first writer, who is known to be about to create its first message. */
  isNew: boolean;
  parts: readonly ReplyPart[];
}

/** A message of a reply. */
export interface ReplyPart {
  n: number;
  state: 'planned' | 'sending' | 'sent';
  messageId: string | null;
  /** What it shows, by its hash; null: nothing is known. */
  shown: string | null;
}

/** The chat of an address. */
export const addressOf = ({ source, chat, topic }: Place): ChatAddress => ({ source, chat, topic: topic ?? '' });
