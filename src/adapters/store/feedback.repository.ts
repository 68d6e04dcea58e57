import { sql } from 'kysely';
import type { Mark } from '../../contracts/conversation.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** Whose opinion of which answer. */
export interface OpinionOf {
  daoId: string;
  requestId: string;
  actor: string;
}

/** What people think of answers: one opinion each, which they may change. */
export class FeedbackRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * Writes down what somebody thinks of an answer. What they said to another mark is none of this one.
   * @returns whether they had not said so before
   */
  async mark({ daoId, requestId, actor }: OpinionOf, mark: Mark, way: 'button' | 'reaction'): Promise<boolean> {
    const { rows } = await guardStore(() =>
      sql<{ was: Mark | null }>`
        with before as (
          select mark from feedback where dao_id = ${daoId} and request_id = ${requestId} and actor = ${actor}
        )
        insert into feedback as f (dao_id, request_id, actor, mark, way)
        values (${daoId}, ${requestId}, ${actor}, ${mark}, ${way})
        on conflict (dao_id, request_id, actor) do update set
          comment = case when f.mark = excluded.mark then f.comment end,
          mark = excluded.mark, way = excluded.way, at = now()
        returning (select mark from before) as was
      `.execute(this.tenants.of(daoId)),
    );
    return rows[0]?.was !== mark;
  }

  /** Takes back what somebody said by a reaction. */
  async takeBack({ daoId, requestId, actor }: OpinionOf): Promise<void> {
    await guardStore(() =>
      this.tenants
        .of(daoId)
        .deleteFrom('feedback')
        .where('dao_id', '=', daoId)
        .where('request_id', '=', requestId)
        .where('actor', '=', actor)
        .where('way', '=', 'reaction')
        .execute(),
    );
  }

  /**
   * Writes down what was wrong with an answer.
   * @returns false if whoever says so has not found it bad
   */
  async comment({ daoId, requestId, actor }: OpinionOf, comment: string): Promise<boolean> {
    const row = await guardStore(() =>
      this.tenants
        .of(daoId)
        .updateTable('feedback')
        .set({ comment, at: sql<Date>`now()` })
        .where('dao_id', '=', daoId)
        .where('request_id', '=', requestId)
        .where('actor', '=', actor)
        .where('mark', '=', 'bad')
        .returning('request_id')
        .executeTakeFirst(),
    );
    return row !== undefined;
  }
}
