import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { createAuditHeadsActivities } from '../../activities/audit-heads.js';
import { keepAuditHeadsSchedule } from '../../src/adapters/temporal/schedules.js';
import type { HeadSigner, SigningReport } from '../../src/contracts/audit.js';
import { AUDIT_HEADS_SCHEDULE, QUEUES, WORKFLOWS } from '../../src/contracts/ids.js';
import { AppError } from '../../src/errors/app-error.js';
import type { auditHeads } from '../../workflows/index.js';
import { connectTemporal, uniqueQueue, workflowBundle } from '../support/temporal.js';
import { attributesOf } from './stage.js';

jest.setTimeout(30_000);

const REPORT: SigningReport = { day: '2026-11-28', signed: 3, published: 3, broken: [] };
const CHAINS = ['', 'a-dao', 'b-dao'];

let env: TestWorkflowEnvironment;
let client: Client;
beforeAll(async () => {
  [env] = await Promise.all([connectTemporal(), workflowBundle()]);
  client = new Client({ connection: env.nativeConnection });
});
afterAll(() => env.teardown());

/** Runs the workflow with this signer, to its end. */
async function run(auditHeadsSigner: HeadSigner) {
  const taskQueue = uniqueQueue();
  const worker = await Worker.create({
    taskQueue,
    connection: env.nativeConnection,
    workflowBundle: await workflowBundle(),
    activities: createAuditHeadsActivities({ auditHeads: auditHeadsSigner }),
    shutdownForceTime: '5s',
  });
  return worker.runUntil(async () => {
    const workflowId = `audit-heads-${randomUUID()}`;
    const handle = await client.workflow.start<typeof auditHeads>(WORKFLOWS.auditHeads, { workflowId, taskQueue });
    return { report: await handle.result(), history: await handle.fetchHistory() };
  });
}

describe('auditHeads', () => {
  it('should have every chain signed, by one activity whose history does not grow with them', async () => {
    const begun: unknown[] = [];
    const { report, history } = await run({
      signAll: (after, progress) => {
        begun.push(after);
        for (let count = 0; count < 5_000; count += 1) progress(`dao-${count}`);
        return Promise.resolve(REPORT);
      },
    });
    expect(report).toEqual(REPORT);
    expect(begun).toEqual([undefined]);
    expect(attributesOf(history, 'activityTaskScheduledEventAttributes')).toHaveLength(1);
    expect(history.events?.length).toBeLessThan(15);
  });

  it.each([
    ['the database was away', new AppError('STORE_UNAVAILABLE')],
    ['something failed', new Error('no space left')],
  ])('should go on behind the last chain that was done when %s', async (_what, failure) => {
    const signed: string[] = [];
    const { report } = await run({
      signAll: (after, progress) => {
        for (const chain of CHAINS) {
          if (after !== undefined && chain <= after) continue;
          if (chain === 'b-dao' && after === undefined) throw failure;
          signed.push(chain);
          progress(chain);
        }
        return Promise.resolve(REPORT);
      },
    });
    expect(report).toEqual(REPORT);
    expect(signed).toEqual(CHAINS);
  });
});

describe('the schedule of auditHeads', () => {
  it('should be made once, run at once and each day, and stay as somebody left it', async () => {
    await keepAuditHeadsSchedule(client.schedule);
    const handle = client.schedule.getHandle(AUDIT_HEADS_SCHEDULE);
    try {
      await handle.pause('of the test');
      await keepAuditHeadsSchedule(client.schedule);
      const { spec, action, policies, state, info } = await handle.describe();
      expect(spec.calendars).toMatchObject([{ hour: [{ start: 0 }], minute: [{ start: 5 }] }]);
      expect(action).toMatchObject({ workflowType: WORKFLOWS.auditHeads, taskQueue: QUEUES.orchestrator });
      expect(policies).toMatchObject({ overlap: 'SKIP' });
      expect(state).toMatchObject({ paused: true, note: 'of the test' });
      expect(info.numActionsTaken + info.runningActions.length).toBeGreaterThan(0);
      for (const { workflow } of info.runningActions) await client.workflow.getHandle(workflow.workflowId).terminate();
    } finally {
      await handle.delete();
    }
  });
});
