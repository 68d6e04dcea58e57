import { sql } from 'kysely';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** A group that belongs to no DAO is told so once in so long, in minutes. */
const TOLD_AGAIN_MINUTES = 60;

/** What bots lack where chats are of no DAO by themselves. */
export interface Lacking {
  hasDao: boolean;
  /** Whether somebody has written in private who is a member of nothing. */
  hasStrangers: boolean;
}

/** Chats that are of no DAO, and what came in there. */
export class StrangersRepository {
  constructor(private readonly tenants: Tenants) {}

  /** The DAO that has made an invitation, by the hash of its secret; undefined: none has. */
  async invitedTo(hash: string): Promise<string | undefined> {
    const row = await guardStore(() =>
      this.tenants.all.selectFrom('invitations').where('hash', '=', hash).select('dao_id').executeTakeFirst(),
    );
    return row?.dao_id;
  }

  /** Makes what came in, which was nobody's, a DAO's. */
  async adopt(id: string, daoId: string): Promise<void> {
    await guardStore(() =>
      this.tenants.all
        .updateTable('inbox')
        .set({ dao_id: daoId })
        .where('id', '=', id)
        .where('dao_id', 'is', null)
        .execute(),
    );
  }

  /** Whether a group may be told that it belongs to no DAO, in all its topics: then it is told, and may not be for a while. */
  async mayTell(chat: string): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql`
        update chats set told_at = now() where id in (
          select o.id from chats c join chats o on o.source = c.source and o.space_id = c.space_id
          where c.id = ${chat} order by o.id for update of o
        ) and not exists (
          select from chats c join chats o on o.source = c.source and o.space_id = c.space_id
          where c.id = ${chat} and o.told_at > now() - make_interval(mins => ${TOLD_AGAIN_MINUTES})
        )
        returning id
      `.execute(this.tenants.all),
    );
    return rows.length > 0;
  }

  /** What bots lack where there is no usual DAO. */
  async lacking(): Promise<Lacking> {
    const { rows } = await guardStore(() =>
      sql<{ has_dao: boolean; has_strangers: boolean }>`
        select exists (select from daos) as has_dao, exists (
          select from chats c where c.kind = 'private' and c.dao_id is null
            and not exists (select from identities i where i.user_id = c.user_id)
        ) as has_strangers
      `.execute(this.tenants.all),
    );
    return { hasDao: rows[0]?.has_dao === true, hasStrangers: rows[0]?.has_strangers === true };
  }
}
