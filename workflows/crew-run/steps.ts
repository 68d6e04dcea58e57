import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { AdvancedCrew, CrewRunInput, StepInput } from '../../src/contracts/crew-steps.js';
import { QUEUES } from '../../src/contracts/ids.js';
import type { Attempt, RouteRequestInput } from '../../src/contracts/request.js';
import { walkChain } from '../route-request/walk.js';
import { endWithout } from '../shared/ending.js';
import { failureOf } from '../shared/failure-of.js';
import { toolFailureOf, toolOptions } from '../shared/tool.js';
import type { OneAtATime } from './one-at-a-time.js';

/** What looks at the DAO takes milliseconds. */
const { runDaoTool } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s', maximumAttempts: 20 },
});

/**
 * Does a step of a run. Whatever comes of it is in the database when this returns; a step that fails does not fail the
 * run: that is for whoever looks at it next.
 * @param local does the local activities of the run
 * @returns what is next of the run, where that was found out with it
 */
export async function performStep(
  { daoId, actor }: CrewRunInput,
  step: StepInput,
  local: OneAtATime,
): Promise<AdvancedCrew | undefined> {
  const { requestId, deadlineAt, decision } = step;
  const input: RouteRequestInput = { version: 1, requestId, daoId, actor, deadlineAt, decision };
  if (step.kind === 'model') return turn(input, step.label, local);
  await use(input, step, local);
  return undefined;
}

async function turn(input: RouteRequestInput, label: string, local: OneAtATime): Promise<AdvancedCrew | undefined> {
  const attempts: Attempt[] = [];
  const answer = await walkChain(input, attempts, label).catch((error: unknown) => ({ failure: failureOf(error) }));
  if (!('failure' in answer)) return answer.next;
  await endWithout(input, answer.failure, attempts, local.do);
  return undefined;
}

async function use(input: RouteRequestInput, { kind, label }: StepInput, local: OneAtATime): Promise<void> {
  const { requestId, daoId, actor, deadlineAt } = input;
  const scheduledAt = Date.now();
  const tool = { requestId, daoId, actor, deadlineAt, scheduledAt };
  const { runTool } = proxyActivities<Activities>({
    ...toolOptions(input, scheduledAt),
    taskQueue: QUEUES.devtools,
    summary: label,
  });
  try {
    await (kind === 'dao' ? local.do(() => runDaoTool(tool)) : runTool(tool));
  } catch (error) {
    await endWithout(input, toolFailureOf(error), [], local.do);
  }
}
