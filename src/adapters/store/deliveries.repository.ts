import { sql } from 'kysely';
import type { ChatAddress, Language } from '../../contracts/dialog.js';
import type { Place } from '../../contracts/messenger.js';
import { USUAL_PREFERENCES, type Delivery, type News } from '../../contracts/news.js';
import { guardStore } from './errors.js';
import { holdersOf } from './news-recipients.js';
import type { Tenants } from './tenants.js';

/** A message that was not written so long after it was due is looked for, in seconds. */
const OVERDUE_SECONDS = 20;

interface Row {
  id: string;
  dao_id: string;
  chat: string;
  member_id: string | null;
  state: 'waiting' | 'done';
  follows: boolean;
  news_id: string;
  kind: News['kind'];
  data: News['data'];
  version: number;
  place_kind: Place['kind'];
  closed: boolean;
  language: string | null;
  speaks: Language | null;
  reader: string | null;
  time_zone: string | null;
}

/** Messages about news, one for each chat. Which DAO one is of says its row; the chat is of no one DAO. */
export class DeliveriesRepository {
  constructor(private readonly tenants: Tenants) {}

  /** What is to be written next in a chat: what is due, and then what shows something that has changed since. */
  async next(address: ChatAddress): Promise<Delivery | undefined> {
    const { source, chat, topic } = address;
    const { rows } = await guardStore(() =>
      sql<Row>`
        select d.id, d.dao_id, d.chat, d.member_id, d.state, d.follows, n.id as news_id, n.kind, n.data, n.version,
          c.kind as place_kind, c.closed_at is not null as closed, c.language, coalesce(c.speaks, r.language) as speaks,
          me.member_id as reader, p.time_zone
        from chats c
        join deliveries d on d.chat = c.id
        join news n on n.id = d.news_id
        left join run_chats r on n.kind = 'run_ended' and r.run_id = n.data ->> 'run' and r.chat = c.id
        left join identities me on c.kind = 'private' and me.dao_id = d.dao_id and me.user_id = c.user_id
        left join preferences p on p.dao_id = me.dao_id and p.member_id = me.member_id
        where c.source = ${source} and c.chat_id = ${chat} and c.topic = ${topic}
          and (d.state = 'waiting' and d.not_before <= now() or d.state = 'done' and d.shown < n.version)
        order by d.state desc, d.not_before, d.id
        limit 1
      `.execute(this.tenants.all),
    );
    return rows[0] && toDelivery(rows[0], address);
  }

  /**
   * Whether a message is still for the member for whom it was made, in a chat that is still theirs: between the two lie
   * their quiet hours, and what it shows changes for as long as it is there.
   */
  async isStillFor({ news, member, chat }: Pick<Delivery, 'news' | 'member' | 'chat'>): Promise<boolean> {
    if (member === null) return true;
    const { rows } = await guardStore(() =>
      sql`
        select 1 from (${holdersOf(news)}) as holders (who)
        join identities i on i.dao_id = ${news.daoId} and i.member_id = holders.who
        join chats c on c.user_id = i.user_id
        where holders.who = ${member} and c.id = ${chat}
        limit 1
      `.execute(this.tenants.all),
    );
    return rows.length > 0;
  }

  /** How long until something is to be written in a chat, in milliseconds; null: nothing is. */
  async dueIn({ source, chat, topic }: ChatAddress): Promise<number | null> {
    const { rows } = await guardStore(() =>
      sql<{ ms: string | null }>`select due_in(${source}, ${chat}, ${topic}) as ms`.execute(this.tenants.scopeless),
    );
    const ms = rows[0]?.ms ?? null;
    return ms === null ? null : Math.max(0, Math.ceil(Number(ms)));
  }

  /** Writes down that a message is there, or that there is nothing to say any more. */
  async finish({ id, daoId, version }: { id: string; daoId: string; version: number }): Promise<void> {
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .updateTable('deliveries')
        .set({ state: 'done', shown: version })
        .where('id', '=', id)
        .where('dao_id', '=', daoId)
        .execute(),
    );
  }

  /**
   * Has a reply that shows an open proposal follow its vote from now on. Safe to repeat.
   * @param id of the reply
   */
  async follow({ id, daoId, chat }: { id: string; daoId: string; chat: string }, n: number): Promise<void> {
    await guardStore(() =>
      sql`
        insert into deliveries (id, dao_id, news_id, chat, not_before, state, shown, poked, follows)
        select ${id}, ${daoId}, id, ${chat}, now(), 'done', version, version, true
        from news where dao_id = ${daoId} and key = ${`proposal/${n}/open`}
        on conflict (id) do nothing
      `.execute(this.tenants.of(daoId)),
    );
  }

  /**
   * As `follow`, of a message of ours that shows a proposal since a button below it was pressed. What was cast meanwhile it
   * shows with the next look. Safe to repeat; of what is no message of a reply nothing is known.
   */
  async followMessage(
    { daoId, chat, messageId }: { daoId: string; chat: string; messageId: string },
    n: number,
  ): Promise<void> {
    await guardStore(() =>
      sql`
        insert into deliveries (id, dao_id, news_id, chat, not_before, state, shown, poked, follows)
        select part.reply_id, ${daoId}, news.id, ${chat}, now(), 'done', 0, 0, true
        from news join reply_parts part on part.dao_id = news.dao_id
        where news.dao_id = ${daoId} and news.key = ${`proposal/${n}/open`}
          and part.chat = ${chat} and part.message_id = ${messageId}
        on conflict (id) do nothing
      `.execute(this.tenants.of(daoId)),
    );
  }

  /** Ends a message that cannot be written. Where nobody else has one, others are looked for. */
  async giveUp({ id, news }: Pick<Delivery, 'id' | 'news'>): Promise<void> {
    await guardStore(() =>
      sql`
        with given_up as (
          update deliveries set state = 'undeliverable' where id = ${id} and state = 'waiting' returning news_id
        )
        update news set told_to = '', spread_at = null from given_up
        where news.id = given_up.news_id and news.dao_id = ${news.daoId} and news.kind = 'gate_asked'
          and not exists (
            select from deliveries d where d.news_id = news.id and d.id <> ${id} and d.state <> 'undeliverable'
          )
      `.execute(this.tenants.all),
    );
  }

  /** Chats behind a row with a message that ought to be written by now, in the order of their rows. */
  async overdue(after: string, most: number): Promise<{ id: string; address: ChatAddress }[]> {
    const { rows } = await guardStore(() =>
      sql<{ id: string; source: ChatAddress['source']; chat_id: string; topic: string }>`
        select distinct c.id, c.source, c.chat_id, c.topic from (
          select chat from deliveries
          where state = 'waiting' and not_before < now() - make_interval(secs => ${OVERDUE_SECONDS})
          union
          select d.chat from news n join deliveries d on d.news_id = n.id
          where n.poked_at between now() - interval '1 hour' and now() - make_interval(secs => ${OVERDUE_SECONDS})
            and d.state = 'done' and d.shown < n.version
        ) late join chats c on c.id = late.chat
        where c.id > ${after}
        order by c.id
        limit ${most}
      `.execute(this.tenants.all),
    );
    return rows.map(({ id, source, chat_id: chat, topic }) => ({ id, address: { source, chat, topic } }));
  }
}

const toDelivery = (row: Row, { source, chat, topic }: ChatAddress): Delivery => ({
  ...{
    id: row.id,
    version: row.version,
    isAnew: row.state === 'done',
    isAnswer: row.follows,
    member: row.member_id,
    chat: row.chat,
    reader: row.reader === null ? null : { member: row.reader, timeZone: row.time_zone ?? USUAL_PREFERENCES.timeZone },
  },
  news: { id: row.news_id, daoId: row.dao_id, kind: row.kind, data: row.data } as News,
  place: { source, chat, topic: topic === '' ? null : topic, kind: row.place_kind },
  ...{ isClosed: row.closed, language: row.language, speaks: row.speaks },
});
