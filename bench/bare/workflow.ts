import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';

interface BareActivities {
  generate(id: string): Promise<number>;
}

const limits = { scheduleToCloseTimeout: '2 minutes', startToCloseTimeout: '2 minutes' } as const;

/** The least that is still a durable call to a model: one activity. */
export async function bareRequest(id: string, shape: 'eager' | 'local' | 'queue', queue: string): Promise<number> {
  if (shape === 'local') return proxyLocalActivities<BareActivities>(limits).generate(id);
  const placed = shape === 'queue' ? { taskQueue: queue } : {};
  return proxyActivities<BareActivities>({ ...limits, ...placed, heartbeatTimeout: '10s' }).generate(id);
}
