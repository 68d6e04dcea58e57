import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ActivityCancellationDetails } from '@temporalio/common';
import {
  AdmissionRefused,
  type Admission,
  type Place,
  type PlaceRequest,
  type Slot,
} from '../../src/contracts/admission.js';
import type { FailureType } from '../../src/contracts/failures.js';
import type { GenerateInput, GenerateResult, PoolPolicy } from '../../src/contracts/request.js';
import type { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { PlaceWithdrawn } from '../../src/domain/admission.js';
import { AppError } from '../../src/errors/app-error.js';
import { aRecord } from '../../test/factories/requests.js';
import {
  asked,
  end,
  failure,
  fails,
  GenerationStage,
  hangs,
  refuses,
  says,
  text,
  until,
  type Script,
  type StageParts,
} from '../../test/fakes/generation-stage.js';

const pool: PoolPolicy = { name: 'http://ollama:11434', slots: 3, maxWaiting: 50, maxWaitMs: 60_000 };

/** A pool in whose queue the test decides. */
class FakePool {
  readonly asked: PlaceRequest[] = [];
  readonly released: boolean[] = [];
  /** Whether the calls that gave their slots back had come to their own ends. */
  readonly ended: (boolean | undefined)[] = [];
  /** Pools in which the request's reservation was given up. */
  readonly withdrawn: string[] = [];
  /** When the slot was given back, by `performance.now()`. */
  releasedAt = 0;
  /** How many have left the queue without a slot. */
  left = 0;
  private readonly lost = new AbortController();
  private readonly gate = Promise.withResolvers<Slot>();
  private onPlace: ((place: Place) => void) | undefined;

  constructor(private readonly order: string[]) {}

  withdraw: Admission['withdraw'] = async (requestId, pools) => {
    expect(requestId).toBe('r1');
    this.withdrawn.push(...pools);
  };

  readonly acquire: Admission['acquire'] = (request, signal, onPlace) => {
    this.asked.push(request);
    this.onPlace = onPlace;
    const gone = new Promise<never>((_resolve, reject) => {
      const leave = (): void => {
        this.left += 1;
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
    });
    return Promise.race([this.gate.promise, gone]);
  };

  place(position: number, expectedWaitMs: number): void {
    this.onPlace?.({ position, expectedWaitMs });
  }

  grant(): void {
    this.gate.resolve({
      waitedMs: 0,
      lost: this.lost.signal,
      release: async (served, ended) => {
        this.ended.push(ended);
        this.order.push(`released ${served ? 'served' : 'unserved'}`);
        this.released.push(served);
        this.releasedAt = performance.now();
      },
    });
  }

  refuse(reason: 'QueueFull' | 'WaitTooLong' | 'ShareFull', retryAfterMs: number): void {
    this.gate.reject(new AdmissionRefused({ reason, retryAfterMs }));
  }

  end(reason: Error): void {
    this.gate.reject(reason);
  }

  lose(): void {
    this.lost.abort();
  }
}

describe('a visit at a provider', () => {
  let stage: GenerationStage;
  let queue: FakePool;

  beforeEach(() => {
    stage = new GenerationStage();
    queue = new FakePool(stage.order);
  });
  afterEach(() => {
    jest.useRealTimers();
    stage.bus.close();
  });

  function run(
    requests: Partial<RequestsRepository>,
    script?: Script,
    input: GenerateInput = asked({ step: { pool } }),
    parts: Omit<StageParts, 'admission'> = {},
  ): Promise<GenerateResult> {
    return stage.run(requests, script, input, {
      ...parts,
      admission: { acquire: queue.acquire, withdraw: queue.withdraw },
    });
  }
  const waiting = () => until(() => queue.asked.length > 0);
  const generating = () => until(() => stage.order.includes('token'));

  describe('that cools down', () => {
    it('is not made: the next provider is asked at once', async () => {
      const enter = async () => ({ provider: 'fake', reason: 'CoolingDown' as const, retryAfterMs: 4_000 });
      const thrown = await failure(run({}, undefined, undefined, { states: { enter } }));
      expect(thrown).toMatchObject({ type: 'CoolingDown', nonRetryable: true });
      expect(thrown.details).toEqual([
        { type: 'CoolingDown', message: expect.stringContaining('fake'), retryAfterMs: 4_000 },
      ]);
      // Nobody entered, so nobody leaves; and it is no failure of anything.
      expect(stage.order).toEqual([]);
      expect(stage.logged).toMatchObject([{ level: 30, provider: 'fake', failure: 'CoolingDown' }]);
      expect(queue.withdrawn).toEqual([pool.name]);
    });

    it('is asked for again while the database is away', async () => {
      const enter = () => Promise.reject(new AppError('STORE_UNAVAILABLE'));
      const thrown = await failure(run({}, undefined, undefined, { states: { enter } }));
      expect(thrown).toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
      // Its place is kept for the next run, which may stand there already.
      expect(queue.withdrawn).toEqual([]);
    });
  });

  describe('in the queue', () => {
    it('asks for a place with what its order depends on', async () => {
      const input = asked({ step: { pool }, weight: 2, priority: 3 });
      queue.grant();
      await run(stage.writes(), says(text('x'), end), input);
      const { requestId, daoId, actor, deadlineAt } = input;
      expect(queue.asked).toEqual([
        { requestId, daoId, actor, deadlineAt, provider: 'fake', pool, weight: 2, priority: 3 },
      ]);
    });

    it('claims and reads nothing before its turn, and tells where it stands', async () => {
      const running = run(stage.writes(), says(text('x'), end));
      await waiting();
      queue.place(3, 4_000);
      queue.place(2, 2_500);
      expect(stage.order).toEqual(['queue', 'queue']);
      expect(stage.events).toMatchObject([
        { data: { provider: 'fake', position: 3, expected_wait_ms: 4_000 }, position: { generation: 0, offset: 0 } },
        { data: { provider: 'fake', position: 2, expected_wait_ms: 2_500 } },
      ]);
      queue.grant();
      await running;
      expect(stage.order).toEqual([
        ...['queue', 'queue', 'claimed', 'attempt', 'token'],
        ...['succeeded', 'released served', 'recorded', 'done'],
      ]);
    });

    it('tells its place behind what readers have seen of an earlier run', async () => {
      stage.bus.publish('r1', { type: 'token', data: { text: 'half' }, position: { generation: 2, offset: 4 } });
      const running = run(stage.writes(), says(text('x'), end));
      await waiting();
      queue.place(1, 100);
      expect(stage.events.at(-1)).toMatchObject({ type: 'queue', position: { generation: 2, offset: 4 } });
      queue.grant();
      await running;
    });

    it('counts the wait as queue time', async () => {
      const running = run(stage.writes(), says(text('x'), end));
      await waiting();
      const asleep = 100;
      await new Promise((resolve) => setTimeout(resolve, asleep));
      queue.grant();
      await running;
      // With the 40 ms from the workflow's wish to the start; timers may be a little early.
      expect(stage.answers[0]?.timings.queue).toBeGreaterThanOrEqual(40 + asleep - 5);
    });

    it.each(['QueueFull', 'WaitTooLong', 'ShareFull'] as const)(
      'goes on to the next provider when refused: %s',
      async (reason) => {
        queue.refuse(reason, 7_000);
        const thrown = await failure(run({}));
        expect(thrown).toMatchObject({ type: reason, nonRetryable: true });
        expect(thrown.details).toMatchObject([{ type: reason, retryAfterMs: 7_000 }]);
        expect(stage.order).toEqual(['abandoned']);
        // Whoever was sent away has nothing there.
        expect(queue.withdrawn).toEqual([]);
      },
    );

    it.each<[FailureType, () => void]>([
      ['Cancelled', () => stage.bus.cancel('r1')],
      ['Cancelled', () => stage.environment.cancel()],
      [
        'WorkerStopped',
        () => stage.environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true })),
      ],
    ])('leaves at once when it ends as %s, and never reaches the provider', async (type, stop) => {
      const running = run({});
      await waiting();
      stop();
      expect((await failure(running)).type).toBe(type);
      expect(queue.left).toBe(1);
      expect(stage.order).toEqual(['abandoned']);
      expect(queue.withdrawn).toEqual(type === 'Cancelled' ? [pool.name] : []);
    });

    it('leaves at the deadline of the request', async () => {
      const thrown = await failure(run({}, undefined, asked({ step: { pool }, deadlineAt: Date.now() + 30 })));
      expect(thrown.type).toBe('DeadlineExceeded');
      expect([queue.left, stage.order]).toEqual([1, ['abandoned']]);
    });

    it.each<[FailureType, Error]>([
      ['Cancelled', new PlaceWithdrawn()],
      ['WorkerStopped', new AppError('SHUTTING_DOWN')],
      ['StoreUnavailable', new AppError('STORE_UNAVAILABLE')],
    ])('ends as %s when the queue ends it so', async (type, reason) => {
      const running = run({});
      await waiting();
      queue.end(reason);
      expect((await failure(running)).type).toBe(type);
      expect(stage.order).toEqual(['abandoned']);
    });

    it('cannot fail worse for a place that cannot be given up', async () => {
      queue.withdraw = () => Promise.reject(new AppError('STORE_UNAVAILABLE'));
      const enter = async () => ({ provider: 'fake', reason: 'CoolingDown' as const, retryAfterMs: 4_000 });
      expect((await failure(run({}, undefined, undefined, { states: { enter } }))).type).toBe('CoolingDown');
      expect(stage.logged.at(-1)).toMatchObject({ level: 40, msg: expect.stringContaining('could not be given up') });
    });

    it('sends heartbeats, so that Temporal can tell of a cancel', async () => {
      let beats = 0;
      stage.environment.on('heartbeat', () => (beats += 1));
      const running = run(stage.writes(), says(text('x'), end));
      await until(() => beats > 0);
      queue.grant();
      await running;
    });

    it('gives the place back at once when the request has ended meanwhile', async () => {
      queue.grant();
      const ended = { claim: async () => undefined, find: async () => aRecord({ status: 'cancelled' }) };
      expect(await run(ended)).toEqual({ outcome: 'superseded', status: 'cancelled' });
      expect(stage.order).toEqual(['abandoned', 'released unserved']);
    });

    it('gives the place back when the database goes away before the call', async () => {
      queue.grant();
      const thrown = await failure(run({ claim: () => Promise.reject(new AppError('STORE_UNAVAILABLE')) }));
      expect(thrown.type).toBe('StoreUnavailable');
      expect(stage.order).toEqual(['abandoned', 'released unserved']);
    });
  });

  describe('with a slot', () => {
    beforeEach(() => {
      queue.grant();
    });

    it.each<[FailureType, boolean]>([
      ['RateLimited', false],
      ['ProviderUnavailable', false],
      ['ModelNotFound', false],
      ['ProviderTimeout', true],
      ['EmptyAnswer', true],
    ])('gives it back after %s; the provider worked: %s', async (type, served) => {
      await failure(run(stage.claims(), refuses(type)));
      expect(stage.order.slice(2)).toEqual([`failed ${type}`, `released ${served ? 'served' : 'unserved'}`]);
    });

    it('counts the work for half an answer', async () => {
      await failure(run(stage.claims(), refuses('StreamInterrupted', text('half'))));
      expect(queue.released).toEqual([true]);
    });

    it('says of an answer, of a failure and of a timeout that it took as long as it takes', async () => {
      await run(stage.writes(), says(text('x'), end));
      await failure(run(stage.claims(), refuses('EmptyAnswer')));
      await failure(run(stage.claims(), hangs(), asked({ step: { pool, timeoutMs: 30 } })));
      expect(queue.ended).toEqual([true, true, true]);
    });

    it.each<[string, () => void, number]>([
      ['cancelled', () => stage.bus.cancel('r1'), 60_000],
      ['out of time', () => undefined, 200],
      ['robbed of its slot', () => queue.lose(), 60_000],
    ])('does not say so of a call that was %s', async (_what, stop, leftMs) => {
      const running = run(stage.claims(), hangs(), asked({ step: { pool }, deadlineAt: Date.now() + leftMs }));
      await until(() => stage.calls.length > 0);
      stop();
      await failure(running);
      expect(queue.ended).toEqual([false]);
    });

    it('follows its provider to another address no more than a few times', async () => {
      let moves = 0;
      const moving = () => ({ ...pool, name: `ollama:${(moves += 1)}` });
      const thrown = await failure(run({}, undefined, undefined, { pool: moving }));
      expect(thrown).toMatchObject({ type: 'WorkerStopped', nonRetryable: false });
      expect(queue.released).toEqual([false, false, false, false]);
      expect([queue.withdrawn, stage.order.at(-1)]).toEqual([[pool.name], 'abandoned']);
    });

    it('blames the provider for nothing that is our own mistake', async () => {
      await failure(run(stage.claims(), fails(new TypeError('ours'))));
      expect(stage.order.slice(2)).toEqual(['abandoned', 'released unserved']);
    });

    it('lets an aborted host see the end before the slot is somebody else’s', async () => {
      let closedAt = 0;
      const slow: Script = async function* (call) {
        try {
          yield* hangs(text('half'))(call);
        } finally {
          // The socket takes its time to close.
          await new Promise((resolve) => setTimeout(resolve, 50));
          closedAt = performance.now();
        }
      };
      const running = run(stage.claims(), slow);
      await generating();
      stage.bus.cancel('r1');
      expect((await failure(running)).type).toBe('Cancelled');
      expect(stage.order.slice(3)).toEqual(['abandoned', 'released served']);
      expect(closedAt).toBeGreaterThan(0);
      expect(queue.releasedAt - closedAt).toBeGreaterThanOrEqual(145);
    });

    it('holds it no longer than the call, though the answer cannot be written down', async () => {
      const written = Promise.withResolvers<boolean>();
      const running = run({ ...stage.claims(), recordAnswer: () => written.promise }, says(text('x'), end));
      await until(() => queue.released.length > 0);
      written.resolve(true);
      expect(await running).toMatchObject({ outcome: 'recorded' });
    });

    it('stops the call when the slot is lost, to be made again, and blames nobody', async () => {
      const running = run(stage.claims(), hangs());
      await until(() => stage.calls.length > 0);
      queue.lose();
      expect(await failure(running)).toMatchObject({ type: 'WorkerStopped', nonRetryable: false });
      expect(stage.calls[0]?.signal.aborted).toBe(true);
      expect(stage.order).toContain('abandoned');
    });

    it('does not begin a call whose slot was lost before', async () => {
      queue.lose();
      expect((await failure(run(stage.claims()))).type).toBe('WorkerStopped');
      expect(stage.calls).toEqual([]);
    });

    it('answers although neither slot nor state can be given back', async () => {
      const broken = async (): Promise<never> => {
        throw new AppError('STORE_UNAVAILABLE');
      };
      const slot = { waitedMs: 0, lost: new AbortController().signal, release: broken };
      const parts = { admission: { acquire: async () => slot }, states: { succeeded: broken } };
      const running = stage.run(stage.writes(), says(text('x'), end), asked({ step: { pool } }), parts);
      expect(await running).toMatchObject({ outcome: 'recorded' });
      expect(stage.logged.filter(({ level }) => level === 40)).toHaveLength(2);
    });
  });

  describe('that takes too long', () => {
    const limited = (timeoutMs: number) => asked({ step: { timeoutMs } });

    it('speaks against the provider by the provider’s own limit', async () => {
      stage.ownTimeoutMs = 30;
      expect((await failure(stage.run(stage.claims(), hangs(), limited(30)))).type).toBe('ProviderTimeout');
      expect(stage.order.at(-1)).toBe('failed ProviderTimeout');
    });

    it('says nothing about it in the middle of an answer: a prompt decides how long that is', async () => {
      stage.ownTimeoutMs = 30;
      const thrown = await failure(stage.run(stage.claims(), hangs(text('a long story')), limited(30)));
      expect(thrown.type).toBe('StreamInterrupted');
      expect(stage.order.at(-1)).toBe('abandoned');
    });

    it('says nothing about it where a rule cut the limit', async () => {
      stage.ownTimeoutMs = 31;
      expect((await failure(stage.run(stage.claims(), hangs(), limited(30)))).type).toBe('ProviderTimeout');
      expect(stage.order.at(-1)).toBe('abandoned');
    });

    it('speaks against a provider that was silent for long, whatever the rule', async () => {
      jest.useFakeTimers({ now: Date.now(), doNotFake: ['setImmediate', 'performance'] });
      const running = failure(stage.run(stage.claims(), hangs(), limited(3_000)));
      await until(() => stage.calls.length > 0);
      jest.advanceTimersByTime(3_000);
      expect((await running).type).toBe('ProviderTimeout');
      expect(stage.order.at(-1)).toBe('failed ProviderTimeout');
    });

    it('speaks against a provider that was silent for long, at the deadline too', async () => {
      jest.useFakeTimers({ now: Date.now(), doNotFake: ['setImmediate', 'performance'] });
      const running = failure(stage.run(stage.claims(), hangs(), asked({ deadlineAt: Date.now() + 3_000 })));
      await until(() => stage.calls.length > 0);
      jest.advanceTimersByTime(3_000);
      expect((await running).type).toBe('DeadlineExceeded');
      expect(stage.order.at(-1)).toBe('failed ProviderTimeout');
    });

    it('says nothing about it at the deadline of the request', async () => {
      const input = asked({ deadlineAt: Date.now() + 30 });
      const thrown = await failure(stage.run(stage.claims(), hangs(text('half')), input));
      expect(thrown).toMatchObject({ type: 'DeadlineExceeded' });
      // So that nothing else is said after it.
      expect(thrown.details?.[1]).toEqual({ textSeen: true });
      expect(stage.order.at(-1)).toBe('abandoned');
    });
  });

  it('logs a caller’s cancel as what it is: no failure, and no stack', async () => {
    const running = stage.run(stage.claims(), hangs(text('half')));
    await generating();
    stage.bus.cancel('r1');
    await failure(running);
    expect(stage.logged).toMatchObject([
      { level: 30, msg: 'an answer that nobody gets whole is counted' },
      { level: 30, msg: 'model call cancelled', provider: 'fake' },
    ]);
    expect(stage.logged[1]).not.toHaveProperty('err');
  });

  it('logs a failure of the provider with its error', async () => {
    await failure(stage.run(stage.claims(), refuses('ProviderUnavailable')));
    expect(stage.logged[0]).toMatchObject({ level: 40, failure: 'ProviderUnavailable', err: expect.anything() });
  });
});
