import { sql } from 'kysely';
import type { Tenants } from './tenants.js';
import { guardStore } from './errors.js';

/** Whose answer it is: the DAO and the rule say how many there may be, the key says everything that it depends on. */
export interface CacheSlot {
  daoId: string;
  rule: string;
  key: string;
}

/** An answer that is kept for others. */
export interface KeptAnswer {
  provider: string;
  text: string;
  finishReason: string;
}

/** Answers kept for others of the same DAO and roles who ask the same. */
export class AnswerCacheRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * A kept answer with its age.
   * @param maxAgeMs how old it may be, in milliseconds; undefined: as old as it is
   */
  async get(
    { daoId, rule, key }: CacheSlot,
    maxAgeMs: number | undefined,
  ): Promise<(KeptAnswer & { ageMs: number }) | undefined> {
    // By the clock of the database, which all processes share.
    const age = sql<number>`greatest(0, round(extract(epoch from (now() - created_at)) * 1000))::float8`;
    const row = await guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('answer_cache')
        .where('dao_id', '=', daoId)
        .where('rule', '=', rule)
        .where('key', '=', key)
        .select(['provider', 'answer as text', 'finish_reason as finishReason', age.as('ageMs')])
        .executeTakeFirst(),
    );
    return row && (maxAgeMs === undefined || row.ageMs <= maxAgeMs) ? row : undefined;
  }

  /**
   * Keeps an answer; one of the same key makes way for it. The oldest of the DAO and rule are forgotten.
   * @param maxEntries most answers of the DAO and rule that stay; more may for a moment, if several come at once
   * @param requestId whose question it answers: once that was forgotten, nothing is kept of its answer
   */
  async put(
    { daoId, rule, key }: CacheSlot,
    { provider, text, finishReason }: KeptAnswer,
    maxEntries: number,
    requestId: string | null = null,
  ): Promise<void> {
    // The question is held while the answer is written: whoever forgets it waits, and then forgets the answer as well.
    // The second half does not see the new row. Rows that another call is just writing are left to it: two calls must
    // not wait for each other.
    await guardStore(() =>
      sql`
        with question as (
          select 1 from turns where dao_id = ${daoId} and request_id = ${requestId}::text for key share
        ), kept as (
          insert into answer_cache (dao_id, rule, key, provider, answer, finish_reason)
          select ${daoId}::text, ${rule}::text, ${key}::text, ${provider}::text, ${text}::text, ${finishReason}::text
          where ${requestId}::text is null or exists (select from question)
          on conflict (dao_id, rule, key) do update set
            provider = excluded.provider, answer = excluded.answer, finish_reason = excluded.finish_reason,
            created_at = now()
        ), old as (
          select key from answer_cache where dao_id = ${daoId} and rule = ${rule} and key <> ${key}
          order by created_at desc, key offset ${Math.max(0, maxEntries - 1)}
        )
        delete from answer_cache where dao_id = ${daoId} and rule = ${rule} and key in (
          select c.key from answer_cache c join old using (key)
          where c.dao_id = ${daoId} and c.rule = ${rule} for update of c skip locked
        )
      `.execute(this.tenants.of(daoId)),
    );
  }
}
