import { ScheduleAlreadyRunning, type ScheduleClient, type ScheduleOptions } from '@temporalio/client';
import { AUDIT_HEADS_SCHEDULE, QUEUES, WORKFLOWS } from '../../contracts/ids.js';

/** Of the day, at UTC. Whatever was written down until then is signed. */
const AT = { hour: 0, minute: 5 };

/** What signs the heads of the record each day. A run that was missed while the server was away is made good, once. */
const options = {
  spec: { calendars: [{ ...AT, comment: 'daily' }], timezone: 'UTC' },
  action: {
    type: 'startWorkflow',
    workflowType: WORKFLOWS.auditHeads,
    workflowId: AUDIT_HEADS_SCHEDULE,
    taskQueue: QUEUES.orchestrator,
    workflowRunTimeout: '23 hours',
  },
  policies: { overlap: 'SKIP', catchupWindow: '2 days', pauseOnFailure: false },
} satisfies Partial<ScheduleOptions>;

/** Makes the schedule, which then runs at once, or brings the one that is there up to date. */
export async function keepAuditHeadsSchedule(client: ScheduleClient): Promise<void> {
  try {
    await client.create({ ...options, scheduleId: AUDIT_HEADS_SCHEDULE, state: { triggerImmediately: true } });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    // Whoever paused it meant it.
    await client.getHandle(AUDIT_HEADS_SCHEDULE).update(({ state }) => ({ ...options, state }));
  }
}
