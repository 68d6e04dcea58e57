import { sql, type RawBuilder } from 'kysely';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** Most rows of a kind that go at once, so that nobody else waits for it. */
const AT_ONCE = 1_000;

/** A message that is to change with what it shows, as long as that is told. */
const follows = (id: RawBuilder<unknown>): RawBuilder<boolean> =>
  sql`exists (select from deliveries where deliveries.id = ${id})`;

/** What chats wrote and were shown, once that is long ago. */
export class OldDialogsRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * Deletes what was done so many days ago: messages with the replies to them, those of no DAO too; messages about news
   * that is gone; what people were offered or asked and cannot answer any more. What waits stays, however old, and so does
   * what shows something that may still change. A few at a time: the next call goes on.
   * @returns how many messages and replies
   */
  async forget(days: number): Promise<number> {
    const before = sql`now() - make_interval(days => ${days})`;
    const { all } = this.tenants;
    // With them go the replies to them, those replies' messages, and what was joined to them.
    const messages = await guardStore(() =>
      sql`
        delete from inbox where id in (
          select i.id from inbox i
          where i.state in ('done', 'dropped') and i.done_at < ${before} and not ${follows(sql`i.id`)}
          order by i.done_at limit ${AT_ONCE}
        )
      `.execute(all),
    );
    const replies = await guardStore(() =>
      sql`
        delete from replies where id in (
          select r.id from replies r
          where r.inbox_id is null and r.created_at < ${before} and not ${follows(sql`r.id`)}
          order by r.created_at limit ${AT_ONCE}
        )
      `.execute(all),
    );
    for (const table of ['offers', 'pending'] as const) {
      await guardStore(() =>
        sql`
          delete from ${sql.table(table)} where id in (
            select id from ${sql.table(table)} where expires_at < ${before} limit ${AT_ONCE}
          )
        `.execute(all),
      );
    }
    return Number(messages.numAffectedRows ?? 0) + Number(replies.numAffectedRows ?? 0);
  }
}
