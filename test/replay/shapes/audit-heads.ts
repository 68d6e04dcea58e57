import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { WorkflowHandle } from '@temporalio/client';
import type { SigningReport } from '../../../src/contracts/audit.js';
import { WORKFLOWS } from '../../../src/contracts/ids.js';
import type { auditHeads } from '../../../workflows/index.js';
import { fail, Script } from '../../fakes/scripted-activities.js';
import type { Stage } from '../../workflows/stage.js';
import { waysThrough } from './shape.js';

type Signing = () => Promise<SigningReport>;

const ACTIVITIES = ['signHeads'];

const sign =
  (signed: number): Signing =>
  async () => ({ day: '2026-11-28', signed, published: signed, broken: [] });

/** Some chains are signed, and then the database is away. */
const breakOff: Signing = async () => {
  for (const chain of ['', 'dao-1', 'dao-2']) Context.current().heartbeat(chain);
  return fail('StoreUnavailable')();
};

/** Goes on behind the chain that was signed last. */
const goOn: Signing = async () => {
  if (Context.current().info.heartbeatDetails === 'dao-2') return sign(400)();
  throw ApplicationFailure.nonRetryable('it is not known how far the attempt before came', 'ScriptBroken');
};

/** A signing that lasts until it is cancelled. */
function lasting(): { begun: Promise<unknown>; signing: Signing } {
  const { promise: begun, resolve } = Promise.withResolvers<undefined>();
  const signing: Signing = async () => {
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(''), 100);
    resolve(undefined);
    return context.cancelled.finally(() => clearInterval(beat));
  };
  return { begun, signing };
}

async function play(
  stage: Stage,
  workflowId: string,
  signings: Signing[],
  scene?: (handle: WorkflowHandle) => Promise<void>,
): Promise<History> {
  const script = new Script<undefined, SigningReport>('signHeads', signings);
  const history = await stage.run(
    { signHeads: () => script.play(undefined) },
    ({ workflow }, taskQueue) =>
      workflow.start<typeof auditHeads>(WORKFLOWS.auditHeads, { workflowId, taskQueue, workflowTaskTimeout: '5s' }),
    scene,
  );
  script.assertPlayed();
  return history;
}

/** Every way of a signing through its workflow. Pages of chains are the activity's own: none of them shows here. */
export const AUDIT_HEADS_SHAPES = waysThrough('auditHeads', {
  'audit-heads-one-page': {
    activities: ACTIVITIES,
    closes: 'COMPLETED',
    events: 11,
    play: (stage, id) => play(stage, id, [sign(3)]),
  },
  'audit-heads-several-pages': {
    activities: ACTIVITIES,
    closes: 'COMPLETED',
    events: 11,
    play: (stage, id) => play(stage, id, [breakOff, goOn]),
  },
  'audit-heads-failed': {
    activities: ACTIVITIES,
    closes: 'FAILED',
    events: 11,
    play: (stage, id) => play(stage, id, [fail('Internal')]),
  },
  'audit-heads-cancelled': {
    activities: ACTIVITIES,
    closes: 'CANCELED',
    events: 10,
    play: (stage, id) => {
      const { begun, signing } = lasting();
      return play(stage, id, [signing], async (handle) => {
        await begun;
        await handle.cancel();
      });
    },
  },
});
