import { proxyActivities, proxyLocalActivities, type RetryPolicy } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { ProviderStep } from '../../src/contracts/request.js';

/** A worker that is silent for this long is taken for dead, in milliseconds. */
const HEARTBEAT_TIMEOUT_MS = 6_000;
/** The activity itself keeps the deadline; this is what it gets on top, to write down what it has, in milliseconds. */
const WRITE_GRACE_MS = 10_000;

/** Only what the workflow cannot see is repeated here: a lost worker, a database that is away. */
const RETRY: RetryPolicy = { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s' };

/** The activity `generate`, to be run where the step says, within what is left of the request's time. */
export function generateOn(step: ProviderStep, remainingMs: number): Activities['generate'] {
  const longestMs = remainingMs + WRITE_GRACE_MS;
  const limits = { scheduleToCloseTimeout: longestMs, startToCloseTimeout: longestMs, retry: RETRY };
  switch (step.shape) {
    case 'local':
      return proxyLocalActivities<Activities>({ ...limits, localRetryThreshold: '30s' }).generate;
    case 'eager':
      return proxyActivities<Activities>({
        ...limits,
        scheduleToStartTimeout: remainingMs,
        heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
        cancellationType: 'TRY_CANCEL',
      }).generate;
    case 'queue':
      return proxyActivities<Activities>({
        ...limits,
        taskQueue: step.queue,
        scheduleToStartTimeout: Math.min(remainingMs, step.queueTimeoutMs),
        heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
        cancellationType: 'TRY_CANCEL',
      }).generate;
  }
}

/** The end of a request must reach the record, however long the database is away. */
export const { recordFailure } = proxyLocalActivities<Activities>({
  scheduleToCloseTimeout: '1 day',
  startToCloseTimeout: '10s',
  retry: RETRY,
});
