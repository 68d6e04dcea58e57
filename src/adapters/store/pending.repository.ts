import { sql } from 'kysely';
import type { Asks } from '../../contracts/conversation.js';
import type { OpenUpdate } from '../../contracts/dialog.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** For how long an answer is awaited, in minutes. */
const AWAITED_MINUTES = 15;

/** A question that somebody answers. */
interface Question {
  id: string;
  asks: Asks;
  /** Whether the message answers it already. */
  mine: boolean;
  taken: boolean;
  over: boolean;
}

/**
 * What people were asked in chats. What they say next answers the last question, unless they were asked, or said, something
 * else meanwhile: then a reply to the question itself does, as long as its time is not over.
 */
export class PendingRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Writes down that somebody is asked something after what they did; anything else is set aside. Safe to repeat. */
  async ask({ id, chat, actor }: OpenUpdate, daoId: string, asks: Asks): Promise<void> {
    await guardStore(() =>
      sql`
        with old as (
          delete from pending where dao_id = ${daoId} and chat = ${chat} and actor = ${actor} and id <> ${id}
            and asked_at < now() - interval '1 day'
        ), earlier as (
          update pending set state = 'aside' where dao_id = ${daoId} and chat = ${chat} and actor = ${actor} and id <> ${id}
            and asked_at >= now() - interval '1 day' and taken_by is null and state = 'asked'
        )
        insert into pending as p (id, dao_id, chat, actor, asks, expires_at)
        values (${id}, ${daoId}, ${chat}, ${actor}, ${JSON.stringify(asks)}::jsonb, now() + make_interval(mins => ${AWAITED_MINUTES}))
        on conflict (id) do update set asks = excluded.asks, expires_at = excluded.expires_at, taken_by = null, state = 'asked'
      `.execute(this.tenants.of(daoId)),
    );
  }

  /**
   * What a message answers, if its author was asked something; the same message answers it again.
   * @returns `over`: it is a reply to a question that nobody waits for any more
   */
  async take(update: OpenUpdate, daoId: string): Promise<Asks | 'over' | undefined> {
    const replied = await this.repliedTo(update, daoId);
    if (replied && !replied.taken && replied.over) return 'over';
    const question = replied && !(replied.taken && !replied.mine) ? replied : await this.last(update, daoId);
    if (!question) return undefined;
    await guardStore(() =>
      sql`update pending set taken_by = ${update.id} where id = ${question.id} and dao_id = ${daoId}`.execute(
        this.tenants.of(daoId),
      ),
    );
    return question.asks;
  }

  /** The question of its author's to which a message is a reply. */
  private async repliedTo({ id, chat, actor, body }: OpenUpdate, daoId: string): Promise<Question | undefined> {
    const replyTo = body.kind === 'message' ? body.replyTo : undefined;
    if (replyTo === undefined) return undefined;
    const { rows } = await guardStore(() =>
      sql<Question>`
        select p.id, p.asks, coalesce(p.taken_by = ${id}, false) as mine, p.taken_by is not null as taken,
          p.state = 'dropped' or p.expires_at <= now() as over
        from reply_parts part
        join replies reply on reply.dao_id = part.dao_id and reply.id = part.reply_id
        join pending p on p.dao_id = reply.dao_id and p.id = reply.inbox_id
        where part.dao_id = ${daoId} and part.chat = ${chat} and part.message_id = ${replyTo}
          and p.chat = ${chat} and p.actor = ${actor} and p.id <> ${id}
        limit 1
      `.execute(this.tenants.of(daoId)),
    );
    return rows[0];
  }

  /** The question that somebody was asked last, unless they said something else since. */
  private async last({ id, chat, actor }: OpenUpdate, daoId: string): Promise<Question | undefined> {
    const { rows } = await guardStore(() =>
      sql<Question>`
        select id, asks, coalesce(taken_by = ${id}, false) as mine, taken_by is not null as taken, false as over from pending
        where dao_id = ${daoId} and chat = ${chat} and actor = ${actor} and id <> ${id}
          and (taken_by = ${id} or taken_by is null and state = 'asked' and expires_at > now())
        order by (taken_by is not null) desc, asked_at desc limit 1
      `.execute(this.tenants.of(daoId)),
    );
    return rows[0];
  }

  /** What somebody says next answers no question any more; a reply to one does. */
  async setAside({ chat, actor }: Pick<OpenUpdate, 'chat' | 'actor'>, daoId: string): Promise<void> {
    await guardStore(() =>
      sql`
        update pending set state = 'aside'
        where dao_id = ${daoId} and chat = ${chat} and actor = ${actor} and taken_by is null and state = 'asked'
      `.execute(this.tenants.of(daoId)),
    );
  }

  /**
   * Waits no longer for an answer of somebody in a chat.
   * @returns whether one was awaited
   */
  async drop({ chat, actor }: Pick<OpenUpdate, 'chat' | 'actor'>, daoId: string): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql<{ open: boolean }>`
        update pending set state = 'dropped'
        where dao_id = ${daoId} and chat = ${chat} and actor = ${actor} and taken_by is null and state <> 'dropped'
        returning expires_at > now() as open
      `.execute(this.tenants.of(daoId)),
    );
    return rows.some(({ open }) => open);
  }
}
