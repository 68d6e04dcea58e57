import type { WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { QUEUES, requestWorkflowId, WORKFLOWS } from '../../../src/contracts/ids.js';
import type { RunToolInput, RunToolResult } from '../../../src/contracts/request.js';
import type { devtoolsRun } from '../../../workflows/index.js';
import { fail, Script, untilCancelled } from '../../fakes/scripted-activities.js';
import { request, seen, type Stage } from '../../workflows/stage.js';
import { waysThrough } from './shape.js';

type Run = (input: RunToolInput) => Promise<RunToolResult>;
type Scene = (handle: WorkflowHandle<typeof devtoolsRun>) => Promise<void>;

const ends =
  (result: RunToolResult): Run =>
  async () =>
    result;

/** @param runs what the worker of the tools does; undefined: there is none */
async function play(stage: Stage, requestId: string, runs: Run[] | undefined, scene?: Scene): Promise<History> {
  const input = request([], {
    requestId,
    decision: { mode: 'devtools', rule: 'devtools', tool: 'fs_read' },
    ...(runs ? {} : { deadlineAt: Date.now() + 500 }),
  });
  const script = new Script<RunToolInput, RunToolResult>('runTool', runs ?? []);
  const run = (): Promise<History> =>
    stage.run(
      { recordFailure: async () => undefined },
      ({ workflow }, taskQueue) =>
        workflow.start<typeof devtoolsRun>(WORKFLOWS.devtoolsRun, {
          ...{ args: [input], taskQueue, workflowTaskTimeout: '5s' },
          workflowId: requestWorkflowId(requestId, input.decision),
        }),
      scene,
    );
  const tools = { runTool: (given: RunToolInput) => script.play(given) };
  const history = await (runs ? stage.withActivityWorker(QUEUES.devtools, tools, run) : run());
  script.assertPlayed();
  return history;
}

const cancel: Scene = async (handle) => {
  await seen(handle, 'activityTaskScheduledEventAttributes');
  await handle.cancel();
};

const RUN = ['runTool'];
const RUN_AND_END = ['runTool', 'recordFailure'];

/** Every way of a request for a tool through its workflow. */
export const DEVTOOLS_SHAPES = waysThrough('devtoolsRun', {
  'tool-done': {
    activities: RUN,
    closes: 'COMPLETED',
    events: 11,
    play: (stage, id) => play(stage, id, [ends({ outcome: 'recorded' })]),
  },
  'tool-superseded': {
    activities: RUN,
    closes: 'COMPLETED',
    events: 11,
    play: (stage, id) => play(stage, id, [ends({ outcome: 'superseded', status: 'cancelled' })]),
  },
  'tool-refused': {
    activities: RUN_AND_END,
    closes: 'FAILED',
    events: 11,
    play: (stage, id) => play(stage, id, [fail('ToolRefused')]),
  },
  'tool-made-again': {
    activities: RUN,
    closes: 'COMPLETED',
    events: 11,
    play: (stage, id) => play(stage, id, [fail('WorkerStopped'), ends({ outcome: 'recorded' })]),
  },
  'tool-without-worker': {
    activities: RUN_AND_END,
    closes: 'FAILED',
    events: 10,
    play: (stage, id) => play(stage, id, undefined),
  },
  'tool-cancelled': {
    activities: RUN_AND_END,
    closes: 'CANCELED',
    events: 11,
    play: (stage, id) => play(stage, id, [untilCancelled(fail('Cancelled'))], cancel),
  },
});
