import { sql } from 'kysely';
import { v7 as uuid } from 'uuid';
import type {
  ChatAddress,
  Inbound,
  InboundBody,
  Lane,
  Language,
  Left,
  OpenUpdate,
  Unanswered,
} from '../../contracts/dialog.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** A row that came in and was not done so long after is looked for, in seconds. */
const OVERDUE_SECONDS = 10;

/** An update as it was written down. */
export interface Accepted {
  id: string;
  state: 'waiting' | 'open' | 'done' | 'dropped';
  /** Whether it was delivered for the first time. */
  isNew: boolean;
  /** Whether it came when too much waited in its chat. One that waits all the same is to be done at once: its person is told. */
  isBeyond: boolean;
}

/** What is next of a chat, and whether there is more behind it. */
export type NextUpdate = OpenUpdate & { isMore: boolean };

/** What a message says, with what was joined to it, and how often it was changed. */
export type Joined = Pick<OpenUpdate, 'body' | 'revision'>;

interface NextRow {
  id: string;
  chat: string;
  dao_id: string | null;
  actor: string;
  message_id: string | null;
  body: InboundBody & { left?: Left };
  revision: number;
  stopped: boolean;
  received_at: Date;
  kind: OpenUpdate['kind'];
  language: string | null;
  speaks: Language | null;
  closed: boolean;
  again: boolean;
  asked: boolean;
  more: boolean;
}

/** What came in from platforms, until it is done. */
export class InboxRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * Writes down what came in, once, with its chat. Of whichever DAO it is: that is decided when it is its turn.
   * @param mostWaiting where so many messages wait in the chat, one more is dropped; null: none is
   */
  async accept(inbound: Inbound, mostWaiting: number | null = null): Promise<Accepted> {
    const { place, updateKey, space, actor, language = null, lane, order, messageId, body } = inbound;
    const user = place.kind === 'private' ? actor : null;
    const { rows } = await guardStore(() =>
      sql<{ id: string; state: Accepted['state']; is_new: boolean; is_beyond: boolean }>`
        select id, state, is_new, is_beyond from accept_update(
          ${uuid()}, ${uuid()}, ${updateKey}, ${place.source}, ${place.chat}, ${place.topic ?? ''}, ${place.kind},
          ${space}, ${user}, ${language}, ${lane}, ${String(order)}, ${actor}, ${messageId}, ${JSON.stringify(body)}::jsonb,
          ${new Date()}, ${mostWaiting}
        )
      `.execute(this.tenants.scopeless),
    );
    const [row] = rows;
    if (!row) throw new TypeError('accept_update tells of no row');
    return { id: row.id, state: row.state, isNew: row.is_new, isBeyond: row.is_beyond };
  }

  /**
   * Takes what is next of a chat in a lane. It is the same one until it is finished.
   * @param usualDao the DAO of chats that are mapped to none
   */
  async next(address: ChatAddress, lane: Lane, usualDao: string | undefined): Promise<NextUpdate | undefined> {
    const { source, chat, topic } = address;
    const { rows } = await guardStore(() =>
      sql<NextRow>`select * from next_update(${source}, ${chat}, ${topic}, ${lane}, ${usualDao ?? null})`.execute(
        this.tenants.scopeless,
      ),
    );
    return rows[0] && toNext(rows[0], address);
  }

  /** Messages that wait behind one in its chat, in order. */
  async behind({ id }: OpenUpdate, most: number): Promise<Unanswered[]> {
    const { rows } = await guardStore(() =>
      sql<{ id: string; actor: string; body: InboundBody; received_at: Date; is_free: boolean }>`
        select o.id, o.actor, o.body, o.received_at, o.state = 'waiting' and o.stopped_at is null as is_free
        from inbox i join inbox o
          on o.chat = i.chat and o.lane = i.lane and o.state in ('waiting', 'open') and (o.place, o.id) > (i.place, i.id)
        where i.id = ${id}
        order by o.place, o.id
        limit ${most}
      `.execute(this.tenants.all),
    );
    return rows.map(({ id: of, actor, body, received_at: receivedAt, is_free: isFree }) => ({
      ...{ id: of, actor, body, receivedAt, isFree },
    }));
  }

  /**
   * Joins messages to one that is open, which is answered for all of them from then on: they are done. It is decided once
   * for each message, with none, too. What nobody waits for any more by then stays out.
   * @returns the message as it is now; undefined: it was decided before
   */
  async join({ id, daoId }: OpenUpdate, ids: readonly string[]): Promise<Joined | undefined> {
    const { rows } = await guardStore(() =>
      sql<Joined>`
        with first as (
          select id from inbox where id = ${id} and state = 'open' and not body ? 'more' for update
        ), joined as (
          update inbox as i set state = 'done', done_at = now(), joined_to = first.id, dao_id = ${daoId} from first
          where i.id = any (${[...ids]}::text[]) and i.state = 'waiting' and i.stopped_at is null
          returning i.id, i.place, i.body ->> 'text' as text
        )
        update inbox as i set body = jsonb_set(i.body, '{more}', coalesce(
          (select jsonb_agg(jsonb_build_object('id', j.id, 'text', j.text) order by j.place, j.id) from joined j), '[]'
        ))
        from first where i.id = first.id
        returning i.body, i.revision
      `.execute(this.tenants.all),
    );
    return rows[0];
  }

  /**
   * Ends an act of which something is still to be shown: that is next in a lane of its own, so that other acts do not stand
   * behind it.
   */
  async leave(id: string, left: Left): Promise<void> {
    await guardStore(() =>
      sql`
        update inbox set lane = 'say', body = body || jsonb_build_object('left', ${JSON.stringify(left)}::jsonb)
        where id = ${id} and lane = 'act' and state = 'open'
      `.execute(this.tenants.all),
    );
  }

  /** Ends what came in: it is done, or is of no DAO, so that nobody can do it. */
  async finish(id: string, state: 'done' | 'dropped' = 'done'): Promise<void> {
    await guardStore(() =>
      this.tenants.all
        .updateTable('inbox')
        .set({ state, done_at: sql<Date>`now()` })
        .where('id', '=', id)
        .where('state', '=', 'open')
        .execute(),
    );
  }

  /**
   * Takes back what came in, so that nobody does it any more.
   * @returns false: somebody has begun to do it
   */
  async withdraw(updateKey: string): Promise<boolean> {
    const { all } = this.tenants;
    const withdrawn = await guardStore(() =>
      all
        .updateTable('inbox')
        .set({ state: 'dropped', done_at: sql<Date>`now()` })
        .where('update_key', '=', updateKey)
        .where('state', '=', 'waiting')
        .returning('id')
        .execute(),
    );
    if (withdrawn.length > 0) return true;
    const rows = await guardStore(() =>
      all.selectFrom('inbox').where('update_key', '=', updateKey).select('state').execute(),
    );
    return rows.every(({ state }) => state === 'dropped');
  }

  /**
   * Has a person say something in a chat, as if they had written it: for a press that means just that. It is said once for
   * each thing that it follows from, and stands behind all that waits there, of whichever DAO that will be.
   * @param from what it follows from, of whose DAO it is
   * @param most where so much of theirs waits there already, it is not said; null: it is in any case
   * @returns whether it is said, now or before
   */
  async say(
    { id, chat, actor, messageId }: OpenUpdate,
    daoId: string,
    body: InboundBody,
    most: number | null = null,
  ): Promise<boolean> {
    const key = `said:${id}`;
    const { rows } = await guardStore(() =>
      sql<{ said: boolean }>`
        with now_said as (
          insert into inbox (id, update_key, chat, dao_id, lane, place, actor, message_id, body, received_at)
          select ${uuid()}, ${key}, ${chat}, ${daoId}, 'turn',
            coalesce((select max(place) from inbox where chat = ${chat} and lane = 'turn'), 0), ${actor}, ${messageId},
            ${JSON.stringify(body)}::jsonb, now()
          where ${most}::integer is null or ${most}::integer > (
            select count(*) from inbox
            where chat = ${chat} and actor = ${actor} and lane = 'turn' and state in ('waiting', 'open')
          )
          on conflict (update_key) do nothing
          returning id
        )
        select exists (select from now_said) or exists (select from inbox where update_key = ${key}) as said
      `.execute(this.tenants.all),
    );
    return rows[0]?.said === true;
  }

  /** Puts other words in the place of a message's: what it said is nothing to keep. */
  async reword({ id }: OpenUpdate, daoId: string, text: string): Promise<void> {
    await guardStore(() =>
      sql`
        update inbox set body = jsonb_set(body, '{text}', to_jsonb(${text}::text)) where id = ${id} and dao_id = ${daoId}
      `.execute(this.tenants.of(daoId)),
    );
  }

  /** Chats behind a row with something that ought to be done by now, in the order of their rows. */
  async overdue(after: string, most: number): Promise<{ id: string; address: ChatAddress }[]> {
    const rows = await guardStore(() =>
      this.tenants.all
        .selectFrom('inbox')
        .innerJoin('chats', 'chats.id', 'inbox.chat')
        .where('inbox.state', 'in', ['waiting', 'open'])
        .where('inbox.received_at', '<', sql<Date>`now() - make_interval(secs => ${OVERDUE_SECONDS})`)
        .where('chats.id', '>', after)
        .select(['chats.id', 'chats.source', 'chats.chat_id', 'chats.topic'])
        .distinct()
        .orderBy('chats.id')
        .limit(most)
        .execute(),
    );
    return rows.map(({ id, source, chat_id: chat, topic }) => ({ id, address: { source, chat, topic } }));
  }
}

const toNext = ({ body: { left, ...body }, ...row }: NextRow, address: ChatAddress): NextUpdate => ({
  id: row.id,
  chat: row.chat,
  address,
  kind: row.kind,
  daoId: row.dao_id,
  actor: row.actor,
  messageId: row.message_id,
  body,
  ...(left && { left }),
  revision: row.revision,
  isStopped: row.stopped,
  receivedAt: row.received_at,
  language: row.language,
  speaks: row.speaks,
  isClosed: row.closed,
  isAgain: row.again,
  isAsked: row.asked,
  isMore: row.more,
});
