import { sql, type RawBuilder } from 'kysely';
import type { Origin, RequestStatus, Timings } from '../../contracts/request.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** Most comments of members on the answers of a dialog that are read, newest first. */
const MOST_COMMENTS = 20;

/** When something was written: from one moment on, before another. */
export interface Span {
  since?: Date | undefined;
  until?: Date | undefined;
}

/** Which dialogs of a DAO. */
export interface DialogFilter extends Span {
  /** Only those of this person: sessions, and private chats; undefined: everybody's. */
  owner?: string | undefined;
  source?: string | undefined;
}

/** Behind which one, and how many at most. */
export interface Part {
  after: string;
  limit: number;
}

export interface DialogRow {
  id: string;
  /** Of a chat: its row; null: it is that of a session. */
  chat: string | null;
  /** Null: that of a group. */
  user_id: string | null;
  source: string | null;
  created_at: Date;
}

/** A prompt, with the request that answered it and, in chats, the reply. */
export interface PromptRow {
  id: string;
  prompt: string | null;
  /** Of a message that no request answered: what its author was then. */
  roles: string[] | null;
  reply: 'open' | 'done' | 'undeliverable' | null;
  refused: boolean;
  /** From the arrival of the message to its whole answer, in chats; null: it is not known. */
  took_ms: number | null;
  /** Null: no request answered. */
  status: RequestStatus | null;
  request_roles: string[] | null;
  provider: string | null;
  origin: Origin | null;
  timings: Timings | null;
}

/** What members have said of the answers of a dialog. */
export interface Opinions {
  good: number;
  bad: number;
  /** What was wrong, in whatever words, newest first. */
  comments: string[];
}

/** Dialogs as people look at them: of sessions, and of chats with bots. Ids are ordered by time. */
export class DialogsRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Dialogs of a DAO in which something was written within the span, the oldest first. */
  async page(daoId: string, filter: DialogFilter, { after, limit }: Part): Promise<DialogRow[]> {
    const { owner, source } = filter;
    const isWanted = sql`
      ${owner === undefined ? sql`true` : ownedBy(owner)} and ${source === undefined ? sql`true` : sql`d.source = ${source}`}
      and case when d.chat is null
        then exists (
          select from turns t where t.dao_id = d.dao_id and t.dialog_id = d.id and ${within(sql`t.created_at`, filter)}
        )
        else exists (
          select from replies r where r.dao_id = d.dao_id and r.chat = d.chat and r.inbox_id is not null
            and ${within(sql`r.created_at`, filter)}
        ) end
    `;
    const { rows } = await guardStore(() =>
      sql<DialogRow>`
        select ${HEAD} where d.dao_id = ${daoId} and d.id > ${after} and ${isWanted} order by d.id limit ${limit}
      `.execute(this.tenants.of(daoId)),
    );
    return rows;
  }

  /** A dialog of a DAO. @param owner see `DialogFilter` */
  async find(daoId: string, id: string, owner: string | undefined): Promise<DialogRow | undefined> {
    const isTheirs = owner === undefined ? sql`true` : ownedBy(owner);
    const { rows } = await guardStore(() =>
      sql<DialogRow>`select ${HEAD} where d.dao_id = ${daoId} and d.id = ${id} and ${isTheirs}`.execute(
        this.tenants.of(daoId),
      ),
    );
    return rows[0];
  }

  /** What was written in a dialog within the span, the oldest first. */
  async prompts(daoId: string, dialog: Pick<DialogRow, 'id' | 'chat'>, span: Span, part: Part): Promise<PromptRow[]> {
    const { id, chat } = dialog;
    const { rows } = await guardStore(() =>
      (chat === null ? turnsOf({ daoId, id }, span, part) : messagesOf({ daoId, chat }, span, part)).execute(
        this.tenants.of(daoId),
      ),
    );
    return rows;
  }

  /** What members have said of what was answered in a dialog within the span. */
  async opinions(daoId: string, dialogId: string, span: Span): Promise<Opinions> {
    const { rows } = await guardStore(() =>
      sql<Opinions>`
        with said as (
          select f.mark, f.comment, f.at from feedback f join turns t on t.request_id = f.request_id and t.dao_id = f.dao_id
          where f.dao_id = ${daoId} and t.dialog_id = ${dialogId} and ${within(sql`t.created_at`, span)}
        )
        select
          (select count(*)::int from said where mark = 'good') as good,
          (select count(*)::int from said where mark = 'bad') as bad,
          array(select comment from said where comment is not null order by at desc limit ${MOST_COMMENTS}) as comments
      `.execute(this.tenants.of(daoId)),
    );
    return rows[0] ?? { good: 0, bad: 0, comments: [] };
  }
}

const HEAD = sql`
  d.id, d.chat, d.source, d.created_at, coalesce(d.actor, case when c.kind = 'private' then c.user_id end) as user_id
  from dialogs d left join chats c on c.id = d.chat
`;

const ownedBy = (user: string): RawBuilder<boolean> =>
  sql`(d.actor = ${user} or (c.kind = 'private' and c.user_id = ${user}))`;

const within = (at: RawBuilder<unknown>, { since, until }: Span): RawBuilder<boolean> =>
  sql`(${since === undefined ? sql`true` : sql`${at} >= ${since}`} and ${until === undefined ? sql`true` : sql`${at} < ${until}`})`;

const OF_REQUEST = sql`
  q.status, q.provider, q.origin, q.timings,
  array(select jsonb_array_elements_text(q.decision -> 'roles')) as request_roles
`;

/** Turns of a session. */
const turnsOf = (
  { daoId, id }: { daoId: string; id: string },
  span: Span,
  { after, limit }: Part,
): RawBuilder<PromptRow> => sql`
  select t.request_id as id, t.prompt, null::text[] as roles, null as reply, false as refused, null::float8 as took_ms,
    ${OF_REQUEST}
  from turns t join requests q on q.id = t.request_id and q.dao_id = t.dao_id
  where t.dao_id = ${daoId} and t.dialog_id = ${id} and t.request_id > ${after} and ${within(sql`t.created_at`, span)}
  order by t.request_id limit ${limit}
`;

/**
 * Messages of a chat that were answered, each once, whatever answered it. How long one took that was changed, and answered
 * again, is not known.
 */
const messagesOf = (
  { daoId, chat }: { daoId: string; chat: string },
  span: Span,
  { after, limit }: Part,
): RawBuilder<PromptRow> => sql`
  select r.id, i.body ->> 'text' as prompt, r.roles, r.state as reply,
    coalesce(r.content -> 'refused', 'null') <> 'null' as refused,
    case when r.revision = 1 then extract(epoch from r.done_at - i.received_at)::float8 * 1000 end as took_ms,
    ${OF_REQUEST}
  from replies r
  join inbox i on i.id = r.inbox_id and i.dao_id = r.dao_id
  left join requests q on q.id = r.request_id and q.dao_id = r.dao_id
  where r.dao_id = ${daoId} and r.chat = ${chat} and r.id > ${after} and ${within(sql`r.created_at`, span)}
  order by r.id limit ${limit}
`;
