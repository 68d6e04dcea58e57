import { sql } from 'kysely';
import type { ProviderFigures } from '../../contracts/whatif.js';
import type { Db, Tenants } from './tenants.js';
import { guardStore } from './errors.js';

/** How a provider has done of late. Latencies are of calls that gave an answer, null where there was none. */
export interface RecentCalls {
  provider: string;
  calls: number;
  answered: number;
  p50Ms: number | null;
  p95Ms: number | null;
}

/** As many answers as figures are made of: the embedded database does nothing else meanwhile. */
const MOST_ANSWERS = 20_000;

/** What the recorded requests tell about providers. Times are those at which requests came in. */
export class ProviderFiguresRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Calls of one DAO, or (null) of all, at each provider; attempts that were skipped are no calls. */
  async recent(daoId: string | null, since: Date): Promise<RecentCalls[]> {
    const answered = sql`filter (where attempt ->> 'status' = 'ok')`;
    const ms = sql`(attempt ->> 'ms')::float8`;
    const { rows } = await guardStore(() =>
      sql<RecentCalls>`
        select
          attempt ->> 'provider' as "provider",
          count(*)::float8 as "calls",
          (count(*) ${answered})::float8 as "answered",
          percentile_cont(0.5) within group (order by ${ms}) ${answered} as "p50Ms",
          percentile_cont(0.95) within group (order by ${ms}) ${answered} as "p95Ms"
        from requests cross join lateral jsonb_array_elements(attempts) as attempt
        where received_at >= ${since} and attempt ->> 'status' in ('ok', 'failed')
          -- What its caller stopped says nothing about the provider.
          and attempt ->> 'error' is distinct from 'Cancelled'
        group by 1
      `.execute(this.handle(daoId)),
    );
    return rows;
  }

  /** Requests of one DAO, or (null) of all, whose call runs at the moment, in all processes, by provider. */
  async inFlight(daoId: string | null): Promise<Map<string, number>> {
    const rows = await guardStore(() =>
      this.handle(daoId)
        .selectFrom('requests')
        .where('ended_at', 'is', null)
        .where('status', '=', 'running')
        .where('provider', 'is not', null)
        .groupBy('provider')
        .select('provider')
        .select(sql<number>`count(*)::float8`.as('calls'))
        .execute(),
    );
    return new Map(rows.flatMap(({ provider, calls }) => (provider === null ? [] : [[provider, calls] as const])));
  }

  /** What an answer of each provider took and used, from the newest requests that were answered. */
  async figures(since: Date): Promise<ProviderFigures[]> {
    const { rows } = await guardStore(() =>
      sql<ProviderFigures>`
        select
          provider as "provider",
          count(*)::float8 as "calls",
          percentile_cont(0.5) within group (order by (attempt ->> 'ms')::float8) as "p50Ms",
          coalesce(avg((usage ->> 'prompt_tokens')::float8), 0) as "promptTokens",
          coalesce(avg((usage ->> 'completion_tokens')::float8), 0) as "completionTokens"
        from (
          select provider, usage, attempts from requests
          where received_at >= ${since} and status = 'completed'
          order by received_at desc
          limit ${MOST_ANSWERS}
        ) as answered cross join lateral jsonb_array_elements(attempts) as attempt
        where attempt ->> 'status' = 'ok' and attempt ->> 'provider' = provider
        group by provider
        order by provider
      `.execute(this.tenants.all),
    );
    return rows;
  }

  private handle(daoId: string | null): Db {
    return daoId === null ? this.tenants.all : this.tenants.of(daoId);
  }
}
