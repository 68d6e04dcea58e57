import { sql } from 'kysely';
import type { Asks } from '../../contracts/conversation.js';
import type { OpenUpdate } from '../../contracts/dialog.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** For how long an answer is awaited, in minutes. */
const AWAITED_MINUTES = 15;

/** What people were asked in chats. Whoever is asked something else is not waited for any more. */
export class PendingRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Writes down that somebody is asked something after what they did, in place of anything else. Safe to repeat. */
  async ask({ id, chat, actor }: OpenUpdate, daoId: string, asks: Asks): Promise<void> {
    await guardStore(() =>
      sql`
        with earlier as (
          delete from pending where dao_id = ${daoId} and chat = ${chat} and actor = ${actor} and id <> ${id}
            and (taken_by is null or asked_at < now() - interval '1 day')
        )
        insert into pending as p (id, dao_id, chat, actor, asks, expires_at)
        values (${id}, ${daoId}, ${chat}, ${actor}, ${JSON.stringify(asks)}::jsonb, now() + make_interval(mins => ${AWAITED_MINUTES}))
        on conflict (id) do update set asks = excluded.asks, expires_at = excluded.expires_at, taken_by = null
      `.execute(this.tenants.of(daoId)),
    );
  }

  /** What a message answers, if its author was asked something; the same message answers it again. */
  async take({ id, chat, actor }: OpenUpdate, daoId: string): Promise<Asks | undefined> {
    const { rows } = await guardStore(() =>
      sql<{ asks: Asks }>`
        update pending set taken_by = ${id} where id = (
          select id from pending
          where dao_id = ${daoId} and chat = ${chat} and actor = ${actor} and id <> ${id}
            and (taken_by = ${id} or taken_by is null and expires_at > now())
          order by (taken_by is not null) desc, asked_at desc limit 1
        ) returning asks
      `.execute(this.tenants.of(daoId)),
    );
    return rows[0]?.asks;
  }

  /**
   * Waits no longer for an answer of somebody in a chat.
   * @returns whether one was awaited
   */
  async drop({ chat, actor }: Pick<OpenUpdate, 'chat' | 'actor'>, daoId: string): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql<{ open: boolean }>`
        delete from pending where dao_id = ${daoId} and chat = ${chat} and actor = ${actor} and taken_by is null
        returning expires_at > now() as open
      `.execute(this.tenants.of(daoId)),
    );
    return rows.some(({ open }) => open);
  }
}
