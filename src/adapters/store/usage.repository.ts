import { sql, type RawBuilder } from 'kysely';
import type { Usage } from '../../contracts/request.js';
import type { Tenants } from './tenants.js';
import { guardStore } from './errors.js';

/** What an answer used, or one that broke off. */
export interface Spent {
  /** As configured, or `cache` and `database` for answers that no model gave. */
  provider: string;
  usage: Usage;
  /** Requests that it answered; absent: one, or none where it is a step of a run. */
  requests?: number;
}

/** What usage is added up by. */
export type UsageGroup = 'day' | 'provider' | 'key' | 'dao';

/** Which usage to add up; days are ISO dates at UTC, both ends included. */
export interface UsageFilter {
  /** Undefined: of all DAOs. */
  daoId: string | undefined;
  from: string;
  to: string;
  by: UsageGroup;
}

export interface UsageRow {
  /** The day, provider, id of the key, or id of the DAO. */
  name: string;
  requests: number;
  promptTokens: number;
  completionTokens: number;
  costUsd: number;
}

/** Tokens of the month so far. */
export interface MonthTokens {
  key: number;
  dao: number;
}

const COLUMNS = { day: sql`to_char(day, 'YYYY-MM-DD')`, provider: sql`provider`, key: sql`key_id`, dao: sql`dao_id` };

const TODAY = sql`(now() at time zone 'utc')::date`;

/**
 * The part of the statement that records an answer which adds it to `usage_daily`: one more request, its tokens, its
 * cost. To be used as a further `with` part, after one that is called `request` and returns `dao_id` and `key_id` of
 * the request that it has just completed (and `run_id`, unless `requests` is given), and no row if it did not. So an answer is counted exactly if it is recorded:
 *
 *     with request as (
 *       update requests set … where … and ended_at is null
 *       returning id, dao_id, key_id, run_id
 *     ), spent as (
 *       ${usageUpsert({ provider: answer.provider, usage: answer.usage })}
 *     )
 *     update turns set … from request where turns.request_id = request.id returning …
 *
 * PostgreSQL runs such a part once, whether its result is read or not.
 */
export function usageUpsert({ provider, usage, requests }: Spent): RawBuilder<unknown> {
  const counted = requests === undefined ? sql`case when request.run_id is null then 1 else 0 end` : sql`${requests}`;
  return sql`
    insert into usage_daily as total (
      dao_id, day, provider, key_id, requests, prompt_tokens, completion_tokens, cost_usd
    )
    select
      request.dao_id, ${TODAY}, ${provider}::text, request.key_id, (${counted})::bigint,
      ${usage.prompt_tokens}::bigint, ${usage.completion_tokens}::bigint, ${decimal(usage.cost_usd ?? 0)}::numeric
    from request
    on conflict (dao_id, day, provider, key_id) do update set
      requests = total.requests + excluded.requests,
      prompt_tokens = total.prompt_tokens + excluded.prompt_tokens,
      completion_tokens = total.completion_tokens + excluded.completion_tokens,
      cost_usd = total.cost_usd + excluded.cost_usd
  `;
}

/** Without an exponent, and as exact as the column. */
const decimal = (usd: number): string => usd.toFixed(8);

/** What was used: tokens, requests and dollars by DAO, day, provider and key. Written with each answer, read here. */
export class UsageRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Tokens of a key (in all DAOs) and of a DAO (with all keys) since the month began, at UTC and by the database's clock. */
  async monthTokens(keyId: string, daoId: string): Promise<MonthTokens> {
    const tokens = sql`prompt_tokens + completion_tokens`;
    const { rows } = await guardStore(() =>
      sql<Record<keyof MonthTokens, number>>`
        select
          coalesce(sum(${tokens}) filter (where key_id = ${keyId}), 0)::float8 as key,
          coalesce(sum(${tokens}) filter (where dao_id = ${daoId}), 0)::float8 as dao
        from usage_daily
        where day >= date_trunc('month', now() at time zone 'utc')::date and (key_id = ${keyId} or dao_id = ${daoId})
      `.execute(this.tenants.all),
    );
    return rows[0] ?? { key: 0, dao: 0 };
  }

  /** Usage added up by what the filter says: days in their order, all else by tokens, the most first. */
  async report({ daoId, from, to, by }: UsageFilter): Promise<UsageRow[]> {
    const name = COLUMNS[by];
    const order = by === 'day' ? sql`1` : sql`sum(prompt_tokens + completion_tokens) desc, sum(requests) desc, 1`;
    const { rows } = await guardStore(() =>
      sql<UsageRow>`
        select
          ${name} as "name",
          sum(requests)::float8 as "requests",
          sum(prompt_tokens)::float8 as "promptTokens",
          sum(completion_tokens)::float8 as "completionTokens",
          sum(cost_usd)::float8 as "costUsd"
        from usage_daily
        where day between ${from}::date and ${to}::date
          and (${daoId ?? null}::text is null or dao_id = ${daoId ?? null}::text)
        group by 1
        order by ${order}
      `.execute(daoId === undefined ? this.tenants.all : this.tenants.of(daoId)),
    );
    return rows;
  }
}
