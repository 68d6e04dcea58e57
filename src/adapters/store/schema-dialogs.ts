import type { Generated } from 'kysely';
import type { InboundBody, Lane, Language, ReplyContent, ReplyPart } from '../../contracts/dialog.js';
import type { Place, Source } from '../../contracts/messenger.js';
import type { Json } from './schema-columns.js';

export interface ChatsTable {
  id: string;
  source: Source;
  chat_id: string;
  /** Empty: none. */
  topic: Generated<string>;
  kind: Place['kind'];
  space_id: string | null;
  user_id: string | null;
  dao_id: string | null;
  /** As the platform says. */
  language: string | null;
  /** As it was chosen. */
  speaks: Language | null;
  closed_at: Date | null;
  told_at: Date | null;
  seen_at: Generated<Date>;
  created_at: Generated<Date>;
}

export interface SpacesTable {
  source: Source;
  space_id: string;
  dao_id: string;
  linked_by: string;
  linked_at: Generated<Date>;
}

export interface InboxTable {
  id: string;
  update_key: string;
  chat: string;
  dao_id: string | null;
  lane: Lane;
  place: string;
  actor: string;
  message_id: string | null;
  body: Json<InboundBody>;
  revision: Generated<number>;
  state: Generated<'waiting' | 'open' | 'done' | 'dropped'>;
  stopped_at: Date | null;
  received_at: Date;
  opened_at: Date | null;
  done_at: Date | null;
  joined_to: string | null;
}

export interface RepliesTable {
  id: string;
  dao_id: string;
  chat: string;
  inbox_id: string | null;
  actor: string | null;
  revision: Generated<number>;
  request_id: string | null;
  content: Json<ReplyContent> | null;
  /** Those of the actor, where no request answers. */
  roles: string[] | null;
  generation: Generated<number>;
  state: Generated<'open' | 'done' | 'undeliverable'>;
  created_at: Generated<Date>;
  done_at: Date | null;
}

export interface ReplyPartsTable {
  dao_id: string;
  reply_id: string;
  n: number;
  chat: string;
  state: ReplyPart['state'];
  message_id: string | null;
  shown: string | null;
  again: Generated<boolean>;
  strays: Generated<number>;
  changed_at: Generated<Date>;
}

export interface InteractionsTable {
  update_key: string;
  interaction_id: string;
  application_id: string;
  token_sealed: string | null;
  is_private: boolean;
  began_at: Date;
  expires_at: Date;
}
