import { proxyActivities, upsertSearchAttributes } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import { QUEUES } from '../../src/contracts/ids.js';
import type { RouteRequestInput, RouteRequestResult, RunToolResult } from '../../src/contracts/request.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import { endWithout } from '../shared/ending.js';
import { toolFailureOf, toolOptions } from '../shared/tool.js';

/** One request for a tool: run where the workspaces are, within the request's deadline. Every ending is in the database. */
export async function devtoolsRun(input: RouteRequestInput): Promise<RouteRequestResult> {
  const ending = await run(input).catch((error: unknown) => ({ failure: toolFailureOf(error) }));
  if ('failure' in ending) {
    const { status, error } = await endWithout(input, ending.failure, []);
    tell(status);
    throw error;
  }
  const status = ending.outcome === 'recorded' ? 'completed' : ending.status;
  tell(ending.outcome === 'recorded' ? status : 'superseded');
  return { status, attempts: [] };
}

function run(input: RouteRequestInput): Promise<RunToolResult> {
  const { requestId, daoId, actor, deadlineAt, decision } = input;
  const scheduledAt = Date.now();
  const { runTool } = proxyActivities<Activities>({
    ...toolOptions(input, scheduledAt),
    taskQueue: QUEUES.devtools,
    summary: decision.tool ?? '',
  });
  return runTool({ requestId, daoId, actor, deadlineAt, scheduledAt });
}

/** What an operator searches for, in the Temporal Web UI. */
const tell = (outcome: string): void => {
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.Outcome, value: outcome }]);
};
