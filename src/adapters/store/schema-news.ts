import type { Generated } from 'kysely';
import type { NewsItem, NewsKind, Topic } from '../../contracts/news.js';
import type { Json } from './schema-columns.js';

export interface NewsTable {
  id: string;
  dao_id: string;
  key: string;
  kind: NewsKind;
  data: Json<NewsItem['data']>;
  version: Generated<number>;
  at: Generated<Date>;
  told_to: Generated<string>;
  spread_at: Date | null;
  poked: Generated<number>;
  poked_at: Date | null;
}

export interface DeliveriesTable {
  id: string;
  dao_id: string;
  news_id: string;
  chat: string;
  member_id: string | null;
  not_before: Date;
  state: Generated<'waiting' | 'done' | 'undeliverable'>;
  shown: Generated<number>;
  poked: Generated<number>;
  follows: Generated<boolean>;
}

export interface PreferencesTable {
  dao_id: string;
  member_id: string;
  muted: Generated<Topic[]>;
  quiet_from: number | null;
  quiet_to: number | null;
  time_zone: Generated<string>;
}
