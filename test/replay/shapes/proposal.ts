import type { WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { proposalWorkflowId, WORKFLOWS } from '../../../src/contracts/ids.js';
import type { Advanced, ProposalInput } from '../../../src/contracts/proposal.js';
import type { proposal } from '../../../workflows/index.js';
import { POKE_SIGNAL } from '../../../workflows/proposal/messages.js';
import { fail, Script } from '../../fakes/scripted-activities.js';
import { attributesOf, seen, type Stage } from '../../workflows/stage.js';
import { until } from '../../support/until.js';
import { waysThrough } from './shape.js';

type Advance = () => Promise<Advanced>;
type Scene = (handle: WorkflowHandle<typeof proposal>) => Promise<void>;

const SOON = 100;
const LATER = 3_600_000;
/** The server wants a new run from four megabytes of history on. */
const HEAVY = 1_000_000;

/** The proposal goes on: something is due after that time, or nothing is before somebody does something. */
const next =
  (stage: Advanced['stage'], remainingMs: number | null): Advance =>
  async () => ({ stage, remainingMs, final: false });

const end =
  (stage: Advanced['stage']): Advance =>
  async () => ({ stage, remainingMs: null, final: true });

const poke: Scene = (handle) => handle.signal(POKE_SIGNAL);

/** Once the workflow waits for a moment. */
const pokeInPause: Scene = async (handle) => {
  await seen(handle, 'timerStartedEventAttributes');
  await poke(handle);
};

const asked = async (handle: WorkflowHandle): Promise<number> =>
  attributesOf(await handle.fetchHistory(), 'activityTaskCompletedEventAttributes').length;

/** Once the workflow waits for somebody to do something. */
const pokeInRest: Scene = async (handle) => {
  await until(async () => (await asked(handle)) > 0);
  await poke(handle);
};

async function play(stage: Stage, daoId: string, advances: Advance[], scene?: Scene): Promise<History> {
  const input: ProposalInput = { version: 1, daoId, n: 1 };
  const script = new Script<ProposalInput, Advanced>('advanceProposal', advances);
  const history = await stage.run(
    { advanceProposal: (given: ProposalInput) => script.play(given) },
    ({ workflow }, taskQueue) =>
      // As in src/adapters/temporal/gateway.ts.
      workflow.signalWithStart<typeof proposal>(WORKFLOWS.proposal, {
        ...{ args: [input], signal: POKE_SIGNAL, taskQueue, workflowTaskTimeout: '5s' },
        workflowId: proposalWorkflowId(daoId, 1),
      }),
    scene,
  );
  script.assertPlayed();
  return history;
}

/** Somebody does something while it is asked what is due. */
function playPokedMeanwhile(stage: Stage, id: string): Promise<History> {
  const begun = Promise.withResolvers<undefined>();
  const told = Promise.withResolvers<undefined>();
  const held: Advance = async () => {
    begun.resolve(undefined);
    await told.promise;
    return next('open', LATER)();
  };
  return play(stage, id, [held, end('withdrawn')], async (handle) => {
    await begun.promise;
    await poke(handle);
    told.resolve(undefined);
  });
}

/** Its history grows until the server wants a new run, which finds the proposal at its end. */
async function playAnew(stage: Stage, id: string): Promise<History> {
  const heavy: Advance = async () => ({ ...(await next('draft', null)()), padding: 'x'.repeat(HEAVY) });
  const rounds = [heavy, heavy, heavy, heavy, heavy];
  const history = await play(stage, id, [...rounds, end('withdrawn')], async (handle) => {
    for (let round = 1; round < rounds.length; round += 1) {
      await until(async () => (await asked(handle)) === round);
      await poke(handle);
    }
  });
  return lightened(history);
}

/** Without what only made it heavy: the workflow does not look at it. */
function lightened(history: History): History {
  for (const { result } of attributesOf(history, 'activityTaskCompletedEventAttributes')) {
    for (const payload of result?.payloads ?? []) {
      const { stage, remainingMs, final } = JSON.parse(Buffer.from(payload.data ?? []).toString()) as Advanced;
      payload.data = Buffer.from(JSON.stringify({ stage, remainingMs, final }));
    }
  }
  return history;
}

const asking = (times: number): string[] => Array.from({ length: times }, () => 'advanceProposal');

/** Every way of a proposal through its workflow. */
export const PROPOSAL_SHAPES = waysThrough('proposal', {
  'proposal-executed': {
    activities: asking(3),
    closes: 'COMPLETED',
    events: 25,
    play: (stage, id) => play(stage, id, [next('open', SOON), next('passed', SOON), end('executed')]),
  },
  'proposal-rejected': {
    activities: asking(2),
    closes: 'COMPLETED',
    events: 18,
    play: (stage, id) => play(stage, id, [next('open', SOON), end('rejected')]),
  },
  'proposal-vetoed': {
    activities: asking(2),
    closes: 'COMPLETED',
    events: 18,
    play: (stage, id) => play(stage, id, [next('passed', LATER), end('vetoed')], pokeInPause),
  },
  'proposal-withdrawn': {
    activities: asking(2),
    closes: 'COMPLETED',
    events: 17,
    play: (stage, id) => play(stage, id, [next('draft', null), end('withdrawn')], pokeInRest),
  },
  // The signal of the opening was lost: it waits for nothing while the time runs, until the sweep's poke.
  'proposal-late-poke': {
    activities: asking(3),
    closes: 'COMPLETED',
    events: 25,
    play: (stage, id) => play(stage, id, [next('draft', null), next('passed', SOON), end('executed')], pokeInRest),
  },
  // Poked, and there was nothing new: the pause goes on as one of its own.
  'proposal-poked-in-vain': {
    activities: asking(3),
    closes: 'COMPLETED',
    events: 25,
    play: (stage, id) => play(stage, id, [next('open', LATER), next('open', SOON), end('expired')], pokeInPause),
  },
  'proposal-poked-meanwhile': {
    activities: asking(2),
    closes: 'COMPLETED',
    events: 17,
    play: playPokedMeanwhile,
  },
  'proposal-gone': {
    activities: asking(1),
    closes: 'COMPLETED',
    events: 12,
    play: (stage, id) => play(stage, id, [end('gone')]),
  },
  'proposal-store-away': {
    activities: asking(1),
    closes: 'COMPLETED',
    events: 12,
    play: (stage, id) => play(stage, id, [fail('StoreUnavailable'), fail('StoreUnavailable'), end('expired')]),
  },
  'proposal-refused': {
    activities: asking(1),
    closes: 'FAILED',
    events: 11,
    play: (stage, id) => play(stage, id, [fail('Internal')]),
  },
  'proposal-cancelled': {
    activities: asking(1),
    closes: 'CANCELED',
    events: 15,
    play: (stage, id) =>
      play(stage, id, [next('open', LATER)], async (handle) => {
        await seen(handle, 'timerStartedEventAttributes');
        await handle.cancel();
      }),
  },
  'proposal-begins-anew': {
    activities: asking(5),
    closes: 'CONTINUED_AS_NEW',
    events: 30,
    play: playAnew,
  },
});
