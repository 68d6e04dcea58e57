import type { Priority } from '@temporalio/common';
import { proxyActivities, proxyLocalActivities, type RetryPolicy } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.js';
import type { ProviderStep } from '../../src/contracts/request.js';

/** A worker that is silent for this long is taken for dead, in milliseconds. */
const HEARTBEAT_TIMEOUT_MS = 6_000;
/** The activity itself keeps the deadline; this is what it gets on top, to write down what it has, in milliseconds. */
const WRITE_GRACE_MS = 10_000;

/** Only what the workflow cannot see is repeated here: a lost worker, a database that is away. */
const RETRY: RetryPolicy = { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s' };

/** How urgent a call is, and the share of its DAO, where that is not the usual one. */
export interface Urgency {
  priority: number;
  weight: number | undefined;
  /** What operators read of the call. */
  label?: string | undefined;
}

/** Temporal's levels of priority; the last one is for whatever is less urgent. */
const LEVELS = 5;

/** Hints for Temporal's queues; the order in front of a provider is decided elsewhere. The fairness key is the workflow's. */
const hints = ({ priority, weight }: Urgency): { priority: Priority } => ({
  priority: { priorityKey: Math.min(priority, LEVELS), ...(weight === undefined ? {} : { fairnessWeight: weight }) },
});

/** The activity `generate`, to be run where the step says, within what is left of the request's time. */
export function generateOn(step: ProviderStep, remainingMs: number, urgency: Urgency): Activities['generate'] {
  const longestMs = remainingMs + WRITE_GRACE_MS;
  const { label } = urgency;
  const limits = {
    ...{ scheduleToCloseTimeout: longestMs, startToCloseTimeout: longestMs, retry: RETRY },
    ...(label !== undefined && { summary: label }),
  };
  switch (step.shape) {
    case 'local':
      return proxyLocalActivities<Activities>({ ...limits, localRetryThreshold: '30s' }).generate;
    case 'eager':
      return proxyActivities<Activities>({
        ...limits,
        ...hints(urgency),
        scheduleToStartTimeout: remainingMs,
        heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
        cancellationType: 'TRY_CANCEL',
      }).generate;
    case 'queue':
      return proxyActivities<Activities>({
        ...limits,
        ...hints(urgency),
        taskQueue: step.queue,
        scheduleToStartTimeout: Math.min(remainingMs, step.queueTimeoutMs),
        heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
        cancellationType: 'TRY_CANCEL',
      }).generate;
  }
}

/** The activity `answerWithoutModel`: it takes milliseconds, and is done late rather than not at all. */
export const answerWithin = (remainingMs: number): Activities['answerWithoutModel'] =>
  proxyLocalActivities<Activities>({
    scheduleToCloseTimeout: Math.max(0, remainingMs) + WRITE_GRACE_MS,
    startToCloseTimeout: '10s',
    retry: RETRY,
  }).answerWithoutModel;
