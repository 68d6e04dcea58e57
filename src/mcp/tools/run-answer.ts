import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { SeenGate, SeenRun } from '../../contracts/crew-view.js';
import { answer, errorAnswer } from '../answers.js';
import { AppError } from '../../errors/app-error.js';

const Gate = z.looseObject({
  id: z.string(),
  kind: z.enum(['approval', 'question', 'limit']),
  ask: z.string(),
  revision: z.number(),
  may_decide: z.boolean(),
});

/** A run as programs get it: how it stands, what it asks, and what it has come to so far. */
export const RunOutput = z
  .looseObject({
    run_id: z.string(),
    status: z.string().describe('running, waiting_approval, waiting_answer, paused, completed, failed or cancelled.'),
    crew: z.string(),
    dao_id: z.string(),
    tasks: z.array(z.looseObject({ task: z.string(), state: z.string() })).describe('Each task, with its output.'),
    gates: z.array(Gate).describe('What it asks of people now.'),
    result: z.unknown().describe('What it has come to; null before its end.'),
    agents: z.unknown().describe('The last output of each agent.'),
  })
  .describe('How the run stands.');

/** The same as an object. */
export function runShown(run: SeenRun): Record<string, unknown> {
  const tasks = run.tasks.map(({ task, agent, state, output, problem }) => ({
    ...{ task, agent, state, output },
    ...(problem !== null && { problem }),
  }));
  return {
    ok: run.error === null,
    // The same names as any other request has.
    ...{ request_id: run.run_id, mode: 'crew', data: run.result },
    ...{ run_id: run.run_id, status: run.state, crew: run.crew, dao_id: run.dao_id },
    ...{ tasks, gates: run.gates.filter(({ state }) => state === 'open').map(gateShown), spent: run.spent },
    ...{ result: run.result?.result ?? null, agents: run.result?.agents ?? null },
    ...(run.error && { error: run.error }),
  };
}

const gateShown = ({
  id,
  kind,
  task,
  ask,
  shown,
  revision,
  expires_at: expires,
  may_decide,
  rules,
}: SeenGate): object => ({
  ...{ id, kind, task, ask, shown, revision, expires_at: expires.toISOString() },
  ...{ roles: rules.roles, may_decide: may_decide === true },
});

/** How a run stands, in words and as an object. */
export function runAnswer(run: SeenRun): CallToolResult {
  const structured = runShown(run);
  if (run.error) {
    const { content } = errorAnswer(AppError.recorded(run.error));
    return { isError: true, content, structuredContent: structured };
  }
  return answer(wordsFor(run), structured);
}

/** The status first: clients show models the text, and hide what else there is. */
function wordsFor(run: SeenRun): string {
  const head = `Status: ${run.state}. run_id: ${run.run_id}`;
  if (run.state === 'completed') return `${head}\n${JSON.stringify(run.result?.result, undefined, 1)}`;
  if (run.state === 'cancelled') return head;
  const tasks = run.tasks.map(({ task, state }) => `- ${task}: ${state}`);
  return [head, ...tasks, ...gateWords(run)].join('\n');
}

function gateWords(run: SeenRun): string[] {
  const open = run.gates.filter(({ state }) => state === 'open');
  if (open.length === 0) {
    return ['It goes on by itself. Call crew_status with this run_id in a while, or the same call again to wait.'];
  }
  return open.map(({ id, ask, kind, may_decide: yours, rules }) =>
    yours === true
      ? `Waits for you (${kind} ${id}): ${ask} Ask your user, then call crew_approve with what they say.`
      : `Waits for ${rules.roles.join(' or ')} (${kind} ${id}): ${ask}`,
  );
}
