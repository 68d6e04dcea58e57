import { sql, type RawBuilder, type Selectable } from 'kysely';
import type { DecisionInputs } from '../../contracts/request.js';
import type { RecordedDecision } from '../../contracts/whatif.js';
import type { Tenants } from './tenants.js';
import { guardStore } from './errors.js';
import type { DealtPlace, DecisionCursor } from './recorded-decisions.js';
import type { RefusalsTable } from './schema.js';

const DAY_MS = 24 * 3_600_000;

/** Most refusals that are kept for one DAO and code: enough for the guard to see each kind, whoever floods which. */
export const KEPT_REFUSALS = 200;

/** How long a refusal is kept at most, in days: there are words of people in it who were denied. */
export const KEPT_DAYS = 30;

/** Longest text of the metadata that is kept, in UTF-16 units. */
export const KEPT_TEXT = 256;

/** A request that was refused when it was decided. */
export interface NewRefusal {
  id: string;
  daoId: string;
  actor: string;
  at: Date;
  code: string;
  configHash: string;
  inputs: DecisionInputs;
}

/**
 * Refused requests with what they were decided on, so that they can be decided again. Bounded in number, in age and in
 * what is kept of the metadata.
 */
export class RefusalsRepository {
  constructor(private readonly tenants: Tenants) {}

  /**
   * Writes a refusal down, and forgets the oldest of its DAO and code. One that is there already is left as it is. Of
   * the metadata only that is kept which rules can compare.
   */
  async add({ id, daoId, actor, at, code, configHash, inputs }: NewRefusal): Promise<void> {
    const kept = { ...inputs, metadata: comparable(inputs.metadata) };
    // The new row is not seen by the second half, so one less is kept. Rows that another call is just forgetting are
    // left to it: two calls must not wait for each other.
    await guardStore(() =>
      sql`
        with refusal as (
          insert into refusals (id, dao_id, actor, at, code, config_hash, inputs)
          values (${id}, ${daoId}, ${actor}, ${at}, ${code}, ${configHash}, ${JSON.stringify(kept)}::jsonb)
          on conflict (id) do nothing
        ), old as (
          select id from refusals where dao_id = ${daoId} and code = ${code}
          order by at desc, id desc offset ${KEPT_REFUSALS - 1}
        )
        delete from refusals where id in (
          select id from refusals where id in (select id from old) for update skip locked
        )
      `.execute(this.tenants.of(daoId)),
    );
  }

  /**
   * Forgets those that are older than 30 days.
   * @returns how many there were
   */
  async forgetOld(now = new Date()): Promise<number> {
    // As above: what another process is just forgetting is left to it.
    const { numAffectedRows } = await guardStore(() =>
      sql`
        delete from refusals where id in (select id from refusals where at < ${oldestKept(now)} for update skip locked)
      `.execute(this.tenants.all),
    );
    return Number(numAffectedRows ?? 0);
  }

  /**
   * Refusals of all DAOs from a moment on, behind the cursor: newest first, or dealt over the DAOs, and of each DAO
   * over the codes, where the cursor is a place in that order.
   * @param daoId of this DAO alone; absent: of all
   */
  async page(
    since: Date,
    after: DecisionCursor | undefined,
    limit: number,
    daoId?: string,
  ): Promise<RecordedDecision[]> {
    const query = after && 'before' in after ? dealt(since, after, limit) : newest(since, after, limit);
    const db = daoId === undefined ? this.tenants.all : this.tenants.of(daoId);
    const { rows } = await guardStore(() => query.execute(db));
    return rows.map(({ id, dao_id: daoId, at, code, inputs }) => ({
      id,
      daoId,
      at,
      inputs: fromJson(inputs),
      was: { allowed: false, code },
    }));
  }
}

const oldestKept = (now: Date): Date => new Date(now.getTime() - KEPT_DAYS * DAY_MS);

type Row = Pick<Selectable<RefusalsTable>, 'id' | 'dao_id' | 'at' | 'code' | 'inputs'>;

const newest = (
  since: Date,
  after: Exclude<DecisionCursor, DealtPlace> | undefined,
  limit: number,
): RawBuilder<Row> => sql<Row>`
  select id, dao_id, at, code, inputs from refusals
  where at >= ${since}
    and (${after?.at ?? null}::timestamptz is null
      or (at, id) < (${after?.at ?? null}::timestamptz, ${after?.id ?? ''}::text))
  order by at desc, id desc
  limit ${limit}
`;

/** The newest of each code of a DAO come before the second of any; so do those of each DAO. */
const dealt = (since: Date, { before, until }: DealtPlace, limit: number): RawBuilder<Row> => sql<Row>`
  with by_code as (
    select id, dao_id, at, row_number() over (partition by dao_id, code order by at desc, id desc) as rank
    from refusals where at >= ${since} and at <= ${until}
  ), by_dao as (
    select id, at, row_number() over (partition by dao_id order by rank, at desc, id desc) as rank from by_code
  ), page as materialized (
    select id, rank from by_dao order by rank, at desc, id desc limit ${limit} offset ${before}
  )
  select r.id, r.dao_id, r.at, r.code, r.inputs
  from page p join refusals r on r.id = p.id
  order by p.rank, r.at desc, r.id desc
`;

/**
 * Metadata as far as a rule can compare it. What it cannot compare (lists, objects) or what is too long is replaced by
 * an object that tells its kind: the key is still there, and no value of a rule is equal to it.
 */
const comparable = (metadata: DecisionInputs['metadata']): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => {
      const short = typeof value === 'string' ? value.length <= KEPT_TEXT : typeof value !== 'object' || value === null;
      return [key, short ? value : { left_out: Array.isArray(value) ? 'list' : typeof value }];
    }),
  );

/** Inputs as they were: JSON has no way to say that something is undefined but to leave it out. */
const fromJson = (inputs: DecisionInputs): DecisionInputs => ({
  ...inputs,
  agent: inputs.agent,
  source: inputs.source,
  promptHead: inputs.promptHead,
  model: inputs.model,
});
