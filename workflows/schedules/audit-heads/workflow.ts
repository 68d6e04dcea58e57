import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../../activities/index.js';
import type { SigningReport } from '../../../src/contracts/audit.js';

const { signHeads } = proxyActivities<Activities>({
  scheduleToCloseTimeout: '20 hours',
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/**
 * Signs the head of every chain of the record for the day on which it runs. A schedule starts it each day; one that was
 * missed is made good by the next, whose heads cover everything before them.
 */
export async function auditHeads(): Promise<SigningReport> {
  return signHeads();
}
