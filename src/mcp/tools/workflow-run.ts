import { z } from 'zod';
import type { CallToolResult, InputRequests } from '@modelcontextprotocol/server';
import type { SeenRun } from '../../contracts/crew-view.js';
import type { RouteSubmission } from '../../contracts/request.js';
import { runLink } from '../resources/described.js';
import { defineTool, type McpTool, type ToolCall, type ToolOutcome } from '../tool.js';
import type { ToolParts } from '../parts.js';
import { ask, askedBefore, canAsk, decidable, decisionsIn, questionsOf } from '../people.js';
import { missingInputs, inputsIn } from '../missing-inputs.js';
import { taskFor } from '../tasks.js';
import { RunOutput, runAnswer } from './run-answer.js';
import { submissionOf } from './routed.js';

const Input = z.strictObject({
  workflow: z
    .string()
    .min(1)
    .max(64)
    .describe(
      'Id of the crew: microdao_onboarding, code_review, proposal_review, task_decomposition, or one of the DAO’s own.',
    ),
  inputs: z
    .looseObject({ dao_id: z.string().optional() })
    .default({})
    .describe('What the crew is given, as its inputs say. dao_id chooses the DAO; user_id is whom the run is about.'),
});

/** `workflow_run`: a run of a crew. */
export const workflowRun = (parts: ToolParts): McpTool =>
  defineTool({
    name: 'workflow_run',
    title: 'Run a crew of agents',
    description:
      'Starts a crew of agents of a DAO, such as a review of a proposal or of code, and waits up to 45 seconds for its end. What takes longer, or waits for a person, comes with a run_id and its status: call crew_status later, or the same call again to go on waiting; nothing is begun twice. The run survives restarts.',
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    input: Input,
    output: RunOutput,
    joins: true,
    needs: () => 'agent.crew',
    call: async ({ workflow, inputs: { dao_id: daoId, ...inputs } }, call) => {
      const named = call.caller.actingIn({ daoId });
      const all = { ...inputs, ...askedBefore(call)?.inputs, ...inputsIn(call) };
      const missing = canAsk(call) ? await missingInputs(parts, call, { workflow, inputs: all, named }) : undefined;
      if (missing) return ask(parts, call, missing, { inputs: all });
      const body = { prompt: '', mode: 'crew', metadata: { workflow, inputs: all } };
      return runCrew(
        parts,
        call,
        submissionOf(body, () => named),
        all,
      );
    },
  });

/** Runs a crew until its end, until it asks the caller something, or as long as a call may take. */
export async function runCrew(
  parts: ToolParts,
  call: ToolCall,
  submission: RouteSubmission,
  inputs: Record<string, unknown>,
): Promise<ToolOutcome> {
  const task = await taskFor(parts, call, submission);
  if (task) return task;
  const accepted = await parts.calls.begin(call, submission, true);
  const acting = { userId: submission.userId };
  await decideAsked(parts, call, accepted.requestId, acting);
  await parts.calls.await(call, accepted);
  const run = await parts.runs.get(call.caller.key, accepted.requestId, acting);
  const questions = canAsk(call) ? questionsOf(run.gates) : ({} satisfies InputRequests);
  if (decidable(run.gates).length === 0 || Object.keys(questions).length === 0)
    return linked(runAnswer(run), run, call);
  return ask(parts, call, questions, { run: run.run_id, inputs });
}

/** A result that leads to the run, which a client can watch. Clients of before 2025-06 would refuse such content. */
const linked = ({ content, ...result }: CallToolResult, run: SeenRun, { era }: ToolCall): CallToolResult => ({
  ...result,
  content: era === 'modern' ? [...content, { type: 'resource_link', ...runLink(run) }] : content,
});

/** Writes down what the person in front of the client said to what was asked before. */
async function decideAsked(
  { runs }: ToolParts,
  call: ToolCall,
  runId: string,
  named: { userId: string | undefined },
): Promise<void> {
  if (askedBefore(call)?.run !== runId) return;
  const { key } = call.caller;
  const run = await runs.get(key, runId, named);
  for (const made of decisionsIn(run, call.context.mcpReq.inputResponses)) await runs.decide(key, runId, made, named);
}
