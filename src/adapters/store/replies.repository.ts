import { sql, type RawBuilder } from 'kysely';
import { GUEST_ROLE } from '../../contracts/access.js';
import type { OpenUpdate, Reply, ReplyContent, ReplyPart } from '../../contracts/dialog.js';
import { PLATFORMS } from '../../contracts/messenger.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** What a reply is to show: words that are there, or the answer of a request. */
export type ReplyMade = { content: ReplyContent } | { requestId: string };

/** A reply as far as it is on record. */
export type RecordedReply = Pick<Reply, 'id' | 'content' | 'requestId' | 'generation' | 'parts'> & {
  revision: number;
  /** Whether nobody has written it before: its first message is written down as `sending`, and is not there for certain. */
  isNew: boolean;
  isDone: boolean;
  /** Whether the author of the message that it answers wants no answer any more. */
  isStopped: boolean;
};

/** Which reply, and as its how-manieth writer. */
export type WriterOf = Pick<Reply, 'id' | 'daoId' | 'chat' | 'generation'>;

interface Row {
  id: string;
  content: ReplyContent | null;
  request_id: string | null;
  revision: number;
  generation: number;
  state: string;
  stopped: boolean;
  parts: { n: number; state: ReplyPart['state']; message_id: string | null; shown: string | null }[] | null;
}

/** A message of a reply, and what it shows by now. */
export type Shown = Pick<ReplyPart, 'n' | 'shown'>;

/** What messages a reply consisted of before the statement, as JSON. */
const partsOf = sql`(
  select jsonb_agg(jsonb_build_object('n', p.n, 'state', p.state, 'message_id', p.message_id, 'shown', p.shown) order by p.n)
  from reply_parts p where p.reply_id = reply.id
)`;

/** What somebody is in a DAO. */
const rolesOf = (daoId: string, actor: string): RawBuilder<string[]> => sql`coalesce(
  (
    select m.roles from identities i join members m on m.dao_id = i.dao_id and m.id = i.member_id
    where i.dao_id = ${daoId} and i.user_id = ${actor}
  ),
  array[${GUEST_ROLE}]::text[]
)`;

/** Whether what a reply answers was stopped. */
const stopped = sql`exists (select from inbox i where i.id = reply.inbox_id and i.stopped_at is not null)`;

/**
 * What a reply answers, as it is at last: whoever stops it at the same moment waits until the reply is there, or is waited
 * for. It is locked behind the reply, as whoever finishes both does.
 */
const asked = sql`asked as (
  select i.stopped_at from inbox i join reply on reply.inbox_id = i.id for update of i
),`;

/** Writes down that the first message of a reply is about to be created, and tells of the reply. */
const announced = (isStopped: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  first as (
    insert into reply_parts (dao_id, reply_id, n, chat, state) select dao_id, id, 0, chat, 'sending' from reply
    on conflict do nothing
  )
  select id, content, request_id, revision, generation, state, ${isStopped} as stopped, ${partsOf} as parts from reply
`;

/** The dialog of a chat, in which no request has been made yet: a request brings it along. */
const dialogOf = ({ id, chat, address }: OpenUpdate, daoId: string): RawBuilder<unknown> => sql`dialog as (
  insert into dialogs (id, dao_id, chat, source) values (${id}, ${daoId}, ${chat}, ${PLATFORMS[address.source]})
  on conflict do nothing
),`;

/** Replies, and the messages that they are made of. Only the latest writer of a reply changes anything. */
export class RepliesRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * Writes down what a reply shows, and makes whoever asks its writer, who is about to create its first message unless it
   * is there. Once that is written down it stays, unless the message that it answers has changed since. Words that no
   * request gives make a turn of the chat's dialog, too.
   */
  async begin(update: OpenUpdate, daoId: string, made: ReplyMade): Promise<RecordedReply> {
    const { id, chat, actor, revision } = update;
    const content = 'content' in made ? JSON.stringify(made.content) : null;
    const requestId = 'requestId' in made ? made.requestId : null;
    const { rows } = await guardStore(() =>
      sql<Row>`
        with ${content === null ? sql`` : dialogOf(update, daoId)} reply as (
          insert into replies as r (id, dao_id, chat, inbox_id, actor, revision, request_id, content, roles, generation)
          values (
            ${id}, ${daoId}, ${chat}, ${id}, ${actor}, ${revision}, ${requestId}, ${content}::jsonb,
            ${requestId === null ? rolesOf(daoId, actor) : null}, 1
          )
          on conflict (id) do update set
            generation = r.generation + 1,
            revision = excluded.revision,
            content = case when r.revision < excluded.revision then excluded.content else r.content end,
            roles = case when r.revision < excluded.revision then excluded.roles else r.roles end,
            request_id = case when r.revision < excluded.revision then excluded.request_id else r.request_id end,
            state = case when r.revision < excluded.revision then 'open' else r.state end,
            done_at = case when r.revision < excluded.revision then null else r.done_at end
          returning r.*
        ), ${asked} ${announced(sql`exists (select from asked where stopped_at is not null)`)}
      `.execute(this.tenants.of(daoId)),
    );
    const [row] = rows;
    if (!row) throw new TypeError('a reply was not written down');
    return toRecorded(row);
  }

  /** As `begin`, of a message that answers nothing; what it shows may be something else each time. */
  async beginNews(
    { id, daoId, chat }: { id: string; daoId: string; chat: string },
    content: ReplyContent,
  ): Promise<RecordedReply> {
    const { rows } = await guardStore(() =>
      sql<Row>`
        with reply as (
          insert into replies as r (id, dao_id, chat, content, generation)
          values (${id}, ${daoId}, ${chat}, ${JSON.stringify(content)}::jsonb, 1)
          on conflict (id) do update set
            generation = r.generation + 1, content = excluded.content, state = 'open'
          returning r.*
        ), ${announced(sql`false`)}
      `.execute(this.tenants.of(daoId)),
    );
    const [row] = rows;
    if (!row) throw new TypeError('a message was not written down');
    return toRecorded(row);
  }

  /** Makes whoever asks the writer of a reply that is there. Undefined: there is none. */
  async claim(id: string, daoId: string): Promise<RecordedReply | undefined> {
    const { rows } = await guardStore(() =>
      sql<Row>`
        update replies as reply set generation = generation + 1
        where id = ${id} and dao_id = ${daoId}
        returning reply.id, content, request_id, revision, generation, state, ${stopped} as stopped, ${partsOf} as parts
      `.execute(this.tenants.of(daoId)),
    );
    return rows[0] && toRecorded(rows[0]);
  }

  /**
   * Writes down how a message of a reply stands. One that was about to be created, and is so again, may be there twice.
   * @returns false if somebody else writes the reply by now; then nothing was changed
   */
  async put({ id, daoId, chat, generation }: WriterOf, { n, state, messageId, shown }: ReplyPart): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql`
        insert into reply_parts as part (dao_id, reply_id, n, chat, state, message_id, shown)
        select ${daoId}, id, ${n}, ${chat}, ${state}, ${messageId}, ${shown}
        from replies where id = ${id} and dao_id = ${daoId} and generation = ${generation}
        on conflict (reply_id, n) do update set
          state = excluded.state, message_id = excluded.message_id, shown = excluded.shown, changed_at = now(),
          again = part.again or part.state = 'sending' and excluded.state = 'sending'
        returning part.n
      `.execute(this.tenants.of(daoId)),
    );
    return rows.length === 1;
  }

  /** Forgets messages of a reply from the n-th on, which are there no more. */
  async dropFrom({ id, daoId }: WriterOf, n: number): Promise<void> {
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .deleteFrom('reply_parts')
        .where('dao_id', '=', daoId)
        .where('reply_id', '=', id)
        .where('n', '>=', n)
        .execute(),
    );
  }

  /**
   * Ends a reply, and what it answers unless that has changed since. One that shows something else now was done before.
   * @param shown what messages that are there have been changed to
   * @returns false if somebody else writes the reply by now
   */
  async finish({ id, daoId, generation }: WriterOf, shown: readonly Shown[] = []): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql`
        with reply as (
          update replies set state = 'done', done_at = coalesce(done_at, now())
          where id = ${id} and dao_id = ${daoId} and generation = ${generation}
          returning inbox_id, revision
        ), answered as (
          update inbox set state = 'done', done_at = now() from reply
          where inbox.id = reply.inbox_id and inbox.revision = reply.revision and inbox.state = 'open'
        )${shown.length === 0 ? sql`` : showing(id, daoId, shown)}
        select from reply
      `.execute(this.tenants.of(daoId)),
    );
    return rows.length === 1;
  }

  /** Ends a reply that cannot be shown, whoever writes it. */
  async giveUp(id: string, daoId: string | null): Promise<void> {
    if (daoId === null) return;
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .updateTable('replies')
        .set({ state: 'undeliverable', done_at: sql<Date>`now()` })
        .where('id', '=', id)
        .where('dao_id', '=', daoId)
        .where('state', '=', 'open')
        .execute(),
    );
  }
}

const showing = (id: string, daoId: string, shown: readonly Shown[]): RawBuilder<unknown> => sql`, showing as (
  update reply_parts part set shown = one.shown, changed_at = now()
  from reply, jsonb_to_recordset(${JSON.stringify(shown)}::jsonb) as one (n integer, shown text)
  where part.reply_id = ${id} and part.dao_id = ${daoId} and part.n = one.n
)`;

const toRecorded = (row: Row): RecordedReply => ({
  id: row.id,
  content: row.content,
  requestId: row.request_id,
  revision: row.revision,
  generation: row.generation,
  isNew: row.generation === 1,
  isDone: row.state !== 'open',
  isStopped: row.stopped,
  parts: (row.parts ?? []).map(({ n, state, message_id: messageId, shown }) => ({ n, state, messageId, shown })),
});
