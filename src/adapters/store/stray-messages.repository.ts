import { sql } from 'kysely';
import type { Place } from '../../contracts/messenger.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** While something is being created in a chat, nobody can tell what there is too many; for so long that is believed, in minutes. */
const CREATED_WITHIN_MINUTES = 5;
/** A reply that is not ended so long after is written by nobody any more, in minutes. */
const WRITTEN_WITHIN_MINUTES = 10;
/** What is older platforms let nobody remove, in hours. */
const LOOKED_FOR_HOURS = 24;
/** Most messages that are looked below at a time. */
const MOST = 20;

/** A message of a reply that may have been created more than once: the last of them is known. */
export interface CreatedAgain {
  daoId: string;
  replyId: string;
  n: number;
  /** Id of the chat's row. */
  chat: string;
  place: Place;
  messageId: string;
}

interface Row {
  dao_id: string;
  reply_id: string;
  n: number;
  chat: string;
  message_id: string;
  source: Place['source'];
  chat_id: string;
  topic: string;
  kind: Place['kind'];
}

/** Messages that may stand in chats once too often. */
export class StrayMessagesRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * Messages that were created again and below which nobody has looked yet, of replies that are ended, in chats in which
   * nothing is being created: whatever stands there and was written down by nobody is too many.
   */
  async createdAgain(): Promise<CreatedAgain[]> {
    const { rows } = await guardStore(() =>
      sql<Row>`
        select p.dao_id, p.reply_id, p.n, p.chat, p.message_id, c.source, c.chat_id, c.topic, c.kind
        from reply_parts p join chats c on c.id = p.chat join replies r on r.id = p.reply_id and r.dao_id = p.dao_id
        where p.again and p.state = 'sent' and p.message_id is not null
          and p.changed_at > now() - make_interval(hours => ${LOOKED_FOR_HOURS})
          and (r.state <> 'open' or p.changed_at < now() - make_interval(mins => ${WRITTEN_WITHIN_MINUTES}))
          and not exists (
            select from chats here join reply_parts o on o.chat = here.id and o.state = 'sending'
            where here.source = c.source and here.chat_id = c.chat_id
              and o.changed_at > now() - make_interval(mins => ${CREATED_WITHIN_MINUTES})
          )
        order by p.changed_at
        limit ${MOST}
      `.execute(this.tenants.all),
    );
    return rows.map(({ source, chat_id: chat, topic, kind, ...row }) => ({
      ...{ daoId: row.dao_id, replyId: row.reply_id, n: row.n, chat: row.chat, messageId: row.message_id },
      place: { source, chat, topic: topic === '' ? null : topic, kind },
    }));
  }

  /** Numbers of messages in a chat below one of ours of which nothing is known, the greatest first. */
  async unknownBelow({ chat, messageId }: Pick<CreatedAgain, 'chat' | 'messageId'>, most: number): Promise<string[]> {
    if (!/^\d+$/.test(messageId)) return [];
    const { rows } = await guardStore(() =>
      sql<{ message_id: string }>`
        select message_id from unknown_messages(${chat}, ${messageId}::numeric, ${most})
      `.execute(this.tenants.scopeless),
    );
    return rows.map(({ message_id }) => message_id);
  }

  /** Writes down that somebody has looked below a message, and how many were removed; unless it was created anew meanwhile. */
  async looked({ daoId, replyId, n, messageId }: CreatedAgain, removed: number): Promise<void> {
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .updateTable('reply_parts')
        .set((eb) => ({ again: false, strays: eb('strays', '+', removed) }))
        .where('dao_id', '=', daoId)
        .where('reply_id', '=', replyId)
        .where('n', '=', n)
        .where('message_id', '=', messageId)
        .where('again', '=', true)
        .execute(),
    );
  }
}
