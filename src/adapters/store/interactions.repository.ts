import { sql, type RawBuilder } from 'kysely';
import { guardStore } from './errors.js';
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

/** An interaction that has to do with a message: its answer (its `n`-th message), or a press of a button below it. */
export type MessageInteraction = KeptInteraction & { n: number };

interface Row {
  update_key: string;
  interaction_id: string;
  application_id: string;
  token_sealed: string | null;
  is_private: boolean;
  began_at: Date;
  expires_at: Date;
}

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

  /** The interaction that a reply answers. */
  async ofReply(replyId: string): Promise<KeptInteraction | undefined> {
    return this.find(sql`join inbox i on i.update_key = one.update_key where i.id = ${replyId}`);
  }

  async ofId(interactionId: string): Promise<KeptInteraction | undefined> {
    return this.find(sql`where one.interaction_id = ${interactionId}`);
  }

  /**
   * The latest interaction through which a message in a channel is reached. What answers one person alone is theirs,
   * whoever presses what below it. To a press that was not accepted another message belongs, which says so.
   */
  async ofMessage(channel: string, messageId: string): Promise<MessageInteraction | undefined> {
    const { rows } = await guardStore(() =>
      sql<Row & { n: number }>`
        select one.update_key, one.interaction_id, one.application_id, one.token_sealed, one.began_at, one.expires_at,
          bool_or(one.is_private) over () as is_private, found.n
        from (
          select i.update_key, p.n from reply_parts p
          join chats c on c.id = p.chat and c.source = 'dc' and c.chat_id = ${channel}
          join inbox i on i.id = p.reply_id where p.message_id = ${messageId}
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

  private async find(where: RawBuilder<unknown>): Promise<KeptInteraction | undefined> {
    const { rows } = await guardStore(() =>
      sql<Row>`select one.* from interactions one ${where}`.execute(this.tenants.all),
    );
    return rows[0] && toKept(rows[0]);
  }
}

const toKept = (row: Row): KeptInteraction => ({
  updateKey: row.update_key,
  interactionId: row.interaction_id,
  applicationId: row.application_id,
  tokenSealed: row.token_sealed,
  isPrivate: row.is_private,
  beganAt: row.began_at,
  expiresAt: row.expires_at,
});
