import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { createDialogActivities } from '../../activities/dialogs.js';
import type { ChatAddress, DialogStep, Lane, RememberInput } from '../../src/contracts/dialog.js';
import { dialogWorkflowId, WORKFLOWS } from '../../src/contracts/ids.js';
import { DeliveryError } from '../../src/errors/delivery-error.js';
import type { dialog } from '../../workflows/index.js';
import { POKE_DIALOG_SIGNAL, type DialogPoke } from '../../workflows/dialog/messages.js';
import { connectTemporal, uniqueQueue, workflowBundle } from '../support/temporal.js';
import { until } from '../support/until.js';
import { attributesOf } from './stage.js';

jest.setTimeout(60_000);

const NOTHING: DialogStep = { isMore: false, waitMs: null };

let env: TestWorkflowEnvironment;
let client: Client;
beforeAll(async () => {
  [env] = await Promise.all([connectTemporal(), workflowBundle()]);
  client = new Client({ connection: env.nativeConnection });
});
afterAll(() => env.teardown());

describe('dialog', () => {
  let address: ChatAddress;
  let queue: string;
  let worker: Worker;
  let running: Promise<void>;
  /** What is done of a lane, in order; then nothing is left. */
  let steps: Record<Lane, (() => Promise<DialogStep>)[]>;
  let looks: Record<Lane, number>;
  let remembered: RememberInput[];
  let remembering: Promise<void>;

  const look = (lane: Lane): Promise<DialogStep> => {
    looks[lane] += 1;
    return steps[lane].shift()?.() ?? Promise.resolve(NOTHING);
  };
  const handle = (): WorkflowHandle<typeof dialog> => client.workflow.getHandle(dialogWorkflowId(address));

  /** Pokes as src/adapters/temporal/gateway.ts does, on the test's own queue. */
  const poke = (...lane: DialogPoke): Promise<unknown> =>
    client.workflow.signalWithStart<typeof dialog, DialogPoke>(WORKFLOWS.dialog, {
      ...{ args: [{ version: 1, ...address }], signal: POKE_DIALOG_SIGNAL, signalArgs: lane },
      ...{ workflowId: dialogWorkflowId(address), taskQueue: queue, workflowTaskTimeout: '5s' },
    });

  beforeEach(async () => {
    address = { source: 'tg', chat: randomUUID(), topic: '' };
    queue = uniqueQueue();
    steps = { turn: [], act: [], say: [] };
    looks = { turn: 0, act: 0, say: 0 };
    remembered = [];
    remembering = Promise.resolve();
    worker = await Worker.create({
      ...{ taskQueue: queue, connection: env.nativeConnection, shutdownForceTime: '5s' },
      workflowBundle: await workflowBundle(),
      activities: createDialogActivities({
        dialogs: {
          answerNext: () => look('turn'),
          doActs: () => look('act'),
          sayNext: () => look('say'),
          remember: (_address, place) => {
            remembered.push(place);
            return remembering;
          },
        },
      }),
    });
    running = worker.run();
  });
  afterEach(async () => {
    worker.shutdown();
    await running;
  });

  it('should answer one message after the other, and end when there is none', async () => {
    const order: string[] = [];
    const step = (name: string, isMore: boolean) => async (): Promise<DialogStep> => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
      return { isMore, waitMs: null };
    };
    steps.turn.push(step('one', true), step('two', false));
    await poke('turn');
    await handle().result();
    expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
    expect(looks).toEqual({ turn: 2, act: 0, say: 0 });
    const history = await handle().fetchHistory();
    expect(attributesOf(history, 'activityTaskScheduledEventAttributes')).toHaveLength(2);
    // An answer costs a signal, two tasks and an activity.
    expect(history.events?.length).toBeLessThanOrEqual(18);
  });

  it('should look again for whoever wrote while an answer was being written', async () => {
    const written = Promise.withResolvers<DialogStep>();
    steps.turn.push(() => written.promise);
    await poke('turn');
    await until(() => looks.turn === 1);
    await poke('turn');
    written.resolve(NOTHING);
    await handle().result();
    expect(looks.turn).toBe(2);
  });

  it('should do what is to be done at once beside an answer, and then look at the turns if that is wanted', async () => {
    const written = Promise.withResolvers<DialogStep>();
    steps.turn.push(() => written.promise);
    steps.act.push(() => Promise.resolve({ ...NOTHING, wakes: ['turn'] }));
    await poke('turn');
    await until(() => looks.turn === 1);
    await poke('act');
    await until(() => looks.act === 1);
    expect(looks.turn).toBe(1);
    written.resolve(NOTHING);
    await handle().result();
    expect(looks).toEqual({ turn: 2, act: 1, say: 0 });
  });

  it('should do what is to be done at once within a second, whatever is still to be shown of what was done before', async () => {
    const shown = Promise.withResolvers<DialogStep>();
    const limited = new DeliveryError('limited', 'too many', { retryAfterMs: 3_000 });
    steps.act.push(() => Promise.resolve({ ...NOTHING, wakes: ['say'] }));
    steps.say.push(
      () => shown.promise,
      () => Promise.reject(limited),
    );
    await poke('act');
    await until(() => looks.say === 1);
    const act = async (): Promise<number> => {
      const before = looks.act;
      const began = Date.now();
      await poke('act');
      await until(() => looks.act > before);
      return Date.now() - began;
    };
    expect(await act()).toBeLessThan(1_000);
    shown.resolve({ ...NOTHING, isMore: true });
    await until(() => looks.say === 2);
    // Here the platform wants to be left alone for a while.
    expect(await act()).toBeLessThan(1_000);
    expect(looks).toEqual({ turn: 0, act: 3, say: 2 });
    await handle().result();
    expect(looks.say).toBe(3);
  });

  it('should sum up old turns beside the next ones, and end after that', async () => {
    const place = { daoId: 'a-dao', chat: 'chat' };
    const summed = Promise.withResolvers<undefined>();
    remembering = summed.promise;
    steps.turn.push(() => Promise.resolve({ ...NOTHING, remember: place }));
    await poke('turn');
    await until(() => remembered.length === 1);
    await poke('turn');
    await until(() => looks.turn === 2);
    expect((await handle().describe()).status.name).toBe('RUNNING');
    summed.resolve(undefined);
    await handle().result();
    expect(remembered).toEqual([place]);
  });

  it('should sum up once at a time', async () => {
    const place = { daoId: 'a-dao', chat: 'chat' };
    const summed = Promise.withResolvers<undefined>();
    remembering = summed.promise;
    const step = (): Promise<DialogStep> => Promise.resolve({ isMore: true, waitMs: null, remember: place });
    steps.turn.push(step, step, step);
    await poke('turn');
    await until(() => looks.turn === 4 && remembered.length > 0);
    summed.resolve(undefined);
    await handle().result();
    expect(remembered).toEqual([place]);
    const scheduled = attributesOf(await handle().fetchHistory(), 'activityTaskScheduledEventAttributes');
    expect(scheduled.map(({ activityType }) => activityType?.name).filter((name) => name === 'remember')).toHaveLength(
      1,
    );
  });

  describe('whose history is full', () => {
    /** The server suggests to begin anew by the number of events, or by their size. */
    const PADDING = 'x'.repeat(1_000_000);
    const FULL = 8;
    const heavy =
      (changes: Partial<DialogStep> = {}) =>
      (): Promise<DialogStep> => {
        const step = { ...NOTHING, ...changes, padding: PADDING };
        return Promise.resolve(step);
      };
    const runId = async (): Promise<string> => (await handle().describe()).runId;

    it('should go on with what is to be done at once while a turn takes its time, and begin anew behind it', async () => {
      const written = Promise.withResolvers<DialogStep>();
      steps.turn.push(() => written.promise);
      await poke('turn');
      await until(() => looks.turn === 1);
      const first = await runId();
      for (let n = 1; n <= FULL; n += 1) {
        steps.act.push(heavy({ wakes: ['say'] }));
        await poke('act');
        await until(() => looks.act === n && looks.say >= n);
      }
      expect(await runId()).toBe(first);
      written.resolve({ ...NOTHING, isMore: true });
      await until(async () => (await runId()) !== first);
      await handle().result();
      expect(looks.turn).toBe(2);
    });

    it('should not wait for a summary to be made: it is asked for again', async () => {
      const place = { daoId: 'a-dao', chat: 'chat' };
      const summed = Promise.withResolvers<undefined>();
      remembering = summed.promise;
      for (let n = 1; n <= FULL; n += 1) steps.turn.push(heavy({ isMore: true, remember: place }));
      await poke('turn');
      await until(() => looks.turn > FULL && remembered.length > 1);
      summed.resolve(undefined);
      await handle().result();
      expect(steps.turn).toEqual([]);
    });
  });

  it('should look at all lanes where nobody says which', async () => {
    await poke();
    await handle().result();
    expect(looks).toEqual({ turn: 1, act: 1, say: 1 });
  });

  it('should sleep until something is due', async () => {
    steps.turn.push(() => Promise.resolve({ isMore: false, waitMs: 200 }));
    await poke('turn');
    await handle().result();
    expect(looks.turn).toBe(2);
    expect(attributesOf(await handle().fetchHistory(), 'timerStartedEventAttributes')).toHaveLength(1);
  });

  it.each([
    ['the platform bears no more', new DeliveryError('limited', 'too many', { retryAfterMs: 300 })],
    ['the platform is away', new DeliveryError('unreachable', 'away', { maybeDone: true })],
    ['something unforeseen failed', new Error('secret words')],
  ])('should be tried again where %s', async (_what, failure) => {
    const at: number[] = [];
    const fail = (): Promise<DialogStep> => {
      at.push(Date.now());
      return at.length < 3 ? Promise.reject(failure) : Promise.resolve(NOTHING);
    };
    steps.turn.push(fail, fail, fail);
    await poke('turn');
    await handle().result();
    expect(at).toHaveLength(3);
    const waited = (at[1] ?? 0) - (at[0] ?? 0);
    if (failure instanceof DeliveryError && failure.problem === 'limited') expect(waited).toBeGreaterThanOrEqual(300);
    expect(JSON.stringify(await handle().fetchHistory())).not.toContain('secret words');
  });

  it('should refuse to work for a workflow that is not the one of the chat', async () => {
    await client.workflow.start<typeof dialog>(WORKFLOWS.dialog, {
      ...{ args: [{ version: 1, ...address }], workflowId: `dialog/tg/${address.chat}/stranger`, taskQueue: queue },
    });
    const stranger = client.workflow.getHandle(`dialog/tg/${address.chat}/stranger`);
    await stranger.signal(POKE_DIALOG_SIGNAL, 'turn');
    await until(async () => (await stranger.describe()).status.name !== 'RUNNING');
    expect(looks.turn).toBe(0);
  });
});
