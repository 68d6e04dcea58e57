import { ActivityFailure, proxyActivities, TimeoutFailure, upsertSearchAttributes } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { Failure } from '../../src/contracts/failures.js';
import { QUEUES } from '../../src/contracts/ids.js';
import {
  MODE_PRIORITY,
  type RouteRequestInput,
  type RouteRequestResult,
  type RunToolResult,
} from '../../src/contracts/request.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import { endWithout } from '../shared/ending.js';
import { failureOf } from '../shared/failure-of.js';

/** A worker that is silent for this long is taken for dead, in milliseconds. */
const HEARTBEAT_TIMEOUT_MS = 6_000;
/** The activity itself keeps the deadline; this is what it gets on top, to end what it runs and write it down. */
const END_GRACE_MS = 10_000;

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

function run({ requestId, daoId, actor, deadlineAt, decision }: RouteRequestInput): Promise<RunToolResult> {
  const scheduledAt = Date.now();
  const remainingMs = Math.max(1, deadlineAt - scheduledAt);
  const { runTool } = proxyActivities<Activities>({
    taskQueue: QUEUES.devtools,
    scheduleToStartTimeout: remainingMs,
    scheduleToCloseTimeout: remainingMs + END_GRACE_MS,
    startToCloseTimeout: remainingMs + END_GRACE_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    // A program that was stopped is gone when the activity ends: nobody is to be told earlier that it is.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s' },
    priority: {
      priorityKey: MODE_PRIORITY.devtools,
      ...(decision.weight === undefined ? {} : { fairnessWeight: decision.weight }),
    },
    summary: decision.tool ?? '',
  });
  return runTool({ requestId, daoId, actor, deadlineAt, scheduledAt });
}

function toolFailureOf(error: unknown): Failure {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof TimeoutFailure)) return failureOf(error);
  const message =
    cause.timeoutType === 'SCHEDULE_TO_START' ? 'no worker of the queue devtools was free' : 'the time ran out';
  return { type: 'ToolTimeout', message };
}

/** What an operator searches for, in the Temporal Web UI. */
const tell = (outcome: string): void => {
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.Outcome, value: outcome }]);
};
