import { sql, type RawBuilder } from 'kysely';
import {
  USUAL_PREFERENCES,
  type NewNews,
  type News,
  type Recipient,
  type ToPoke,
  type Topic,
} from '../../contracts/news.js';
import { guardStore } from './errors.js';
import { recipientsOf } from './news-recipients.js';
import type { Db, Tenants } from './tenants.js';

/** How many people are looked up at a time. */
const PAGE = 100;
/** What nobody was told after so long is told no more, in hours. */
const STALE_HOURS = 72;
/** So long it is kept, in days. */
const KEPT_DAYS = 90;
/** Least time between two rounds in which chats are told that the same news changed, in milliseconds. */
const ROUND_MS = 2_000;
/** A DAO whose news nobody spread so long after is looked for, in seconds. */
const OVERDUE_SECONDS = 5;
const MOST = 200;
/** Who has not voted is reminded so long before the close, where voting takes longer than twice that, in hours. */
const REMINDER_HOURS = 24;

/** When a message is to be there; null: not at all. */
export type Judge = (news: News, recipient: Recipient) => Date | null;

/** A round in which the chats of news are told of it. */
export interface Round {
  newsId: string;
  version: number;
  /** Those that were not told of this version yet, or some of them. */
  chats: ToPoke[];
  /** Whether there are no others. */
  isLast: boolean;
}

/** Whether news could not be written in a chat (`c`) since somebody was there. It is tried where there is no other one. */
const FAILS = sql`exists (
  select from deliveries d where d.chat = c.id and d.state = 'undeliverable' and d.not_before >= c.seen_at
)`;

interface Found {
  who: string;
  member: string | null;
  chat: string | null;
  muted: Topic[] | null;
  quiet_from: number | null;
  quiet_to: number | null;
  time_zone: string | null;
  now: Date;
}

/** Writes news down in the transaction of what it tells of; what was written down already is left as it is. */
export async function addNews(db: Db, daoId: string, { key, kind, data }: NewNews): Promise<void> {
  await sql`select tell(${daoId}, ${key}, ${kind}, ${JSON.stringify(data)}::jsonb)`.execute(db);
}

/** News, until everybody has a message whom it is for. Chats are of no one DAO, so all of this reaches past them. */
export class NewsRepository {
  private listener: (daoId: string) => void = () => undefined;

  constructor(private readonly tenants: Tenants) {}

  /** @param listener called after each change of a DAO in this process that may be news */
  onChange(listener: (daoId: string) => void): void {
    this.listener = listener;
  }

  /** To be called after a change of a DAO. */
  changed(daoId: string): void {
    this.listener(daoId);
  }

  /**
   * Makes messages for the next people whom the oldest news of a DAO is for, one chat each.
   * @returns false: there is nothing left to spread
   */
  async spreadNext(daoId: string, judge: Judge): Promise<boolean> {
    return guardStore(() =>
      this.tenants.all.transaction().execute(async (db) => {
        const next = await nextOf(db, daoId);
        if (!next) return false;
        const { toldTo, isStale, ...news } = next;
        const found = isStale ? [] : await peopleOf(db, news, toldTo);
        await addDeliveries(db, news, judge, found);
        const isLast = found.length < PAGE;
        if (isLast && !isStale) await addDirect(db, news);
        await db
          .updateTable('news')
          .set({
            told_to: isLast ? '' : (found.at(-1)?.who ?? toldTo),
            spread_at: isLast ? sql<Date>`now()` : null,
            poked: 0,
            poked_at: null,
          })
          .where('id', '=', news.id)
          .execute();
        return true;
      }),
    );
  }

  /** The next chats that are to be told; undefined: there are none now. */
  async nextRound(daoId: string): Promise<Round | undefined> {
    const { rows } = await guardStore(() =>
      sql<{ id: string; version: number }>`
        select id, version from news
        where dao_id = ${daoId} and poked < version
          and (poked_at is null or poked_at < now() - make_interval(secs => ${ROUND_MS / 1_000}))
        order by at, id limit 1
      `.execute(this.tenants.all),
    );
    const [news] = rows;
    if (!news) return undefined;
    const { rows: chats } = await guardStore(() =>
      sql<{ id: string; source: ToPoke['address']['source']; chat_id: string; topic: string }>`
        select d.id, c.source, c.chat_id, c.topic
        from deliveries d join chats c on c.id = d.chat
        where d.news_id = ${news.id} and d.poked < ${news.version} and d.state <> 'undeliverable'
          and (d.state = 'waiting' or d.shown < ${news.version})
        order by d.id limit ${PAGE}
      `.execute(this.tenants.all),
    );
    return {
      ...{ newsId: news.id, version: news.version, isLast: chats.length < PAGE },
      chats: chats.map(({ id, source, chat_id: chat, topic }) => ({ id, address: { source, chat, topic } })),
    };
  }

  /** Writes down that chats of a round were told. */
  async endRound({ newsId, version, chats, isLast }: Round): Promise<void> {
    const ids = chats.map(({ id }) => id);
    await guardStore(() =>
      sql`
        with told as (
          update deliveries set poked = ${version} where news_id = ${newsId} and id = any (${ids}::text[])
        )
        update news set poked = ${version}, poked_at = now() where id = ${newsId} and ${isLast}::boolean
      `.execute(this.tenants.all),
    );
  }

  /** How long until chats of a DAO are to be told again, in milliseconds; null: nothing has changed. */
  async roundIn(daoId: string): Promise<number | null> {
    return (await this.isPending(daoId)) ? ROUND_MS : null;
  }

  /** Whether news of a DAO is to be spread, or chats are to be told of it. */
  async isPending(daoId: string): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql<{ pending: boolean }>`
        select exists (
          select from news where dao_id = ${daoId} and poked < version
        ) or exists (select from news where dao_id = ${daoId} and spread_at is null) as pending
      `.execute(this.tenants.all),
    );
    return rows[0]?.pending === true;
  }

  /** DAOs with news that ought to be spread by now. */
  async overdue(): Promise<string[]> {
    const { rows } = await guardStore(() =>
      sql<{ dao_id: string }>`
        select distinct dao_id from news
        where at < now() - make_interval(secs => ${OVERDUE_SECONDS}) and (spread_at is null or poked < version
          and (poked_at is null or poked_at < now() - make_interval(secs => ${OVERDUE_SECONDS})))
        limit ${MOST}
      `.execute(this.tenants.all),
    );
    return rows.map(({ dao_id }) => dao_id);
  }

  /** Writes down what follows from the time alone: votes that end soon. Safe to repeat. */
  async derive(): Promise<void> {
    await guardStore(() =>
      sql`
        select tell(dao_id, 'proposal/' || n || '/reminder', 'proposal_reminder', jsonb_build_object('n', n))
        from proposals
        where stage = 'open' and closes_at > now() and closes_at < now() + make_interval(hours => ${REMINDER_HOURS})
          and closes_at - opened_at > make_interval(hours => ${2 * REMINDER_HOURS})
          and not exists (
            select from news
            where news.dao_id = proposals.dao_id and news.key = 'proposal/' || proposals.n || '/reminder'
          )
      `.execute(this.tenants.all),
    );
  }

  /** Forgets what is old, with its messages; those stay where they were written. */
  async forgetOld(): Promise<void> {
    await guardStore(() =>
      sql`
        delete from news where id in (
          select id from news where at < now() - make_interval(days => ${KEPT_DAYS}) limit 1000
        )
      `.execute(this.tenants.all),
    );
  }
}

type NextNews = News & { toldTo: string; isStale: boolean };

async function nextOf(db: Db, daoId: string): Promise<NextNews | undefined> {
  const row = await db
    .selectFrom('news')
    .where('dao_id', '=', daoId)
    .where('spread_at', 'is', null)
    .orderBy('at')
    .orderBy('id')
    .limit(1)
    .select(['id', 'kind', 'data', 'told_to'])
    .select(sql<boolean>`at < now() - make_interval(hours => ${STALE_HOURS})`.as('stale'))
    .forUpdate()
    .executeTakeFirst();
  if (!row) return undefined;
  const { told_to: toldTo, stale: isStale, ...item } = row;
  return { ...item, daoId, toldTo, isStale } as NextNews;
}

/** The next people, each with the chat that they used last of those in which the bot can write to them. */
async function peopleOf(db: Db, news: News, after: string): Promise<Found[]> {
  const { daoId } = news;
  const { rows } = await sql<Found>`
    with page as (
      select who from (${recipientsOf(news)}) recipients where who > ${after} group by who order by who limit ${PAGE}
    )
    select page.who, m.id as member, c.id as chat, p.muted, p.quiet_from, p.quiet_to, p.time_zone, now() as now
    from page
    left join members m on m.dao_id = ${daoId} and m.id = page.who
    left join preferences p on p.dao_id = m.dao_id and p.member_id = m.id
    left join lateral (
      select c.id from chats c
      where c.kind = 'private' and c.closed_at is null and (c.user_id = page.who or c.user_id in (
        select i.user_id from identities i where i.dao_id = ${daoId} and i.member_id = page.who
      ))
      order by ${FAILS}, c.seen_at desc, c.id limit 1
    ) c on true
    order by page.who
  `.execute(db);
  return rows;
}

/** In one statement: ballots that are cast meanwhile wait for the row of the news. */
async function addDeliveries(db: Db, news: News, judge: Judge, found: readonly Found[]): Promise<void> {
  const { muted: none, timeZone: usual } = USUAL_PREFERENCES;
  const wanted = found.flatMap(({ member, chat, now, muted, quiet_from: from, quiet_to: to, time_zone: timeZone }) => {
    if (chat === null) return [];
    const quiet = from === null || to === null ? null : { from, to };
    const at = judge(news, { preferences: { muted: muted ?? none, quiet, timeZone: timeZone ?? usual }, now });
    return at ? [{ chat, member, at }] : [];
  });
  if (wanted.length === 0) return;
  const rows = sql`jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as wanted (chat text, member text, at timestamptz)`;
  await addMessages(db, news, sql`select chat, member, at from ${rows}`);
}

/** Chats that are told whoever is in them: where a run was asked for; where nobody is reached by whom an approval is due, groups. */
async function addDirect(db: Db, news: News): Promise<void> {
  if (news.kind === 'run_ended') {
    const { daoId, data } = news;
    const asked = sql`select chat, null, now() from run_chats where dao_id = ${daoId} and run_id = ${data.run}`;
    return addMessages(db, news, asked);
  }
  if (news.kind !== 'gate_asked') return;
  await addMessages(db, news, groupsOf(news));
}

/** Of each group or guild of the DAO the chat that was used last, of those that can be written to, unless somebody has a message about it. */
const groupsOf = ({ id, daoId }: News): RawBuilder<unknown> => sql`
  select distinct on (c.source, c.space_id) c.id, null, now()
  from spaces s join chats c on c.source = s.source and c.space_id = s.space_id
  where s.dao_id = ${daoId} and c.kind = 'group' and c.closed_at is null
    and not exists (select from deliveries d where d.news_id = ${id} and d.state <> 'undeliverable' and not d.follows)
    and exists (
      select from news n join crew_gates g on g.dao_id = n.dao_id and g.run_id = n.data ->> 'run' and g.id = n.data ->> 'gate'
      where n.id = ${id} and g.state = 'open' and g.kind <> 'question'
    )
  order by c.source, c.space_id, ${FAILS}, c.seen_at desc, c.id`;

/** @param chats which, whom each of them is for, and when it may be told */
async function addMessages(db: Db, { id, daoId }: News, chats: RawBuilder<unknown>): Promise<void> {
  await sql`
    insert into deliveries (id, dao_id, news_id, chat, member_id, not_before)
    select gen_random_uuid()::text, ${daoId}, ${id}, chat, member, at from (${chats}) as told (chat, member, at)
    on conflict (news_id, chat) where not follows do nothing
  `.execute(db);
}
