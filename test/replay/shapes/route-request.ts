import {
  answer,
  endedEarlier,
  fail,
  HeldCall,
  know,
  knowNothing,
  ScriptedActivities,
  write,
} from '../../fakes/scripted-activities.js';
import { request, seen, step, type Performance, type Stage } from '../../workflows/stage.js';
import { waysThrough, type Shape } from './shape.js';

/** A way that a request can take. */
interface RequestShape extends Omit<Shape, 'workflow' | 'play'> {
  /** @param input makes the request, under an id of the shape’s own */
  play(stage: Stage, input: typeof request): Promise<Performance>;
}

const CACHE = { ttlMs: 60_000, maxEntries: 10 };
const EMPTY_QUEUE = 'nobody-works-here';

const played =
  ({ play }: RequestShape): Shape['play'] =>
  async (stage, id) =>
    (await play(stage, (chain, changes) => request(chain, { requestId: id, ...changes }))).history;

const ways = {
  'answer-at-once': {
    activities: ['generate'],
    closes: 'COMPLETED',
    events: 12,
    play: (stage, input) => stage.perform(new ScriptedActivities({ generate: [answer()] }), input([step('first')])),
  },
  'retry-then-answer': {
    activities: ['generate', 'generate'],
    closes: 'COMPLETED',
    events: 20,
    play: (stage, input) =>
      stage.perform(
        new ScriptedActivities({ generate: [fail('RateLimited', 100), answer()] }),
        input([step('first', { maxAttempts: 2 }), step('second')]),
      ),
  },
  fallback: {
    activities: ['generate', 'generate'],
    closes: 'COMPLETED',
    events: 18,
    play: (stage, input) =>
      stage.perform(
        new ScriptedActivities({ generate: [fail('ModelNotFound'), answer()] }),
        input([step('first', { maxAttempts: 2 }), step('second')]),
      ),
  },
  'all-failed': {
    activities: ['generate', 'generate', 'recordFailure'],
    closes: 'FAILED',
    events: 19,
    play: (stage, input) =>
      stage.perform(
        new ScriptedActivities({
          generate: [fail('ModelNotFound'), fail('ProviderUnavailable')],
          recordFailure: [write()],
        }),
        input([step('first'), step('second')]),
      ),
  },
  cancelled: {
    activities: ['generate', 'recordFailure'],
    closes: 'CANCELED',
    events: 12,
    play: (stage, input) => {
      const call = new HeldCall();
      const script = new ScriptedActivities({ generate: [call], recordFailure: [write()] });
      return stage.perform(script, input([step('first'), step('second')]), async (handle) => {
        await call.begun;
        await handle.cancel();
      });
    },
  },
  'cancelled-in-pause': {
    activities: ['generate', 'recordFailure'],
    closes: 'CANCELED',
    events: 18,
    play: (stage, input) => {
      const script = new ScriptedActivities({ generate: [fail('RateLimited', 25_000)], recordFailure: [write()] });
      return stage.perform(script, input([step('first', { maxAttempts: 2 })]), async (handle) => {
        await seen(handle, 'timerStartedEventAttributes');
        await handle.cancel();
      });
    },
  },
  deadline: {
    activities: ['generate', 'recordFailure'],
    closes: 'FAILED',
    events: 12,
    play: (stage, input) => {
      const script = new ScriptedActivities({ recordFailure: [write()] });
      const chain = [step('first', { shape: 'queue', queue: EMPTY_QUEUE }), step('second')];
      return stage.perform(script, input(chain, { deadlineAt: Date.now() + 1_000 }));
    },
  },
  'local-shape': {
    activities: ['generate'],
    closes: 'COMPLETED',
    events: 7,
    play: (stage, input) =>
      stage.perform(new ScriptedActivities({ generate: [answer()] }), input([step('first', { shape: 'local' })])),
  },
  'queue-shape': {
    activities: ['generate'],
    closes: 'COMPLETED',
    events: 12,
    play: (stage, input) => {
      const script = new ScriptedActivities({ generate: [answer()] });
      const queue = 'llm';
      return stage.withActivityWorker(queue, { generate: script.activities.generate }, () =>
        stage.perform(script, input([step('first', { shape: 'queue', queue })])),
      );
    },
  },
  'queue-timeout-fallback': {
    activities: ['generate', 'generate'],
    closes: 'COMPLETED',
    events: 17,
    play: (stage, input) =>
      stage.perform(
        new ScriptedActivities({ generate: [answer()] }),
        input([step('first', { shape: 'queue', queue: EMPTY_QUEUE, queueTimeoutMs: 200 }), step('second')]),
      ),
  },
  superseded: {
    activities: ['generate'],
    closes: 'COMPLETED',
    events: 12,
    play: (stage, input) =>
      stage.perform(new ScriptedActivities({ generate: [endedEarlier('cancelled')] }), input([step('first')])),
  },
  'store-away': {
    activities: ['generate', 'recordFailure'],
    closes: 'FAILED',
    events: 13,
    play: (stage, input) =>
      stage.perform(
        new ScriptedActivities({
          generate: [fail('StoreUnavailable'), fail('ModelNotFound')],
          recordFailure: [fail('StoreUnavailable'), write()],
        }),
        input([step('first')]),
      ),
  },
  'provider-skipped': {
    activities: ['generate'],
    closes: 'COMPLETED',
    events: 12,
    play: (stage, input) => {
      const skipped = [{ provider: 'first', reason: 'QueueFull' as const, retryAfterMs: 5_000 }];
      const script = new ScriptedActivities({ generate: [answer()] });
      return stage.perform(script, input([step('first'), step('second')], { skipped }));
    },
  },
  'queue-refused-fallback': {
    activities: ['generate', 'generate'],
    closes: 'COMPLETED',
    events: 18,
    play: (stage, input) =>
      stage.perform(
        new ScriptedActivities({ generate: [fail('WaitTooLong', 60_000), answer()] }),
        input([step('first', { maxAttempts: 2 }), step('second')]),
      ),
  },
  'cache-hit': {
    activities: ['answerWithoutModel'],
    closes: 'COMPLETED',
    events: 7,
    play: (stage, input) =>
      stage.perform(
        new ScriptedActivities({ answerWithoutModel: [know()] }),
        input([step('first')], { decision: { cache: CACHE } }),
      ),
  },
  'cache-miss': {
    activities: ['answerWithoutModel', 'generate'],
    closes: 'COMPLETED',
    events: 13,
    play: (stage, input) =>
      stage.perform(
        new ScriptedActivities({ answerWithoutModel: [knowNothing()], generate: [answer()] }),
        input([step('first')], { decision: { cache: CACHE } }),
      ),
  },
  'known-after-exhausted-chain': {
    activities: ['generate', 'generate', 'answerWithoutModel'],
    closes: 'COMPLETED',
    events: 19,
    play: (stage, input) =>
      stage.perform(
        new ScriptedActivities({
          generate: [fail('ModelNotFound'), fail('CoolingDown', 4_000)],
          answerWithoutModel: [know()],
        }),
        input([step('first'), step('second')], { decision: { answer: 'dao' } }),
      ),
  },
  'nothing-known': {
    activities: ['generate', 'answerWithoutModel', 'recordFailure'],
    closes: 'FAILED',
    events: 14,
    play: (stage, input) =>
      stage.perform(
        new ScriptedActivities({
          generate: [fail('ModelNotFound')],
          answerWithoutModel: [knowNothing()],
          recordFailure: [write()],
        }),
        input([step('first')], { decision: { answer: 'dao' } }),
      ),
  },
} satisfies Record<string, RequestShape>;

/** Every way of a request through its workflow. */
export const ROUTE_SHAPES = waysThrough(
  'routeRequest',
  Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, { ...way, play: played(way) }])),
);
