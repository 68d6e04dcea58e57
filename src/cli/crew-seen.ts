import { z } from 'zod';
import { crewMarkdown } from '../domain/crew/result-markdown.js';
import type { DagiClient } from './client.js';
import { count, counted } from './count.js';
import { decidedGates, GateSchema, openGates } from './crew-gates.js';
import { dollars, shortTime } from './duration.js';
import { CliError } from './failure.js';
import { ask, part, query, withRemedy, type Told } from './people.js';
import { plain } from './plain-text.js';
import { table } from './table.js';
import { understood } from './understood.js';

const TaskSchema = z.looseObject({
  task: z.string(),
  agent: z.string(),
  state: z.string(),
  round: z.number(),
  attempt: z.number(),
  problem: z.string().nullable(),
});
type Task = z.infer<typeof TaskSchema>;

const StepSchema = z.looseObject({
  task: z.string(),
  usage: z.looseObject({ total_tokens: z.number() }).nullable(),
  ms: z.number(),
  error: z.looseObject({ code: z.string(), message: z.string() }).nullish(),
});

/** A run, as far as it is printed. */
const RunSchema = z.looseObject({
  run_id: z.string(),
  crew: z.string(),
  definition: z.looseObject({ result: z.record(z.string(), z.unknown()) }),
  state: z.string(),
  started_by: z.string(),
  subject: z.string().nullable(),
  base_run: z.string().nullable(),
  started_at: z.string(),
  ended_at: z.string().nullable(),
  tasks: z.array(TaskSchema),
  steps: z.array(StepSchema),
  gates: z.array(GateSchema),
  spent: z.looseObject({ tokens: z.number(), cost_usd: z.number().nullable(), ms: z.number() }),
  result: z.looseObject({ result: z.record(z.string(), z.unknown()) }).nullable(),
  error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
});
export type Run = z.infer<typeof RunSchema>;

/** `dagi crew show`: how a run stands, task by task, what it asks, and what it came to. */
export async function showRun(client: DagiClient, run: string, { as }: { as?: string } = {}): Promise<Told> {
  return toldRun(await ask(client, 'GET', `/crews/runs/${part(run)}${query({ user_id: as })}`), as);
}

/** A run that the server tells of. */
export const seenRun = (answer: unknown): Run => understood(RunSchema, answer);

/** Whether nobody works on it: it waits for people. */
export const waits = ({ state }: Pick<Run, 'state'>): boolean =>
  ['waiting_approval', 'waiting_answer', 'paused'].includes(state);

/** A result as Markdown, in the order in which its crew names it; empty if there is none. */
export function resultOf({ result: data, definition }: Run): string {
  if (!data) return '';
  const { result } = data;
  const names = Object.keys(definition.result).filter((name) => Object.hasOwn(result, name));
  return plain(`${crewMarkdown({ result: Object.fromEntries(names.map((name) => [name, result[name]])) })}\n`);
}

/** Why a run came to nothing, with its task and reason; undefined: it did not. */
export function failureOf({ run_id: id, state, error }: Run): CliError | undefined {
  if (error) return withRemedy(new CliError(error.code, error.message, error));
  return state === 'cancelled' ? new CliError('REQUEST_CANCELLED', `The run ${id} was cancelled.`) : undefined;
}

/** A failure with where to see how it came to that. */
export const whereSeen = ({ code, message, detail }: CliError, id: string): CliError =>
  new CliError(code, `${message.replace(/\.?$/, '.')} See each task with "npx dagi crew show ${id}".`, detail);

/** A run for people, and the answer for programs. @param as who acts, where a gateway key says so */
export function toldRun(answer: unknown, as?: string): Told {
  const run = seenRun(answer);
  const { run_id: id, gates, error } = run;
  const again = error ? `Run again what has no output: npx dagi crew rerun ${id}\n` : '';
  const parts = [headOf(run), tasksOf(run), decidedGates(gates), openGates(id, gates, as), resultOf(run), again];
  return { answer, text: parts.filter((text) => text !== '').join('\n') };
}

function headOf(run: Run): string {
  const { run_id: id, crew, state, subject, base_run: base, spent } = run;
  const failure = failureOf(run);
  const about = subject === null ? '' : `, about ${subject}`;
  const lines = [
    `run ${id} of ${crew}: ${state}`,
    `started by ${run.started_by} at ${run.started_at}${about}${run.ended_at === null ? '' : `, ended ${run.ended_at}`}`,
    `spent ${counted(spent.tokens, 'token')}, ${shortTime(spent.ms)} of work${spent.cost_usd === null ? '' : `, ${dollars(spent.cost_usd)}`}`,
    ...(base === null ? [] : [`goes on from ${base}`]),
    ...(failure && run.error ? [`${failure.code}: ${failure.message.replace(/\s*\n\s*/g, ' ')}`] : []),
  ];
  return plain(`${lines.join('\n')}\n`);
}

function tasksOf({ tasks, steps }: Run): string {
  const rows = tasks.map((task) => {
    const own = steps.filter((step) => step.task === task.task);
    const tokens = own.reduce((sum, { usage }) => sum + (usage?.total_tokens ?? 0), 0);
    const ms = own.reduce((sum, step) => sum + step.ms, 0);
    return [task.task, task.agent, task.state, attemptOf(task), count(tokens), shortTime(ms), problemOf(task, own)];
  });
  return table(['task', 'agent', 'state', 'attempt', 'tokens', 'work', 'problem'], rows);
}

/** Why a task has failed, or, while it is at work, what its last step met: it is tried again. */
function problemOf({ problem, state }: Task, steps: Run['steps']): string {
  const met = state === 'running' ? steps.at(-1)?.error : undefined;
  return problem ?? (met ? `${met.code}, tries again` : '');
}

/** Which attempt, and in which round, if people have sent the task back. */
const attemptOf = ({ attempt, round }: Task): string => (round > 1 ? `${attempt} of round ${round}` : String(attempt));
