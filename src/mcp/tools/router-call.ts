import { z } from 'zod';
import { MODE_ENTITLEMENTS, MODES } from '../../contracts/request.js';
import { defineTool, type McpTool } from '../tool.js';
import type { ToolParts } from '../parts.js';
import { taskFor } from '../tasks.js';
import { runCrew } from './workflow-run.js';
import { RequestOutput, requestAnswer, submissionOf } from './routed.js';

const Input = z.strictObject({
  prompt: z
    .string()
    .describe('What is asked, in plain words. May be empty with mode devtools or crew.')
    .meta({ example: 'How long do members vote?' }),
  mode: z
    .enum(MODES)
    .default('chat')
    .describe(
      'chat: a model answers. devtools: metadata.tool and metadata.params name a tool. crew: metadata.workflow and metadata.inputs name a crew.',
    ),
  metadata: z
    .looseObject({})
    .default({})
    .describe(
      'What else rules look at: dao_id (which DAO), session_id (turns of one conversation), task_type, provider, and for other modes tool, params, workflow, inputs.',
    ),
});

/** `router_call`: a request as `POST /route` takes it. */
export const routerCall = (parts: ToolParts): McpTool =>
  defineTool({
    name: 'router_call',
    title: 'Ask the AI of a DAO',
    description:
      'Asks the AI of a DAO: the question is checked against the rights of whoever asks, routed by rules to a model, and answered by it. Use it for questions about the DAO and for texts. An answer that takes longer than 45 seconds comes as status "running": call again with the same arguments to get it.',
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    input: Input,
    output: RequestOutput,
    joins: true,
    needs: ({ mode }) => MODE_ENTITLEMENTS[mode],
    call: async (args, call) => {
      const submission = submissionOf(args, (named) => call.caller.actingIn(named));
      if (submission.crew) return runCrew(parts, call, submission, submission.crew.inputs);
      const task = await taskFor(parts, call, submission);
      if (task) return task;
      const accepted = await parts.calls.begin(call, submission, true);
      const body = await parts.calls.await(call, accepted);
      return requestAnswer(body, call.name);
    },
  });
