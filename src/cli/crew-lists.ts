import { z } from 'zod';
import type { DagiClient } from './client.js';
import { BY_GATEWAY, GateSchema, openGates } from './crew-gates.js';
import { ask, query, readList, type Told } from './people.js';
import type { Acting } from './proposal.js';
import { table } from './table.js';
import { understood } from './understood.js';

const CrewsSchema = z.looseObject({
  crews: z.array(z.looseObject({ id: z.string(), name: z.string(), own: z.boolean(), description: z.string() })),
});

const SummarySchema = z.looseObject({
  run_id: z.string(),
  crew: z.string(),
  status: z.string(),
  started_by: z.string(),
  started_at: z.string(),
  open_gates: z.number(),
});

/** What `dagi crew runs` may be limited to. */
export const RUN_STATES = ['running', 'waiting_approval', 'completed', 'failed', 'cancelled'] as const;

export interface ListRunsOptions extends Acting {
  crew?: string;
  state?: (typeof RUN_STATES)[number];
  limit?: number;
}

/** `dagi crew list`: crews of a DAO, those that come along and its own. */
export async function listCrews(client: DagiClient, { dao, as }: Acting = {}): Promise<Told> {
  const answer = await ask(client, 'GET', `/crews${query({ dao_id: dao, user_id: as })}`);
  const { crews } = understood(CrewsSchema, answer);
  const rows = crews.map(({ id, name, own, description }) => [id, name, own ? 'own' : 'shipped', description]);
  return { answer, text: table(['id', 'name', 'from', 'description'], rows) };
}

/** `dagi crew runs`: runs of a DAO, the newest first; all for admins, else one's own. */
export async function listRuns(client: DagiClient, options: ListRunsOptions = {}): Promise<Told> {
  const { dao, as, crew, state, limit } = options;
  const filter = { dao_id: dao, user_id: as, crew, state };
  const listing = { path: '/crews/runs', name: 'runs', entry: SummarySchema, filter, limit };
  const { entries, answer, more } = await readList(client, listing);
  const rows = entries.map((run) => [run.crew, stateOf(run), run.started_by, run.started_at, run.run_id]);
  return { answer, text: table(['crew', 'state', 'started by', 'when', 'run'], rows) + more };
}

const AskedSchema = z.looseObject({ gates: z.array(GateSchema.extend({ run_id: z.string(), crew: z.string() })) });

/** `dagi crew gates`: what runs of a DAO ask of whoever acts, the oldest first, and how to decide it. */
export async function listGates(client: DagiClient, { dao, as }: Acting = {}): Promise<Told> {
  const answer = await ask(client, 'GET', `/crews/gates${query({ dao_id: dao, user_id: as })}`);
  const { gates } = understood(AskedSchema, answer);
  const runs = [...Map.groupBy(gates, ({ run_id: run }) => run)];
  const told = runs.map(([run, asked]) => `run ${run} of ${asked[0]?.crew ?? ''}\n${openGates(run, asked, as)}`);
  return { answer, text: told.length === 0 ? `nothing waits for you (${BY_GATEWAY})\n` : told.join('\n') };
}

/** A run that asks people something is named so, as the filter does. */
const stateOf = ({ status, open_gates: open }: z.infer<typeof SummarySchema>): string =>
  open > 0 ? 'waiting_approval' : status;
