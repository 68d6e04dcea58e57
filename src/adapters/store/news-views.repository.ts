import { sql } from 'kysely';
import type { ErrorObject } from '../../contracts/bodies.js';
import type { CrewData, GateDecision, GateKind, GateState } from '../../contracts/crew.js';
import { guardStore } from './errors.js';
import type { Tenants } from './tenants.js';

/** What is asked of people, as they are shown it. */
export interface ToldGate {
  kind: GateKind;
  state: GateState;
  ask: string;
  shown: Record<string, unknown>;
  /** What the run was given. */
  inputs: Record<string, unknown>;
  revision: number;
  expiresAt: Date;
  crew: string;
  comment: string | null;
  /** What was decided of what is shown now, in its order. Null: who did has no name. */
  decisions: { name: string | null; decision: GateDecision['decision'] }[];
}

/** Something that was asked, and what has become of it. */
export interface RecentGate {
  runId: string;
  gate: string;
  revision: number;
  state: GateState;
}

/** Most of what was asked that is looked through. */
const MOST_RECENT = 500;

/** How a run ended, or that it has not. */
export interface ToldRun {
  crew: string;
  status: string;
  result: CrewData | null;
  error: ErrorObject | null;
}

/** What news tells of, as it is now. */
export class NewsViewsRepository {
  constructor(private readonly tenants: Tenants) {}

  async gate(daoId: string, run: string, gate: string): Promise<ToldGate | undefined> {
    const { rows } = await guardStore(() =>
      sql<Omit<ToldGate, 'expiresAt'> & { expires_at: Date }>`
        select g.kind, g.state, g.ask, g.shown, g.revision, g.expires_at, g.comment, run.crew, run.inputs, coalesce((
          select jsonb_agg(jsonb_build_object('name', m.name, 'decision', made.decision) order by made.decided_at)
          from crew_decisions made left join members m on m.dao_id = made.dao_id and m.id = made.member_id
          where made.dao_id = g.dao_id and made.run_id = g.run_id and made.gate = g.id
        ), '[]'::jsonb) as decisions
        from crew_gates g join crew_runs run on run.dao_id = g.dao_id and run.run_id = g.run_id
        where g.dao_id = ${daoId} and g.run_id = ${run} and g.id = ${gate}
      `.execute(this.tenants.of(daoId)),
    );
    if (!rows[0]) return undefined;
    const { expires_at: expiresAt, ...told } = rows[0];
    return { ...told, expiresAt };
  }

  /** What was asked in a DAO lately, the newest first. */
  async recentGates(daoId: string): Promise<RecentGate[]> {
    return guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('crew_gates')
        .where('dao_id', '=', daoId)
        .orderBy('asked_at', 'desc')
        .limit(MOST_RECENT)
        .select(['run_id as runId', 'id as gate', 'revision', 'state'])
        .execute(),
    );
  }

  async run(daoId: string, run: string): Promise<ToldRun | undefined> {
    return guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('crew_runs as run')
        .innerJoin('requests as request', 'request.id', 'run.run_id')
        .where('run.dao_id', '=', daoId)
        .where('run.run_id', '=', run)
        .select(['run.crew', 'request.status', 'run.result', 'request.error'])
        .executeTakeFirst(),
    );
  }

  /** The name of a DAO, and of a member of it; null: there is none. */
  async names(daoId: string, member: string): Promise<{ dao: string; member: string | null }> {
    const row = await guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('daos')
        .leftJoin('members', (join) => join.onRef('members.dao_id', '=', 'daos.id').on('members.id', '=', member))
        .where('daos.id', '=', daoId)
        .select(['daos.name as dao', 'members.name as member'])
        .executeTakeFirst(),
    );
    return row ?? { dao: daoId, member: null };
  }
}
