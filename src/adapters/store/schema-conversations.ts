import type { Generated } from 'kysely';
import type { Asks, Mark } from '../../contracts/conversation.js';
import type { Language } from '../../contracts/dialog.js';
import type { Json } from './schema-columns.js';

export interface OffersTable {
  id: string;
  dao_id: string;
  chat: string;
  actor: string;
  command: string;
  args: string;
  said: string;
  expires_at: Date;
  taken_at: Date | null;
  taken_by: string | null;
}

export interface PendingTable {
  id: string;
  dao_id: string;
  chat: string;
  actor: string;
  asks: Json<Asks>;
  asked_at: Generated<Date>;
  expires_at: Date;
  taken_by: string | null;
  state: Generated<'asked' | 'aside' | 'dropped'>;
}

export interface FeedbackTable {
  dao_id: string;
  request_id: string;
  actor: string;
  mark: Mark;
  way: 'button' | 'reaction';
  comment: string | null;
  at: Generated<Date>;
}

export interface RunChatsTable {
  run_id: string;
  dao_id: string;
  chat: string;
  actor: string;
  message_id: string | null;
  language: Language;
  created_at: Generated<Date>;
}
