import { sql } from 'kysely';
import type { DecisionInputs } from '../../contracts/request.js';
import type { RecordedDecision } from '../../contracts/whatif.js';
import type { Db } from './database.js';
import { guardStore } from './errors.js';
import type { DecisionCursor } from './recorded-decisions.js';

/** Most refusals that are kept for one DAO and code: enough for the guard to see each kind, whoever floods which. */
export const KEPT_REFUSALS = 200;

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

/** Refused requests with what they were decided on, so that they can be decided again. Bounded: the oldest go. */
export class RefusalsRepository {
  constructor(private readonly db: Db) {}

  /** Writes a refusal down, and forgets the oldest of its DAO and code. One that is there already is left as it is. */
  async add({ id, daoId, actor, at, code, configHash, inputs }: NewRefusal): Promise<void> {
    // The new row is not seen by the second half, so one less is kept. Rows that another call is just forgetting are
    // left to it: two calls must not wait for each other.
    await guardStore(() =>
      sql`
        with refusal as (
          insert into refusals (id, dao_id, actor, at, code, config_hash, inputs)
          values (${id}, ${daoId}, ${actor}, ${at}, ${code}, ${configHash}, ${JSON.stringify(inputs)}::jsonb)
          on conflict (id) do nothing
        ), old as (
          select id from refusals where dao_id = ${daoId} and code = ${code}
          order by at desc, id desc offset ${KEPT_REFUSALS - 1}
        )
        delete from refusals where id in (
          select r.id from refusals r join old using (id) for update of r skip locked
        )
      `.execute(this.db),
    );
  }

  /** Refusals of all DAOs, newest first, from a moment on, behind the cursor. */
  async page(since: Date, after: DecisionCursor | undefined, limit: number): Promise<RecordedDecision[]> {
    const rows = await guardStore(() =>
      this.db
        .selectFrom('refusals')
        .where('at', '>=', since)
        .$if(after !== undefined, (query) =>
          query.where(sql<boolean>`(at, id) < (${after?.at ?? null}::timestamptz, ${after?.id ?? ''}::text)`),
        )
        .orderBy('at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit)
        .select(['id', 'dao_id', 'at', 'code', 'inputs'])
        .execute(),
    );
    return rows.map(({ id, dao_id: daoId, at, code, inputs }) => ({
      id,
      daoId,
      at,
      inputs: fromJson(inputs),
      was: { allowed: false, code },
    }));
  }
}

/** Inputs as they were: JSON has no way to say that something is undefined but to leave it out. */
const fromJson = (inputs: DecisionInputs): DecisionInputs => ({
  ...inputs,
  agent: inputs.agent,
  source: inputs.source,
  promptHead: inputs.promptHead,
});
