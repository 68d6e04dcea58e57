import type { Language } from './dialog.js';

/** What a conversation in a chat is about beside its messages. */

/** Commands of chats, in the order in which they are told. */
export const COMMAND_NAMES = [
  ...([
    'help',
    'dao',
    'role',
    'onboard',
    'proposals',
    'vote',
    'propose',
    'review',
    'decompose',
    'code_review',
  ] as const),
  ...(['status', 'why', 'cost', 'stop', 'notify', 'language', 'link', 'start'] as const),
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** Commands as the menu of a platform shows them. */
export interface CommandMenu {
  /** Null: for everybody whose language we do not speak. */
  language: Language | null;
  commands: readonly { command: CommandName; description: string }[];
}

/** What somebody thinks of an answer. */
export const MARKS = ['good', 'bad'] as const;
export type Mark = (typeof MARKS)[number];

/** What may be wrong with an answer. */
export const COMPLAINTS = ['facts', 'unclear', 'long', 'other'] as const;
export type Complaint = (typeof COMPLAINTS)[number];

/** What somebody was asked, and what is made of the answer. */
export type Asks =
  /** The title of a proposal. */
  | { kind: 'title' }
  /** What a proposal says that has this title. */
  | { kind: 'text'; title: string }
  /** For which proposal a command is meant. */
  | { kind: 'which'; command: CommandName }
  /** What was wrong with an answer. */
  | { kind: 'complaint'; requestId: string }
  /** What is to be done better in what a run asks about, or the answer to its question. */
  | { kind: 'gate'; runId: string; gate: string; revision: number; decision: 'return' | 'answer' };

/** Something that was offered to be begun. */
export interface Offer {
  id: string;
  command: string;
  args: string;
  /** What it was understood from. */
  said: string;
}

/** Words that mean a command. */
export interface Intent {
  command: CommandName;
  /** RE2 patterns, each of a whole message. */
  patterns: readonly string[];
  /** What stands behind the command: `{name}` is what a group of this name matched. */
  args: string;
  /** Longest message that is looked at, in characters. */
  maxLength: number;
}

/** Words that mean commands, and words beside them that mean nothing. */
export interface Wording {
  intents: readonly Intent[];
  /** Left out at the beginning and at the end of a message. */
  fillers: readonly string[];
}
