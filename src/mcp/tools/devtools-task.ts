import { z } from 'zod';
import { PROGRAM_TOOLS, TOOLS } from '../../contracts/devtools.js';
import { defineTool, type McpTool } from '../tool.js';
import type { ToolParts } from '../parts.js';
import { taskFor } from '../tasks.js';
import { RequestOutput, requestAnswer, submissionOf } from './routed.js';

const Input = z.strictObject({
  tool: z.enum(TOOLS).describe('Which tool is to work in the workspace of the DAO.'),
  params: z
    .looseObject({ dao_id: z.string().optional(), user_id: z.string().optional() })
    .default({})
    .describe(
      'What it is to do. fs_read {path}; fs_write {path, content, expected_hash?}; fs_list {path?, glob?}; fs_search {pattern, path?, glob?}; fs_diff {path, other_path|content}; fs_patch {patch}; run_tests {path?}; git_status {}; git_diff {}; git_log {}; notebook_execute {path}. dao_id chooses the DAO.',
    ),
});

/** `devtools_task`: a tool in the workspace of a DAO. */
export const devtoolsTask = (parts: ToolParts): McpTool =>
  defineTool({
    name: 'devtools_task',
    title: 'Work in the workspace of a DAO',
    description:
      'Reads, searches and changes files of the workspace of a DAO, looks at its git repository, runs its tests or a notebook in a sandbox. Paths are relative to the workspace. Writes ask for nothing: read first, and send expected_hash, so that nothing of others is overwritten.',
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
    input: Input,
    output: RequestOutput,
    joins: true,
    needs: () => 'agent.devtools',
    call: async ({ tool, params: { dao_id, user_id, ...params } }, call) => {
      const metadata = { dao_id, user_id, tool, params };
      const submission = submissionOf({ prompt: '', mode: 'devtools', metadata }, (named) =>
        call.caller.actingIn(named),
      );
      const isProgram = PROGRAM_TOOLS.includes(tool);
      const task = isProgram ? await taskFor(parts, call, submission) : undefined;
      if (task) return task;
      // What is read must be read anew; programs take long, and are begun once.
      const accepted = await parts.calls.begin(call, submission, isProgram);
      return requestAnswer(await parts.calls.await(call, accepted), call.name);
    },
  });
