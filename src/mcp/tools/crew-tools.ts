import { z } from 'zod';
import { RunIdSchema } from '../../schemas/crews.js';
import { AppError } from '../../errors/app-error.js';
import { isOpen } from '../calls.js';
import { defineTool, TO_STOP, type McpTool, type ToolCall, type ToolOutcome } from '../tool.js';
import type { ToolParts } from '../parts.js';
import { requestAnswer } from './routed.js';
import { runAnswer } from './run-answer.js';

const run_id = RunIdSchema.describe(
  'Id of the run, as workflow_run gave it; the request_id of another call will do, too.',
);

const Output = z.looseObject({ status: z.string() }).describe('How the run stands, as workflow_run gives it.');

/** How long a cancel waits for the end, in milliseconds. */
const CANCEL_WAIT_MS = 5_000;

/** `crew_status`: how a run stands. */
export const crewStatus = (parts: ToolParts): McpTool =>
  defineTool({
    name: 'crew_status',
    title: 'How a run stands',
    description:
      'Says how a run of a crew stands: its status, each task, what it asks of people, and its result once it has ended. Answers at once.',
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({ run_id }),
    output: Output,
    needs: () => 'chat.read',
    call: ({ run_id: id }, call) => status(parts, call, id),
  });

/** `crew_approve`: a decision of a person about a run. */
export const crewApprove = ({ runs }: ToolParts): McpTool =>
  defineTool({
    name: 'crew_approve',
    title: 'Decide what a run asks',
    description:
      'Writes down what a person has decided of what a run asks: approve, reject or return (with a comment) an output, answer a question (the answer is the comment), continue or stop at a limit. Only for what your user has said: never decide by yourself.',
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
    input: z.strictObject({
      run_id,
      decision: z.enum(['approve', 'reject', 'return', 'answer', 'continue', 'stop']).describe('What they decided.'),
      comment: z.string().max(4_000).optional().describe('Why, what is to be better, or the answer.'),
      gate: z.string().max(200).optional().describe('Which of several questions, by its id.'),
      revision: z
        .number()
        .int()
        .min(1)
        .optional()
        .describe('What they saw of it; needed once somebody has changed it.'),
    }),
    output: Output,
    needs: () => 'chat.read',
    call: async ({ run_id: id, ...made }, { caller }) => {
      const { comment, ...decision } = made;
      const deciding = { ...decision, ...(comment !== undefined && { comment }) };
      return runAnswer(await runs.decide(caller.key, id, deciding, caller.actingIn()));
    },
  });

/** `crew_cancel`: a run that is stopped, with every step of it. */
export const crewCancel = (parts: ToolParts): McpTool =>
  defineTool({
    name: 'crew_cancel',
    title: 'Stop a run',
    description:
      'Stops a run for real, with every model and tool that works for it. What it has come to so far stays readable.',
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    input: z.strictObject({ run_id }),
    output: Output,
    needs: () => TO_STOP,
    call: async ({ run_id: id }, call) => {
      const { requests, outcomes, repeated } = parts;
      const { key } = call.caller;
      const named = call.caller.actingIn();
      const accepted = requests.joined(await requests.visible(key, id, named));
      try {
        await requests.cancel(key, id, named);
        await outcomes.end(accepted, AbortSignal.timeout(CANCEL_WAIT_MS));
        await repeated.letGo(accepted);
      } catch (error) {
        // Stopped twice is stopped.
        if (!(error instanceof AppError && error.code === 'REQUEST_ENDED')) throw error;
      }
      return status(parts, call, id);
    },
  });

async function status({ requests, outcomes, runs }: ToolParts, { caller }: ToolCall, id: string): Promise<ToolOutcome> {
  const { key } = caller;
  const named = caller.actingIn();
  const run = await runs.get(key, id, named).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'RUN_NOT_FOUND') return undefined;
    throw error;
  });
  if (run) return run.state === 'cancelled' ? { ...runAnswer(run), isError: false } : runAnswer(run);
  const body = await outcomes.body(requests.joined(await requests.visible(key, id, named)));
  if (body.status === 'cancelled' || isOpen(body.status)) {
    const { request_id: request, status: state } = body;
    return {
      content: [{ type: 'text', text: `Status: ${state}. request_id: ${request}` }],
      structuredContent: { ...body },
    };
  }
  return requestAnswer(body, 'router_call');
}
