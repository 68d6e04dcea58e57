import { sql } from 'kysely';
import type { RunState } from '../../contracts/crew.js';
import type { RunSummary, SeenGate, SeenRun, SeenStep, SeenTask } from '../../contracts/crew-view.js';
import { guardStore } from './errors.js';
import type { RunPlace } from './crew-steps.js';
import type { Db, Tenants } from './tenants.js';

/** Which runs to list. */
export interface RunFilter {
  /** Behind this run; undefined or empty: from the newest on. */
  after?: string | undefined;
  limit: number;
  /** Only those that somebody started, or that are about them. */
  actor: string | undefined;
  crew?: string | undefined;
  state?: RunState | undefined;
}

/** A run with everything about it but the sum of what it used. */
export type RecordedRun = Omit<SeenRun, 'spent'> & {
  /** What turns used that gave no answer. */
  lost: { tokens: number; usd: number };
  /** The member who answers for the key that started it, or `platform`; null: the key opens all DAOs. */
  answers: string | null;
  /** Whom it is about, as a member; null: nobody, or no member. */
  subject_member: string | null;
};

/** Runs of crews as people look at them. */
export class CrewViewsRepository {
  constructor(private readonly tenants: Tenants) {}

  /** Where a run is: of one DAO, or (null) of whatever DAO. */
  async place(runId: string, daoId: string | null): Promise<RunPlace | undefined> {
    const db = daoId === null ? this.tenants.all : this.tenants.of(daoId);
    const row = await guardStore(() =>
      db.selectFrom('crew_runs').where('run_id', '=', runId).select('dao_id').executeTakeFirst(),
    );
    return row && { runId, daoId: row.dao_id };
  }

  /** Whether nothing of a run goes on until people decide. */
  async waits({ runId, daoId }: RunPlace): Promise<boolean> {
    const asked = this.tenants
      .of(daoId)
      .selectFrom('crew_gates')
      .where('run_id', '=', runId)
      .where('dao_id', '=', daoId)
      .where('state', '=', 'open')
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('requests')
              .where('run_id', '=', runId)
              .where('dao_id', '=', daoId)
              .where('ended_at', 'is', null)
              .select('id'),
          ),
        ),
      );
    return (await guardStore(() => asked.select('id').limit(1).executeTakeFirst())) !== undefined;
  }

  /** A run with everything about it. */
  async run(runId: string, daoId: string): Promise<RecordedRun | undefined> {
    const db = this.tenants.of(daoId);
    const place = { runId, daoId };
    return guardStore(async () => {
      const row = await head(db, place);
      if (!row) return undefined;
      const [tasks, steps, gates] = [await tasksOf(db, place), await stepsOf(db, place), await gatesOf(db, place)];
      const { definition, lost_tokens: lost, lost_usd: lostUsd, ...run } = row;
      const done = new Map(tasks.map((task) => [task.task, task]));
      return {
        ...run,
        definition,
        state: stateOf(run.status, gates, steps),
        tasks: Object.entries(definition.tasks).map(([task, { agent }]) => ({
          ...(done.get(task) ?? waiting(task)),
          agent,
        })),
        steps,
        gates,
        lost: { tokens: Number(lost), usd: Number(lostUsd) },
      };
    });
  }

  /** Runs of a DAO, the newest first. Ids are ordered by time. */
  async page(daoId: string, { after, limit, actor, crew, state }: RunFilter): Promise<RunSummary[]> {
    const open = sql<number>`(select count(*)::int from crew_gates g where g.run_id = run.run_id and g.state = 'open')`;
    return guardStore(() =>
      this.tenants
        .of(daoId)
        .selectFrom('crew_runs as run')
        .innerJoin('requests as request', 'request.id', 'run.run_id')
        .where('run.dao_id', '=', daoId)
        .$if(after !== undefined && after !== '', (query) => query.where('run.run_id', '<', after ?? ''))
        .$if(crew !== undefined, (query) => query.where('run.crew', '=', crew ?? ''))
        .$if(actor !== undefined, (query) =>
          query.where((eb) => eb.or([eb('request.actor', '=', actor ?? ''), eb('run.subject', '=', actor ?? '')])),
        )
        .$if(state === 'waiting_approval', (query) => query.where(open, '>', 0))
        .$if(state === 'running', (query) => query.where('request.ended_at', 'is', null))
        .$if(state === 'completed' || state === 'failed' || state === 'cancelled', (query) =>
          query.where('request.status', '=', state as 'completed' | 'failed' | 'cancelled'),
        )
        .orderBy('run.run_id', 'desc')
        .limit(limit)
        .select([
          ...([
            'run.run_id',
            'run.crew',
            'run.hash as version',
            'request.status',
            'request.actor as started_by',
          ] as const),
          ...(['run.subject', 'request.received_at as started_at', 'request.ended_at'] as const),
          open.as('open_gates'),
        ])
        .execute(),
    );
  }
}

const head = (db: Db, { runId, daoId }: RunPlace) =>
  db
    .selectFrom('crew_runs as run')
    .innerJoin('requests as request', 'request.id', 'run.run_id')
    .innerJoin('crew_versions as version', (join) =>
      join
        .onRef('version.dao_id', '=', 'run.dao_id')
        .onRef('version.crew', '=', 'run.crew')
        .onRef('version.hash', '=', 'run.hash'),
    )
    .leftJoin('identities as identity', (join) =>
      join.onRef('identity.dao_id', '=', 'run.dao_id').onRef('identity.user_id', '=', 'request.actor'),
    )
    .leftJoin('identities as about', (join) =>
      join.onRef('about.dao_id', '=', 'run.dao_id').onRef('about.user_id', '=', 'run.subject'),
    )
    .leftJoin('api_keys as key', 'key.id', 'request.key_id')
    .where('run.run_id', '=', runId)
    .where('run.dao_id', '=', daoId)
    .select([
      ...(['run.run_id', 'run.dao_id', 'run.crew', 'run.hash as version', 'run.subject', 'run.inputs'] as const),
      ...(['run.base_run', 'run.result', 'run.lost_tokens', 'run.lost_usd', 'version.definition'] as const),
      ...(['request.status', 'request.actor as started_by', 'request.received_at as started_at'] as const),
      ...(['request.ended_at', 'request.error', 'identity.member_id as starter', 'key.owner as answers'] as const),
      'about.member_id as subject_member',
    ])
    .executeTakeFirst();

const tasksOf = (db: Db, { runId, daoId }: RunPlace): Promise<Omit<SeenTask, 'agent'>[]> =>
  db
    .selectFrom('crew_tasks')
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .select(['task', 'state', 'round', 'attempt', 'output', 'problem', 'notes', 'reused_from', 'began_at', 'ended_at'])
    .execute();

async function stepsOf(db: Db, { runId, daoId }: RunPlace): Promise<SeenStep[]> {
  const rows = await db
    .selectFrom('requests')
    .innerJoin('turns', 'turns.request_id', 'requests.id')
    .where('requests.run_id', '=', runId)
    .where('requests.dao_id', '=', daoId)
    .orderBy('requests.received_at')
    .orderBy('requests.id')
    .select([
      ...(['requests.id', 'requests.step', 'requests.mode', 'requests.metadata', 'requests.status'] as const),
      ...(['requests.provider', 'requests.usage', 'requests.attempts', 'requests.timings', 'requests.error'] as const),
      ...(['requests.received_at', 'requests.ended_at', 'turns.call', 'turns.tool', 'turns.answer'] as const),
      ...(['turns.parts', 'turns.result'] as const),
    ])
    .execute();
  return rows.map((row): SeenStep => {
    const { task, agent, label } = row.metadata as { task: string; agent: string; label: string };
    const calls = row.parts?.toolCalls;
    const said = row.answer === null ? null : { text: row.answer, ...(calls && { tool_calls: calls }) };
    const isTool = row.mode === 'devtools';
    return {
      ...{ id: row.id, step: row.step ?? '', task, agent, label, kind: isTool ? 'tool' : 'model', status: row.status },
      input: (isTool ? (row.tool as SeenStep['input']) : row.call) ?? null,
      output: isTool ? (row.result === null ? null : { result: row.result }) : said,
      ...{ provider: row.provider, usage: row.usage, attempts: row.attempts, error: row.error },
      ms: row.timings.llm ?? row.timings.tool ?? 0,
      ...{ started_at: row.received_at, ended_at: row.ended_at },
    };
  });
}

async function gatesOf(db: Db, { runId, daoId }: RunPlace): Promise<SeenGate[]> {
  const rows = await db
    .selectFrom('crew_gates')
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .orderBy('asked_at')
    .orderBy('id')
    .select(['id', 'kind', 'task', 'state', 'ask', 'shown', 'rules', 'revision', 'asked_at', 'remind_at'])
    .select(['reminded_at', 'expires_at', 'decided_at'])
    .execute();
  const decisions = await db
    .selectFrom('crew_decisions')
    .where('run_id', '=', runId)
    .where('dao_id', '=', daoId)
    .orderBy('decided_at')
    .select(['gate', 'member_id as by', 'decision', 'comment', 'revision', 'decided_at as at'])
    .execute();
  return rows.map((gate) => ({
    ...gate,
    decisions: decisions.filter((one) => one.gate === gate.id).map(({ gate: _gate, ...one }) => one),
  }));
}

const waiting = (task: string): Omit<SeenTask, 'agent'> => ({
  ...{ task, state: 'waiting', round: 1, attempt: 1, output: null, problem: null, notes: [] },
  ...{ reused_from: null, began_at: null, ended_at: null },
});

function stateOf(status: SeenRun['status'], gates: readonly SeenGate[], steps: readonly SeenStep[]): RunState {
  if (status === 'completed' || status === 'failed' || status === 'cancelled') return status;
  const open = gates.filter((gate) => gate.state === 'open');
  if (steps.some(({ ended_at }) => ended_at === null) || open.length === 0) return 'running';
  if (open.some(({ kind }) => kind === 'limit')) return 'paused';
  return open.some(({ kind }) => kind === 'approval') ? 'waiting_approval' : 'waiting_answer';
}
