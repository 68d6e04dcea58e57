import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { toApplicationFailure } from '../../activities/failures.js';
import { QUEUES, requestWorkflowId, WORKFLOWS } from '../../src/contracts/ids.js';
import type {
  RecordFailureInput,
  RouteRequestInput,
  RunToolInput,
  RunToolResult,
} from '../../src/contracts/request.js';
import type { devtoolsRun } from '../../workflows/index.js';
import { Script, untilCancelled } from '../fakes/scripted-activities.js';
import { attributesOf, performanceOf, request, Stage, type Performance } from './stage.js';

jest.setTimeout(30_000);

type Run = (input: RunToolInput) => Promise<RunToolResult>;

const recorded: Run = async () => ({ outcome: 'recorded' });
const refuse: Run = async () => {
  throw toApplicationFailure({ type: 'ToolRefused', code: 'PATH_DENIED', message: 'it leads out' });
};
const lost: Run = async () => {
  throw toApplicationFailure({ type: 'WorkerStopped', message: 'the worker stops' });
};

const cancelled: Run = async () => {
  throw toApplicationFailure({ type: 'Cancelled', message: 'cancelled' });
};

/** Temporal's number for an activity that a worker has taken. */
const STARTED = 2;

describe('devtoolsRun', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.close());

  const toolRequest = (changes: Partial<RouteRequestInput> = {}): RouteRequestInput =>
    request([], {
      requestId: randomUUID(),
      decision: { mode: 'devtools', rule: 'devtools', tool: 'fs_read' },
      ...changes,
    });

  interface Played extends Performance {
    failures: RecordFailureInput[];
    calls: Script<RunToolInput, RunToolResult>['calls'];
  }

  /** @param tools what the worker of the tools does; undefined: there is none */
  async function play(
    tools: Run[] | undefined,
    input = toolRequest(),
    scene: (id: string) => Promise<void> = async () => {},
  ): Promise<Played> {
    const failures: RecordFailureInput[] = [];
    const recordFailure = async (failure: RecordFailureInput): Promise<void> => {
      failures.push(failure);
    };
    const script = new Script<RunToolInput, RunToolResult>('runTool', tools ?? []);
    const workflowId = requestWorkflowId(input.requestId, input.decision);
    const perform = (): Promise<Performance> =>
      stage.withWorker({ recordFailure }, async (taskQueue) => {
        const start = {
          args: [input] as [RouteRequestInput],
          workflowId,
          taskQueue,
          workflowTaskTimeout: '5s' as const,
        };
        const handle = await stage.client.workflow.start<typeof devtoolsRun>(WORKFLOWS.devtoolsRun, start);
        await scene(workflowId);
        return performanceOf(handle);
      });
    const performance = tools
      ? await stage.withActivityWorker(
          QUEUES.devtools,
          { runTool: (given: RunToolInput) => script.play(given) },
          perform,
        )
      : await perform();
    script.assertPlayed();
    return { ...performance, failures, calls: script.calls };
  }

  it('should run the tool where the workspaces are, and keep nothing of it in its history', async () => {
    const played = await play([recorded]);
    expect(played).toMatchObject({ status: 'COMPLETED', result: { status: 'completed', attempts: [] }, failures: [] });
    expect(played.calls[0]).toMatchObject({
      queue: 'devtools',
      local: false,
      input: { daoId: 'dao-1', actor: 'user-1' },
    });
    expect(played.searchAttributes).toEqual({ Outcome: 'completed' });
    expect(played.historySize).toBeLessThan(3_000);
    const [scheduled] = played.history.events?.filter((event) => event.activityTaskScheduledEventAttributes) ?? [];
    expect(String(scheduled?.userMetadata?.summary?.data)).toBe('"fs_read"');
  });

  it('should end as failed, and write down why, where the tool refuses', async () => {
    const played = await play([refuse]);
    expect(played).toMatchObject({ status: 'FAILED', failure: 'ToolRefused' });
    expect(played.failures).toMatchObject([
      { status: 'failed', failure: { type: 'ToolRefused', code: 'PATH_DENIED', message: 'it leads out' } },
    ]);
    expect(played.searchAttributes).toEqual({ Outcome: 'failed' });
  });

  it('should have a lost run made again', async () => {
    const played = await play([lost, recorded]);
    expect(played).toMatchObject({ status: 'COMPLETED', failures: [] });
    expect(played.calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('should leave a request as it is that had ended before', async () => {
    const played = await play([async () => ({ outcome: 'superseded', status: 'cancelled' })]);
    expect(played).toMatchObject({ status: 'COMPLETED', result: { status: 'cancelled' }, failures: [] });
    expect(played.searchAttributes).toEqual({ Outcome: 'superseded' });
  });

  const cancel = async (id: string): Promise<void> => {
    const handle = stage.client.workflow.getHandle(id);
    const isAtWork = async (): Promise<boolean> => {
      const { pendingActivities: [first] = [] } = (await handle.describe()).raw as {
        pendingActivities?: { state: number }[];
      };
      return first?.state === STARTED;
    };
    while (!(await isAtWork())) await new Promise(setImmediate);
    await handle.cancel();
  };

  it('should be cancelled when what it ran is gone, and not before', async () => {
    const played = await play([untilCancelled(cancelled)], toolRequest(), cancel);
    expect(played).toMatchObject({
      status: 'CANCELLED',
      failures: [{ status: 'cancelled', failure: { type: 'Cancelled' } }],
    });
  });

  it('should have done what was done before the cancel came through', async () => {
    const played = await play([untilCancelled(recorded)], toolRequest(), cancel);
    expect(played).toMatchObject({ status: 'COMPLETED', result: { status: 'completed' }, failures: [] });
  });

  it('should give up at the deadline where no worker takes it', async () => {
    const played = await play(undefined, toolRequest({ deadlineAt: Date.now() + 500 }));
    expect(played).toMatchObject({ status: 'FAILED', failure: 'ToolTimeout' });
    expect(played.failures[0]?.failure.message).toBe('no worker of the queue devtools was free');
    expect(attributesOf(played.history, 'activityTaskTimedOutEventAttributes')).toHaveLength(1);
  });
});
