import type { ChatAddress, Language } from './dialog.js';
import type { Place } from './messenger.js';

/** What news is about, as people choose what they want to hear of. */
export const TOPICS = ['approvals', 'runs', 'proposals', 'membership'] as const;
export type Topic = (typeof TOPICS)[number];

/** What happened, with where that is found. Who is named is named as a member, never by the id of a platform. */
export type NewsItem =
  | { kind: 'gate_asked' | 'gate_reminded' | 'gate_expired'; data: { run: string; gate: string } }
  | { kind: 'run_ended'; data: { run: string } }
  | {
      kind: 'proposal_opened' | 'proposal_reminder' | 'proposal_closed' | 'proposal_vetoed' | 'proposal_failed';
      data: { n: number };
    }
  | { kind: 'role_given'; data: { member: string; role: string } }
  | { kind: 'invitation_redeemed'; data: { by: string; member: string; roles: string[] } };
export type NewsKind = NewsItem['kind'];

/** News of a DAO, as it is kept. */
export type News = NewsItem & { id: string; daoId: string };

/** News as it is written down. */
export type NewNews = NewsItem & {
  /** What it tells of: the same is told once. */
  key: string;
};

/** A message to a chat about news. */
export interface Delivery {
  /** Of its reply, too. */
  id: string;
  news: News;
  /** Of the news, when this was read: what the message shows once it was written. */
  version: number;
  /** Whether the message is there, and shows something else than it should. */
  isAnew: boolean;
  /** Whether it answers somebody who asked to see what the news is about. */
  isAnswer: boolean;
  /** Whom it is for; null: nobody in particular. */
  member: string | null;
  /** Whose the chat is, as a member, and where they live; null: nobody's, or that of no member. */
  reader: { member: string; timeZone: string } | null;
  /** Id of the chat's row. */
  chat: string;
  place: Place;
  isClosed: boolean;
  /** As the platform says; null: it does not. */
  language: string | null;
  /** The one that was chosen, or in which it was asked for; null: none. */
  speaks: Language | null;
}

/** When a person wants to be left alone: minutes of their day. `to` is not part of it. */
export interface QuietHours {
  from: number;
  to: number;
}

/** What a member wants to hear, and when not. */
export interface Preferences {
  muted: readonly Topic[];
  /** Null: never quiet. */
  quiet: QuietHours | null;
  /** As the IANA names it. */
  timeZone: string;
}

export const USUAL_PREFERENCES: Preferences = { muted: [], quiet: null, timeZone: 'Europe/Kyiv' };

/** Input of the workflow `news`. */
export interface NewsInput {
  version: 1;
  daoId: string;
}

/** What a step of spreading came to. */
export interface NewsStep {
  isMore: boolean;
  /** How long until there is more to do, in milliseconds; null: nobody knows of anything. */
  waitMs: number | null;
}

/** A message whose chat is to be told that it is to be written. */
export interface ToPoke {
  id: string;
  address: ChatAddress;
}

/** Somebody who is to be told, before it is known whether they want to hear of it. */
export interface Recipient {
  preferences: Preferences;
  now: Date;
}
