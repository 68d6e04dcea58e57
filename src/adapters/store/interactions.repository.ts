import { sql } from 'kysely';
import { guardStore } from './errors.js';
import type { InteractionsTable } from './schema-dialogs.js';
import type { Tenants } from './tenants.js';

/** For so long it is known, of an interaction whose token opens nothing any more, for whom its answer is, in days. */
const KEPT_DAYS = 7;

/** An interaction of Discord as it is kept. */
export interface KeptInteraction {
  /** That of its row in the inbox. */
  updateKey: string;
  interactionId: string;
  applicationId: string;
  /** Null: it opens nothing any more. */
  tokenSealed: string | null;
  /** Whether nobody but its person sees what answers it. */
  isPrivate: boolean;
  beganAt: Date;
  expiresAt: Date;
}

/** The interaction that a reply answers. */
export type RepliedInteraction = KeptInteraction & {
  /** Whether it was a press: then there is no place for an answer, but the message with the button. */
  isPress: boolean;
};

/** An interaction that has to do with a message: as its how-manieth, from 0 (the one that its token opens by itself). */
export type MessageInteraction = KeptInteraction & { n: number };

/** What came in from outside: a row of the inbox, or what it follows from (a press that has its person say something). */
const origin = sql`join inbox origin on origin.id = coalesce(substring(i.update_key from '^said:(.+)$'), i.id)`;
const isPress = sql`(origin.body ->> 'kind' = 'button')`;

/** Interactions of Discord, for as long as something may have to be said to them. They are of no DAO. */
export class InteractionsRepository {
  constructor(private readonly tenants: Tenants) {}

  /** @returns false: it is kept already */
  async keep(one: KeptInteraction): Promise<boolean> {
    const { updateKey, interactionId, applicationId, tokenSealed, isPrivate, beganAt, expiresAt } = one;
    const { rows } = await guardStore(() =>
      sql<{ kept: boolean }>`
        select keep_interaction(
          ${updateKey}, ${interactionId}, ${applicationId}, ${tokenSealed}, ${isPrivate}, ${beganAt}, ${expiresAt}
        ) as kept
      `.execute(this.tenants.scopeless),
    );
    return rows[0]?.kept === true;
  }

  async ofReply(replyId: string): Promise<RepliedInteraction | undefined> {
    const { rows } = await guardStore(() =>
      sql<InteractionsTable & { is_press: boolean }>`
        select one.*, ${isPress} as is_press from inbox i ${origin}
        join interactions one on one.update_key = origin.update_key where i.id = ${replyId}
      `.execute(this.tenants.all),
    );
    return rows[0] && { ...toKept(rows[0]), isPress: rows[0].is_press };
  }

  async ofId(interactionId: string): Promise<KeptInteraction | undefined> {
    const row = await guardStore(() =>
      this.tenants.all
        .selectFrom('interactions')
        .selectAll()
        .where('interaction_id', '=', interactionId)
        .executeTakeFirst(),
    );
    return row && toKept(row);
  }

  /**
   * The latest interaction through which a message in a channel is reached. What answers one person alone is theirs,
   * whoever presses what below it. To a press that was not accepted another message belongs, which says so.
   */
  async ofMessage(channel: string, messageId: string): Promise<MessageInteraction | undefined> {
    const { rows } = await guardStore(() =>
      sql<InteractionsTable & { n: number }>`
        select one.update_key, one.interaction_id, one.application_id, one.token_sealed, one.began_at, one.expires_at,
          bool_or(one.is_private) over () as is_private, found.n
        from (
          select origin.update_key, p.n + ${isPress}::integer as n from reply_parts p
          join chats c on c.id = p.chat and c.source = 'dc' and c.chat_id = ${channel}
          join inbox i on i.id = p.reply_id ${origin} where p.message_id = ${messageId}
          union all
          select i.update_key, 0 from inbox i
          join chats c on c.id = i.chat and c.source = 'dc' and c.chat_id = ${channel}
          where i.message_id = ${messageId} and i.body ->> 'kind' = 'button' and i.state <> 'dropped'
        ) found
        join interactions one on one.update_key = found.update_key
        order by one.token_sealed is null, one.expires_at desc limit 1
      `.execute(this.tenants.all),
    );
    return rows[0] && { ...toKept(rows[0]), n: rows[0].n };
  }

  /** Forgets a token that opens nothing. */
  async forgetToken(updateKey: string): Promise<void> {
    await guardStore(() =>
      this.tenants.all
        .updateTable('interactions')
        .set({ token_sealed: null })
        .where('update_key', '=', updateKey)
        .execute(),
    );
  }

  /** Forgets tokens whose time is over, and, later, what is left of them. */
  async sweep(): Promise<void> {
    const { all } = this.tenants;
    await guardStore(() =>
      all
        .updateTable('interactions')
        .set({ token_sealed: null })
        .where('expires_at', '<', sql<Date>`now()`)
        .where('token_sealed', 'is not', null)
        .execute(),
    );
    await guardStore(() =>
      all
        .deleteFrom('interactions')
        .where('expires_at', '<', sql<Date>`now() - make_interval(days => ${KEPT_DAYS})`)
        .execute(),
    );
  }
}

const toKept = (row: InteractionsTable): KeptInteraction => ({
  updateKey: row.update_key,
  interactionId: row.interaction_id,
  applicationId: row.application_id,
  tokenSealed: row.token_sealed,
  isPrivate: row.is_private,
  beganAt: row.began_at,
  expiresAt: row.expires_at,
});
