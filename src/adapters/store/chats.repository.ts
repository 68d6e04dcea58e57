import { sql, type RawBuilder } from 'kysely';
import type { ChatAddress, Language, OpenUpdate } from '../../contracts/dialog.js';
import type { Place } from '../../contracts/messenger.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** For so long after it was answered a message may be changed and is answered again, in minutes. */
const ANSWERED_AGAIN_MINUTES = 60;

/** Most DAOs of a person that are told. */
const MOST_DAOS = 30;

/** The body of the message that answers for one (`named`), where that says something else: itself, or what it was joined to. */
const reworded = (text: string): RawBuilder<unknown> => sql`
  case when named.joined_to is null then jsonb_set(i.body, '{text}', to_jsonb(${text}::text))
  else jsonb_set(i.body, '{more}', (
    select jsonb_agg(
      case when said ->> 'id' = named.id then jsonb_set(said, '{text}', to_jsonb(${text}::text)) else said end order by n
    ) from jsonb_array_elements(i.body -> 'more') with ordinality as more (said, n)
  )) end
`;

/** What of a chat (`known.id`) goes on in the one that it has become (`new_id`), where that is another row. */
const HANDED_ON = sql`
  inbox_handed_on as (
    update inbox set chat = new_id from known
    where inbox.chat = known.id and new_id is not null and inbox.state in ('waiting', 'open')
  ), replies_handed_on as (
    update replies set chat = new_id from known where replies.chat = known.id and new_id is not null
  ), runs_handed_on as (
    update run_chats set chat = new_id from known where run_chats.chat = known.id and new_id is not null
  ), dialogs_handed_on as (
    update dialogs set chat = new_id from known
    where dialogs.chat = known.id and new_id is not null
      and not exists (select from dialogs o where o.dao_id = dialogs.dao_id and o.chat = new_id)
  ), deliveries_handed_on as (
    update deliveries set chat = new_id from known
    where deliveries.chat = known.id and deliveries.state = 'waiting' and new_id is not null
      and not exists (select from deliveries o where o.news_id = deliveries.news_id and o.chat = new_id and not o.follows)
  ), deliveries_ended as (
    update deliveries set state = 'undeliverable' from known
    where deliveries.chat = known.id and (
      deliveries.state = 'done' or deliveries.state = 'waiting' and new_id is not null
        and exists (select from deliveries o where o.news_id = deliveries.news_id and o.chat = new_id and not o.follows)
    )
  )
`;

/**
 * Whether a message (`i`) may be answered anew, with its reply (`r`): nobody has begun with it, or a model answers it. Where
 * no reply says so yet it is taken for a question if it is neither a command nor what somebody was asked for.
 */
const mayAnew = sql`case
  when i.state = 'waiting' then true
  when r.revision = i.revision then r.request_id is not null
  else i.state = 'open' and i.body ->> 'text' !~ '^\\s*/' and not exists (
    select from pending p
    where p.chat = i.chat and p.actor = i.actor and (p.taken_by = i.id or p.taken_by is null and p.state = 'asked' and p.expires_at > now())
  )
end`;

/** A message that is answered differently from now on. */
export interface Changed {
  /** The request that answered it, or was about to; null: none was begun. */
  requestId: string | null;
}

/** What somebody says, and where. */
export interface Saying {
  place: Place;
  /** The group or guild; null: none. */
  space: string | null;
  actor: string;
  text: string;
}

/** Chats and what may be changed in them at any moment. A chat is of no one DAO. */
export class ChatsRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Writes down whether the bot can write in a chat, in all its topics: platforms tell it of none. */
  async setPresence(chat: string, isHere: boolean): Promise<void> {
    await guardStore(() =>
      sql`
        update chats set closed_at = ${isHere ? sql`null` : sql`coalesce(closed_at, now())`} where id in (
          select o.id from chats c join chats o on o.source = c.source and o.chat_id = c.chat_id
          where c.id = ${chat} order by o.id for update of o
        )
      `.execute(this.tenants.all),
    );
  }

  /**
   * Gives a chat, with all its topics, the id that it has on the platform from now on, and its space with it. Where that
   * is known already, what is to be done is done there, and what was said is remembered there. Messages of the old chat
   * can be changed no more: what shows news stays as it is.
   */
  async move({ source, chat }: ChatAddress, to: string): Promise<void> {
    await guardStore(() =>
      sql`
        with spaces_moved as (
          update spaces set space_id = ${to} where source = ${source} and space_id = ${chat}
            and not exists (select from spaces o where o.source = ${source} and o.space_id = ${to})
        ), known as (
          select old.id, new.id as new_id from chats old
          left join chats new on new.source = old.source and new.chat_id = ${to} and new.topic = old.topic
          where old.source = ${source} and old.chat_id = ${chat}
        ), ${HANDED_ON}
        update chats set chat_id = ${to}, space_id = ${to} from known where chats.id = known.id and known.new_id is null
      `.execute(this.tenants.all),
    );
  }

  /**
   * Marks what a person has asked in a chat before a message (and the message itself, where it was changed to say so) and
   * what is not answered yet: nobody wants it any more.
   * @returns how many messages there were that were not marked before, and the requests that are at work for all that are
   */
  async stopBefore({ chat, actor, messageId, body }: OpenUpdate): Promise<{ count: number; requestIds: string[] }> {
    const unanswered = sql`
      chat = ${chat} and actor = ${actor} and lane = 'turn' and state in ('waiting', 'open')
      and place ${body.kind === 'edit' ? sql`<=` : sql`<`} ${messageId ?? '0'}::numeric
    `;
    const stopped = await guardStore(() =>
      sql`update inbox set stopped_at = now() where ${unanswered} and stopped_at is null returning id`.execute(
        this.tenants.all,
      ),
    );
    // Only now: a reply that was begun at the same moment has been waited for, and is seen by the next statement.
    const { rows } = await guardStore(() =>
      sql<{ request_id: string }>`
        select reply.request_id from replies reply
        where reply.state = 'open' and reply.request_id is not null
          and reply.inbox_id in (select id from inbox where ${unanswered} and stopped_at is not null)
      `.execute(this.tenants.all),
    );
    return { count: stopped.rows.length, requestIds: rows.map(({ request_id: id }) => id) };
  }

  /**
   * Changes what a message says, if it is not answered yet, or was a moment ago and is the last one of its chat. Where it
   * was joined to another one, that one is answered anew. Only what a model answers is done twice: what a command has begun
   * stays as it was.
   * @returns 'done': it has begun, and is nothing to do twice; undefined: it stays as it was
   */
  async changeText({ chat, actor, messageId }: OpenUpdate, text: string): Promise<Changed | 'done' | undefined> {
    const { rows } = await guardStore(() =>
      sql<{ id: string; changed: boolean }>`
        with named as (
          select i.id, i.joined_to from inbox i
          where i.chat = ${chat} and i.message_id = ${messageId} and i.actor = ${actor} and i.lane = 'turn'
          for update
        ), meant as (
          select i.id, ${mayAnew} as may from named join inbox i on i.id = coalesce(named.joined_to, named.id)
          left join replies r on r.inbox_id = i.id
          where i.body is distinct from ${reworded(text)}
            and (i.state in ('waiting', 'open') or i.state = 'done'
              and i.received_at > now() - make_interval(mins => ${ANSWERED_AGAIN_MINUTES})
              and not exists (
                select from inbox o
                where o.chat = i.chat and o.lane = 'turn' and o.place > i.place and o.joined_to is distinct from i.id
              ))
        ), changed as (
          update inbox as i set
            body = ${reworded(text)}, revision = i.revision + 1,
            state = case when i.state = 'done' then 'open' else i.state end, done_at = null, stopped_at = null
          from named, meant
          where i.id = meant.id and meant.may
          returning i.id
        ), joined as (
          update inbox as i set body = jsonb_set(i.body, '{text}', to_jsonb(${text}::text)), revision = i.revision + 1
          from named, changed
          where i.id = named.id and i.joined_to = changed.id
        )
        select meant.id, changed.id is not null as changed from meant left join changed on changed.id = meant.id
      `.execute(this.tenants.all),
    );
    const [meant] = rows;
    if (!meant) return undefined;
    return meant.changed ? { requestId: await this.requestOf(meant.id) } : 'done';
  }

  /** The request whose answer a message is shown. */
  private async requestOf(id: string): Promise<string | null> {
    const row = await guardStore(() =>
      this.tenants.all
        .selectFrom('replies')
        .where('inbox_id', '=', id)
        .where('state', '=', 'open')
        .select('request_id')
        .executeTakeFirst(),
    );
    return row?.request_id ?? null;
  }

  /**
   * Of which DAO is what somebody says: as it will be when it is its turn.
   * @param usual the DAO of chats that are mapped to none
   * @returns undefined: none is its own
   */
  async daoOf({ place, space, actor, text }: Saying, usual: string | undefined): Promise<string | undefined> {
    const { source, chat, topic, kind } = place;
    const { rows } = await guardStore(() =>
      sql<{ dao_id: string | null }>`
        select dao_for(
          ${source}, ${chat}, ${topic ?? ''}, ${space}, ${kind}, ${actor}, ${text}, ${usual ?? null}
        ) as dao_id
      `.execute(this.tenants.all),
    );
    return rows[0]?.dao_id ?? undefined;
  }

  /** Chooses the DAO of a private chat, for whoever has seen to it that the person may. */
  async choose(chat: string, daoId: string): Promise<void> {
    await guardStore(() =>
      this.tenants.all
        .updateTable('chats')
        .set({ dao_id: daoId })
        .where('id', '=', chat)
        .where('kind', '=', 'private')
        .execute(),
    );
  }

  /** Chooses the language of what the product itself says in a chat. */
  async speak(chat: string, language: Language): Promise<void> {
    await guardStore(() =>
      this.tenants.all.updateTable('chats').set({ speaks: language }).where('id', '=', chat).execute(),
    );
  }

  /** DAOs that a person is a member of, by their names. */
  async daosOf(userId: string): Promise<{ id: string; name: string }[]> {
    return guardStore(() =>
      this.tenants.all
        .selectFrom('identities')
        .innerJoin('daos', 'daos.id', 'identities.dao_id')
        .where('identities.user_id', '=', userId)
        .orderBy('daos.name')
        .orderBy('daos.id')
        .limit(MOST_DAOS)
        .select(['daos.id', 'daos.name'])
        .execute(),
    );
  }

  /** The group or guild that a chat is in; null: a private chat. */
  async spaceOf(chat: string): Promise<string | null> {
    const row = await guardStore(() =>
      this.tenants.all.selectFrom('chats').where('id', '=', chat).select('space_id').executeTakeFirst(),
    );
    return row?.space_id ?? null;
  }
}
