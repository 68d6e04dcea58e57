import { stepRequestId } from '../../../src/contracts/ids.js';
import { aStep, CrewPlay, end, next, poke, telling, type Advance, type CrewHandle } from '../../fakes/crew-play.js';
import { answer, fail, untilCancelled } from '../../fakes/scripted-activities.js';
import { seen } from '../../workflows/stage.js';
import { until } from '../../support/until.js';
import { waysThrough } from './shape.js';

const LATER = 3_600_000;
const WAITS = next({ waitsFor: 'approval', waitMs: LATER, tokens: 12 });

/** A step that uses a tool. */
const using =
  (kind: 'tool' | 'dao'): Advance =>
  async (input) => ({ ...(await next()(input)), steps: [aStep(input.runId, 'a', kind)] });

/** Once the workflow waits for a moment. */
const inPause =
  (then: (handle: CrewHandle) => Promise<unknown>) =>
  async (handle: CrewHandle): Promise<void> => {
    await seen(handle, 'timerStartedEventAttributes');
    await then(handle);
  };

/** Two turns beside each other: the second one ends when the first one has been looked at. */
function besideEachOther(): CrewPlay {
  const crew: CrewPlay = new CrewPlay({
    advances: [next({}, ['a', 'b']), next({ tokens: 12 }, ['b']), end('completed')],
    generate: async (input) => {
      if (input.requestId.endsWith('.b')) await crew.asked(2);
      return answer()(input);
    },
  });
  return crew;
}

/** A turn is stopped at work, which is written down once the run has ended on the record. */
function stoppedAtWork(): CrewPlay {
  const crew: CrewPlay = new CrewPlay({
    advances: [next({}, ['a'])],
    generate: untilCancelled(fail('Cancelled')),
    beforeFailure: () => until(() => crew.cancels.length === 1),
  });
  return crew;
}

/** Every way of a crew's run through its workflow. */
export const CREW_SHAPES = waysThrough('crewRun', {
  'crew-completed': {
    activities: ['advanceCrew', 'generate', 'advanceCrew', 'generate', 'advanceCrew'],
    closes: 'COMPLETED',
    events: 20,
    play: (stage, id) =>
      new CrewPlay({ advances: [next({}, ['a']), next({ tokens: 12 }, ['b']), end('completed')] }).on(stage, id),
  },
  'crew-told-by-turns': {
    activities: ['advanceCrew', 'generate', 'generate'],
    closes: 'COMPLETED',
    events: 16,
    play: (stage, id) =>
      new CrewPlay({
        advances: [next({}, ['a'])],
        generate: telling(next({ tokens: 12 }, ['b']), end('completed')),
      }).on(stage, id),
  },
  'crew-beside-each-other': {
    activities: ['advanceCrew', 'generate', 'generate', 'advanceCrew', 'advanceCrew'],
    closes: 'COMPLETED',
    events: 20,
    play: (stage, id) => besideEachOther().on(stage, id),
  },
  'crew-waits-for-approval': {
    activities: ['advanceCrew', 'generate', 'advanceCrew'],
    closes: 'CONTINUED_AS_NEW',
    events: 14,
    play: (stage, id) => new CrewPlay({ advances: [next({}, ['a']), WAITS, end('completed')] }).on(stage, id),
  },
  'crew-poked': {
    activities: ['advanceCrew', 'advanceCrew', 'generate', 'advanceCrew'],
    closes: 'COMPLETED',
    events: 20,
    play: (stage, id) =>
      new CrewPlay({ advances: [WAITS, next({ tokens: 12 }, ['b']), end('completed')] }).on(stage, id, inPause(poke)),
  },
  'crew-looks-again': {
    activities: ['advanceCrew', 'advanceCrew'],
    closes: 'COMPLETED',
    events: 12,
    play: (stage, id) => new CrewPlay({ advances: [next({ waitMs: 100 }), end('completed')] }).on(stage, id),
  },
  'crew-tool': {
    activities: ['advanceCrew', 'runTool', 'advanceCrew'],
    closes: 'COMPLETED',
    events: 14,
    play: (stage, id) =>
      new CrewPlay({
        advances: [using('tool'), end('completed')],
        runTool: async () => ({ outcome: 'recorded' }),
      }).on(stage, id),
  },
  'crew-dao-tool': {
    activities: ['advanceCrew', 'runDaoTool', 'advanceCrew'],
    closes: 'COMPLETED',
    events: 9,
    play: (stage, id) => new CrewPlay({ advances: [using('dao'), end('completed')] }).on(stage, id),
  },
  'crew-step-failed': {
    activities: ['advanceCrew', 'generate', 'recordFailure', 'advanceCrew', 'generate', 'advanceCrew'],
    closes: 'COMPLETED',
    events: 20,
    play: (stage, id) =>
      new CrewPlay({
        advances: [next({}, ['a']), next({}, ['b']), end('completed')],
        generate: (input) => (input.requestId === stepRequestId(id, 'a') ? fail('ModelNotFound')() : answer()(input)),
      }).on(stage, id),
  },
  'crew-step-again': {
    activities: ['advanceCrew', 'generate', 'advanceCrew', 'advanceCrew'],
    closes: 'COMPLETED',
    events: 18,
    play: (stage, id) =>
      new CrewPlay({ advances: [next({}, ['a']), next({}, ['a']), end('completed')] }).on(stage, id, inPause(poke)),
  },
  'crew-failed': {
    activities: ['advanceCrew', 'generate', 'advanceCrew'],
    closes: 'FAILED',
    events: 14,
    play: (stage, id) => new CrewPlay({ advances: [next({}, ['a']), end('failed')] }).on(stage, id),
  },
  'crew-cancelled': {
    activities: ['advanceCrew', 'cancelCrew'],
    closes: 'CANCELED',
    events: 12,
    play: (stage, id) =>
      new CrewPlay({ advances: [WAITS] }).on(
        stage,
        id,
        inPause((handle) => handle.cancel()),
      ),
  },
  'crew-cancelled-at-work': {
    activities: ['advanceCrew', 'generate', 'cancelCrew', 'recordFailure'],
    closes: 'CANCELED',
    events: 12,
    play: (stage, id) => {
      const crew = stoppedAtWork();
      return crew.on(stage, id, async (handle) => {
        await until(() => crew.begun.length === 1);
        await handle.cancel();
      });
    },
  },
});
