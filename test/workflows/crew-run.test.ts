import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { crewWorkflowId, stepRequestId } from '../../src/contracts/ids.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import { aStep, CrewPlay, end, next, poke, telling, type Advance } from '../fakes/crew-play.js';
import { answer, fail, untilCancelled } from '../fakes/scripted-activities.js';
import { uniqueQueue, workflowBundle } from '../support/temporal.js';
import { until } from '../support/until.js';
import { attributesOf, Stage } from './stage.js';

jest.setTimeout(30_000);

const LATER = 3_600_000;
const WEEK = 7 * 24 * LATER;
/** After how long people are reminded here: usually after a day. */
const SOON = 400;
/** Nothing stays in memory: each wake-up is seen in the history, and whoever wakes it knows nothing of before. */
const FORGETFUL = { maxCachedWorkflows: 0 };

const holdsNothing = (worker: Worker): boolean => {
  const { numInFlightWorkflowActivations, numInFlightActivities, numCachedWorkflows } = worker.getStatus();
  return numInFlightWorkflowActivations + numInFlightActivities + numCachedWorkflows === 0;
};
/** One before each of 201 steps, one where it is full, and one at the end. */
const LOOKS = 203;

describe('crewRun', () => {
  let stage: Stage;
  let runId: string;

  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.close());
  beforeEach(() => {
    runId = randomUUID();
  });

  const idOf = (key: string): string => stepRequestId(runId, key);
  const play = (...advances: Advance[]): CrewPlay => new CrewPlay({ advances });
  const description = () => stage.client.workflow.getHandle(crewWorkflowId('team', runId)).describe();
  const closed = async (): Promise<string> => (await description()).status.name;

  const timersOf = (history: History): number => attributesOf(history, 'timerStartedEventAttributes').length;
  const hasContinued = (history: History): boolean =>
    attributesOf(history, 'workflowExecutionContinuedAsNewEventAttributes').length === 1;

  it('should do what it is told, ask again after each step, and end as it is told', async () => {
    const crew = play(next({}, ['a']), next({ tokens: 12 }, ['b']), end('completed', 24));
    await crew.on(stage, runId);
    expect(crew.begun).toEqual([idOf('a'), idOf('b')]);
    expect(crew.looks.calls[0]).toMatchObject({ input: { runId, daoId: 'dao-1' }, local: true });
    expect(await closed()).toBe('COMPLETED');
    const { typedSearchAttributes: told } = await description();
    expect(told.get(SEARCH_ATTRIBUTES.Outcome)).toBe('completed');
    expect(told.get(SEARCH_ATTRIBUTES.TokensTotal)).toBe(24);
  });

  it('should go on by what its turns tell, without asking', async () => {
    const crew = new CrewPlay({
      advances: [next({}, ['a'])],
      generate: telling(next({}, ['b']), next({}, ['c']), end('completed', 36)),
    });
    await crew.on(stage, runId);
    expect(crew.begun).toEqual(['a', 'b', 'c'].map(idOf));
    expect((await description()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.TokensTotal)).toBe(36);
  });

  it('should ask where another one was told, or somebody decided, while a turn was at work', async () => {
    const tells = telling(next({}, ['b', 'c']), end('failed'), end('failed'));
    const crew: CrewPlay = new CrewPlay({
      advances: [next({}, ['a', 'b']), next({}, ['c']), next({}, ['c']), end('completed')],
      generate: async (input) => {
        const turned = await tells(input);
        // The second one was begun before the first one told what is next; the third one is overtaken by a person.
        if (input.requestId === idOf('b')) await until(() => crew.begun.includes(idOf('c')));
        if (input.requestId === idOf('c')) {
          await crew.asked(2);
          await poke(stage.client.workflow.getHandle(crewWorkflowId('team', runId)));
          await crew.asked(3);
        }
        return turned;
      },
    });
    await crew.on(stage, runId);
    expect(await closed()).toBe('COMPLETED');
  });

  it('should do steps beside each other, each once, and begin what is new while others are at work', async () => {
    const both = Promise.withResolvers<undefined>();
    const third = Promise.withResolvers<undefined>();
    const crew: CrewPlay = new CrewPlay({
      advances: [next({}, ['a', 'b']), next({}, ['b', 'c']), next({}, ['b']), end('completed')],
      generate: async (input) => {
        if (crew.begun.length === 2) both.resolve(undefined);
        await both.promise;
        if (input.requestId === idOf('c')) third.resolve(undefined);
        if (input.requestId === idOf('b')) await third.promise.then(() => crew.asked(3));
        return answer()(input);
      },
    });
    await crew.on(stage, runId);
    expect(crew.begun.toSorted()).toEqual(['a', 'b', 'c'].map(idOf));
  });

  it('should tell operators who works on what', async () => {
    const history = await play(next({}, ['a']), end('completed')).on(stage, runId);
    const scheduled = history.events?.find((event) => event.activityTaskScheduledEventAttributes);
    expect(String(scheduled?.userMetadata?.summary?.data)).toBe('"somebody on a"');
  });

  it('should use tools where the workspaces are, and look at the DAO right here', async () => {
    const tools: Advance = async (input) => ({
      ...(await next()(input)),
      steps: [aStep(runId, 't', 'tool'), aStep(runId, 'd', 'dao')],
    });
    const crew: CrewPlay = new CrewPlay({
      advances: [tools, tools, end('completed')],
      runDaoTool: async () => ({ outcome: 'recorded' }),
      runTool: () => crew.asked(2).then(() => ({ outcome: 'recorded' })),
    });
    const history = await crew.on(stage, runId);
    expect(crew.begun.toSorted()).toEqual(['d', 't'].map(idOf));
    const [scheduled, ...more] = attributesOf(history, 'activityTaskScheduledEventAttributes');
    expect(scheduled?.taskQueue?.name).toBe('devtools');
    expect(more).toEqual([]);
  });

  it('should go on where a step fails, once that is on the record', async () => {
    const crew: CrewPlay = new CrewPlay({
      advances: [next({}, ['a']), next({}, ['b']), end('completed')],
      generate: (input) => (input.requestId === idOf('a') ? fail('ModelNotFound')() : answer()(input)),
    });
    await crew.on(stage, runId);
    expect(crew.failures).toMatchObject([
      { requestId: idOf('a'), status: 'failed', failure: { type: 'ModelNotFound' } },
    ]);
    expect(await closed()).toBe('COMPLETED');
  });

  it('should have failed where the run has, and stop what is at work for it', async () => {
    const crew: CrewPlay = new CrewPlay({
      advances: [next({}, ['a', 'b']), end('failed')],
      generate: (input) => (input.requestId === idOf('a') ? answer()(input) : untilCancelled(fail('Cancelled'))(input)),
    });
    await crew.on(stage, runId);
    expect(await closed()).toBe('FAILED');
    expect(crew.failures).toMatchObject([{ requestId: idOf('b'), status: 'cancelled' }]);
    expect((await description()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.Outcome)).toBe('failed');
    expect(crew.cancels).toEqual([]);
  });

  describe('waiting', () => {
    it('should begin anew before it waits for people, and go on when it is poked', async () => {
      const waits = next({ waitsFor: 'approval', waitMs: LATER, tokens: 12 });
      const crew = play(next({}, ['a']), waits, waits, next({ tokens: 12 }, ['b']), end('completed'));
      const history = await crew.on(stage, runId, async (handle) => {
        await crew.asked(3);
        await until(
          async () => timersOf(await stage.client.workflow.getHandle(handle.workflowId).fetchHistory()) === 1,
        );
        expect((await description()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.ApprovalState)).toBe('approval');
        await poke(stage.client.workflow.getHandle(handle.workflowId));
      });
      expect(hasContinued(history)).toBe(true);
      expect(timersOf(history)).toBe(1);
      expect(crew.begun).toEqual([idOf('a'), idOf('b')]);
      expect((await description()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.ApprovalState)).toBe('none');
    });

    it('should not begin anew where nothing was done yet, or something is at work', async () => {
      const crew: CrewPlay = new CrewPlay({
        advances: [
          next({ waitsFor: 'question' }),
          next({ waitsFor: 'approval' }, ['a']),
          next({ waitsFor: 'approval' }, ['a']),
          end('completed'),
        ],
        generate: (input) => crew.asked(3).then(() => answer()(input)),
      });
      const history = await crew.on(stage, runId, async (handle) => {
        await crew.asked(1);
        await poke(handle);
        await until(() => crew.begun.length === 1);
        await poke(handle);
      });
      expect(hasContinued(history)).toBe(false);
    });

    it('should be woken in a week by its reminder alone, hold nothing, and go on under another worker', async () => {
      const waits = (waitMs: number): Advance => next({ waitsFor: 'approval', waitMs, tokens: 12 });
      const waiting = [waits(SOON), waits(SOON), waits(WEEK - SOON)];
      const crew = play(next({}, ['a']), ...waiting, next({ tokens: 12 }, ['b']), end('completed'));
      const options = { taskQueue: uniqueQueue(), ...FORGETFUL };
      const latest = () => stage.client.workflow.getHandle(crewWorkflowId('team', runId));
      const resting = await stage.withWorker(
        crew.activities(),
        async (queue, worker) => {
          await crew.start(stage.client, queue, runId);
          await until(async () => timersOf(await latest().fetchHistory()) === 2);
          await until(() => holdsNothing(worker));
          return latest().fetchHistory();
        },
        options,
      );
      const { raw } = await description();
      expect([raw.pendingActivities, raw.pendingWorkflowTask ?? null]).toEqual([[], null]);
      // Its beginning and the reminder; the second timer is for the end of the week.
      expect(attributesOf(resting, 'workflowTaskScheduledEventAttributes')).toHaveLength(2);
      expect(resting.events?.length).toBeLessThanOrEqual(14);
      const [, toItsEnd] = attributesOf(resting, 'timerStartedEventAttributes');
      expect(Number(toItsEnd?.startToFireTimeout?.seconds)).toBe(Math.floor((WEEK - SOON) / 1_000));
      await stage.withWorker(
        crew.activities(),
        async () => {
          expect((await latest().fetchHistory()).events).toEqual(resting.events);
          await poke(latest());
          await latest().result();
        },
        options,
      );
      expect(crew.begun).toEqual([idOf('a'), idOf('b')]);
      expect(await closed()).toBe('COMPLETED');
      crew.looks.assertPlayed();
    });

    it('should look again after the time that it is told, also where that is none', async () => {
      const history = await play(next({ waitMs: 50 }), next({ waitMs: 0 }), end('completed')).on(stage, runId);
      const timers = attributesOf(history, 'timerStartedEventAttributes');
      expect(timers.map(({ startToFireTimeout: time }) => Number(time?.nanos))).toEqual([50_000_000, 1_000_000]);
    });

    it('should hear a poke that comes while it asks', async () => {
      const held = Promise.withResolvers<undefined>();
      const crew: CrewPlay = play(async (input) => {
        await held.promise;
        return next({ waitsFor: 'approval' })(input);
      }, end('completed'));
      await crew.on(stage, runId, async (handle) => {
        await crew.asked(1);
        await poke(handle);
        held.resolve(undefined);
      });
      expect(await closed()).toBe('COMPLETED');
    });
  });

  describe('a cancel', () => {
    it('should end the run on the record, and stop what is at work', async () => {
      const crew: CrewPlay = new CrewPlay({
        advances: [next({}, ['a', 'b'])],
        generate: untilCancelled(fail('Cancelled')),
      });
      const history = await crew.on(stage, runId, async (handle) => {
        await until(() => crew.begun.length === 2);
        await handle.cancel();
      });
      expect(crew.cancels).toEqual([{ runId, daoId: 'dao-1' }]);
      expect(crew.failures.map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
      expect(await closed()).toBe('CANCELLED');
      expect(attributesOf(history, 'workflowTaskFailedEventAttributes')).toEqual([]);
    });

    it('should wait until a tool that is stopped is gone', async () => {
      const order: string[] = [];
      const crew: CrewPlay = new CrewPlay({
        advances: [async (input) => ({ ...(await next()(input)), steps: [aStep(runId, 't', 'tool')] })],
        runTool: untilCancelled(async () => {
          await until(() => crew.cancels.length === 1);
          order.push('gone');
          return fail('Cancelled')();
        }),
      });
      await crew.on(stage, runId, async (handle) => {
        await until(() => crew.begun.length === 1);
        await handle.cancel();
        await handle.result().catch(() => undefined);
        order.push('closed');
      });
      expect(order).toEqual(['gone', 'closed']);
    });

    it.each([
      ['for people', next({ waitsFor: 'approval', waitMs: LATER })],
      ['for nothing that has a time', next({ waitsFor: 'approval' })],
    ])('should end a run that waits %s', async (_, waits) => {
      const crew = play(waits);
      await crew.on(stage, runId, async (handle) => {
        await crew.asked(1);
        await handle.cancel();
      });
      expect(crew.cancels).toHaveLength(1);
      expect(await closed()).toBe('CANCELLED');
    });
  });

  describe('history', () => {
    it('should lead to the same when it is read again, also where two looks at the DAO end while it asks', async () => {
      const both: Advance = async (input) => ({
        ...(await next()(input)),
        steps: [aStep(runId, 'd', 'dao'), aStep(runId, 'e', 'dao')],
      });
      // The second one ends while what follows from the first one is asked for, if that is not left until it has ended.
      const slow: Advance = async (input) => {
        await sleep(200);
        return next()(input);
      };
      const crew = new CrewPlay({
        advances: [both, slow, next({}, ['a']), end('completed')],
        runDaoTool: ({ requestId }) => sleep(requestId === idOf('e') ? 100 : 0, { outcome: 'recorded' }),
      });
      const history = await crew.on(stage, runId);
      await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, 'read again');
      expect(crew.begun).toEqual(['d', 'e', 'a'].map(idOf));
    });

    it('should stay small, and hold no text of models or members', async () => {
      const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
      const rounds = keys.map((key, index) => next({ tokens: 12 * index }, [key]));
      const history = await play(...rounds, end('completed')).on(stage, runId);
      const { historySize } = await description();
      expect(historySize).toBeGreaterThan(1_000);
      expect(historySize).toBeLessThan(40_000);
      const results = attributesOf(history, 'activityTaskCompletedEventAttributes').map(({ result }) =>
        Object.keys(JSON.parse(String(result?.payloads?.[0]?.data)) as object),
      );
      expect(results).toEqual(keys.map(() => ['outcome', 'provider', 'finishReason', 'usage']));
    });

    it('should begin anew after many steps, also where it never waits', async () => {
      const left = new Set(Array.from({ length: 201 }, (_, index) => `s${index}`));
      const crew: CrewPlay = new CrewPlay({
        advances: Array.from({ length: LOOKS }, () => (input) => {
          const [first] = left;
          return (first === undefined ? end('completed') : next({}, [first]))(input);
        }),
        generate: (input) => {
          left.delete(input.requestId.slice(runId.length + 1));
          return answer()(input);
        },
      });
      const history = await crew.on(stage, runId);
      expect(hasContinued(history)).toBe(true);
      expect(new Set(crew.begun).size).toBe(201);
      expect(crew.begun).toHaveLength(201);
    });

    it('should pause before it does a step again that it did, and that is open still', async () => {
      const crew = play(next({}, ['a']), next({}, ['a']), end('completed'));
      const history = await crew.on(stage, runId, async (handle) => {
        await until(async () => timersOf(await handle.fetchHistory()) === 1);
        await poke(handle);
      });
      expect(crew.begun).toEqual([idOf('a')]);
      const [timer] = attributesOf(history, 'timerStartedEventAttributes');
      expect(Number(timer?.startToFireTimeout?.seconds)).toBe(30);
    });
  });
});
