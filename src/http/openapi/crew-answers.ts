import { z } from 'zod';
import { GATE_KINDS, GATE_STATES, TASK_STATES } from '../../contracts/crew.js';
import { REQUEST_STATUSES } from '../../contracts/request.js';

/** What routes of crews answer, for the description alone: the types are those of `src/contracts/crew-view.ts`. */

const ok = z.literal(true);
const moment = z.string().meta({ format: 'date-time' });
const object = z.looseObject({});

const crew = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  process: z.string(),
  inputs: object.describe('JSON Schema of what a run is given.'),
  agents: z.array(z.string()),
  tasks: z.array(z.string()),
  own: z.boolean().describe('Whether it is the DAO’s own.'),
  version: z.string(),
});
const task = z.object({
  task: z.string(),
  agent: z.string(),
  state: z.enum(TASK_STATES),
  round: z.number(),
  attempt: z.number(),
  output: object.nullable(),
  problem: z.string().nullable(),
  notes: z.array(z.string()),
  reused_from: z.string().nullable(),
  began_at: moment.nullable(),
  ended_at: moment.nullable(),
});
const step = z.object({
  id: z.string(),
  step: z.string(),
  task: z.string(),
  agent: z.string(),
  kind: z.enum(['model', 'tool']),
  label: z.string(),
  status: z.enum(REQUEST_STATUSES),
  input: object.nullable().describe('What the model was asked, or the tool.'),
  output: object.nullable().describe('What the model said, or the tool gave.'),
  provider: z.string().nullable(),
  usage: object.nullable(),
  attempts: z.array(object),
  ms: z.number(),
  error: object.nullable(),
  started_at: moment,
  ended_at: moment.nullable(),
});
const gate = z.object({
  id: z.string(),
  kind: z.enum(GATE_KINDS),
  task: z.string().nullable(),
  state: z.enum(GATE_STATES),
  ask: z.string().describe('What the people who decide are asked.'),
  shown: object.describe('What it is about: an output, a use of a tool, a question, a limit.'),
  rules: object,
  revision: z.number().describe('Send it with your decision.'),
  asked_at: moment,
  remind_at: moment,
  reminded_at: moment.nullable().describe('When people were reminded of it: it has waited for long.'),
  expires_at: moment,
  decided_at: moment.nullable(),
  decisions: z.array(object),
  may_decide: z.boolean().optional().describe('Whether you may decide it now.'),
  run_id: z.string().optional(),
  crew: z.string().optional(),
});

export const CREW_ANSWERS = {
  CrewList: z.object({ ok, crews: z.array(crew) }),
  Crew: z.object({ ok, crew: object.describe('The crew; see docs/crews.md.'), own: z.boolean(), version: z.string() }),
  CrewRun: z.object({
    ok,
    run_id: z.string(),
    dao_id: z.string(),
    crew: z.string(),
    version: z.string(),
    definition: object,
    status: z.enum(REQUEST_STATUSES),
    state: z.string().describe('running, waiting_approval, waiting_answer, paused, completed, failed or cancelled.'),
    started_by: z.string(),
    starter: z.string().nullable(),
    subject: z.string().nullable(),
    inputs: object,
    base_run: z.string().nullable(),
    started_at: moment,
    ended_at: moment.nullable(),
    tasks: z.array(task),
    steps: z.array(step),
    gates: z.array(gate),
    spent: object,
    result: object.nullable(),
    error: object.nullable(),
  }),
  CrewRunPage: z.object({ ok, runs: z.array(object), next: z.string().nullable() }),
  CrewGates: z.object({ ok, gates: z.array(gate) }),
  CrewComparison: z.object({ ok, tasks: z.array(object) }),
};
