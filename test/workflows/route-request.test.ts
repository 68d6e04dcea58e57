import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { FAILURE_TYPES, type FailureType } from '../../src/contracts/failures.js';
import {
  answer,
  endedEarlier,
  fail,
  failAtDeadline,
  HeldCall,
  ScriptedActivities,
  write,
} from '../fakes/scripted-activities.js';
import { attributesOf, performanceOf, request, seen, Stage, step, type Performance } from './stage.js';

jest.setTimeout(30_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

/** Pauses of a workflow, in milliseconds. */
const pauses = ({ history }: Performance): number[] =>
  attributesOf(history, 'timerStartedEventAttributes').map(({ startToFireTimeout }) => tsToMs(startToFireTimeout));

/** How often Temporal scheduled an activity; what it repeats itself counts once. */
const scheduled = ({ history }: Performance): number =>
  attributesOf(history, 'activityTaskScheduledEventAttributes').length;

const failed = (provider: string, error: FailureType): object => ({
  provider,
  status: 'failed',
  ms: expect.any(Number),
  error,
});

describe('routeRequest: the way along the chain', () => {
  it('should give the first provider’s answer at once', async () => {
    const script = new ScriptedActivities({ generate: [answer()] });
    const input = request([step('first'), step('second')]);
    const played = await stage.perform(script, input);
    const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };
    expect(played.result).toEqual({ status: 'completed', provider: 'first', usage, attempts: [] });
    expect(played.status).toBe('COMPLETED');
    const { requestId, daoId, actor, deadlineAt } = input;
    expect(script.generated.map((call) => call.input)).toEqual([
      {
        requestId,
        daoId,
        actor,
        deadlineAt,
        step: input.decision.chain[0],
        scheduledAt: expect.any(Number),
        weight: 1,
        priority: 1,
        attempts: [],
      },
    ]);
    expect(pauses(played)).toEqual([]);
  });

  it('should repeat the same provider after its pause', async () => {
    const script = new ScriptedActivities({ generate: [fail('ProviderUnavailable'), answer()] });
    const chain = [step('first', { maxAttempts: 2, retryDelayMs: 150 }), step('second')];
    const played = await stage.perform(script, request(chain));
    const attempts = [failed('first', 'ProviderUnavailable')];
    expect(played.result).toMatchObject({ status: 'completed', provider: 'first', attempts });
    expect(script.generated[1]?.input.attempts).toEqual(attempts);
    expect(pauses(played)).toEqual([150]);
  });

  it('should wait as long as the provider asked for', async () => {
    const script = new ScriptedActivities({ generate: [fail('RateLimited', 230), answer()] });
    const chain = [step('first', { maxAttempts: 2, retryDelayMs: 10 })];
    const played = await stage.perform(script, request(chain));
    expect(played.result).toMatchObject({ status: 'completed', provider: 'first' });
    expect(pauses(played)).toEqual([230]);
  });

  it('should go on at once if the provider asks for more patience than there is time', async () => {
    const script = new ScriptedActivities({ generate: [fail('RateLimited', 31_000), answer()] });
    const played = await stage.perform(script, request([step('first', { maxAttempts: 2 }), step('second')]));
    expect(played.result).toMatchObject({ status: 'completed', provider: 'second' });
    expect(pauses(played)).toEqual([]);
  });

  it('should ask the next provider once the attempts at the first are used up', async () => {
    const script = new ScriptedActivities({ generate: [fail('ProviderTimeout'), fail('EmptyAnswer'), answer()] });
    const played = await stage.perform(script, request([step('first', { maxAttempts: 2 }), step('second')]));
    const attempts = [failed('first', 'ProviderTimeout'), failed('first', 'EmptyAnswer')];
    expect(played.result).toMatchObject({ status: 'completed', provider: 'second', attempts });
    expect(pauses(played)).toEqual([20]);
  });

  it('should record once, with all attempts, that all failed', async () => {
    const generate = [fail('ModelNotFound'), fail('ProviderUnavailable'), fail('RateLimited', 10)];
    const script = new ScriptedActivities({ generate, recordFailure: [write()] });
    const input = request([step('first'), step('second', { maxAttempts: 2 })]);
    const played = await stage.perform(script, input);
    expect(played).toMatchObject({ status: 'FAILED', failure: 'RateLimited' });
    const { requestId, daoId, actor } = input;
    const attempts = [
      failed('first', 'ModelNotFound'),
      failed('second', 'ProviderUnavailable'),
      failed('second', 'RateLimited'),
    ];
    const failure = { type: 'RateLimited', message: 'scripted RateLimited', retryAfterMs: 10 };
    expect(script.recorded.map((call) => call.input)).toEqual([
      { requestId, daoId, actor, status: 'failed', failure, attempts },
    ]);
  });

  it('should leave a request alone that had ended earlier', async () => {
    const script = new ScriptedActivities({ generate: [endedEarlier('cancelled')] });
    const played = await stage.perform(script, request([step('first'), step('second')]));
    expect(played).toMatchObject({ status: 'COMPLETED', result: { status: 'cancelled', attempts: [] } });
    expect(played.searchAttributes).toEqual({ Outcome: 'superseded', FallbackUsed: false });
  });

  it('should fail a request whose chain is empty', async () => {
    const script = new ScriptedActivities({ recordFailure: [write()] });
    expect(await stage.perform(script, request([]))).toMatchObject({
      status: 'FAILED',
      failure: 'ProviderUnavailable',
    });
    expect(script.recorded[0]?.input.attempts).toEqual([]);
  });
});

describe('routeRequest: what follows each failure', () => {
  /**
   * `again`: the same provider; `next`: another one; `skip`: another one, since this one could not be asked; `end`: none;
   * `temporal`: Temporal repeats the activity itself.
   */
  const WAYS = {
    RateLimited: 'again',
    ProviderUnavailable: 'again',
    ProviderTimeout: 'again',
    EmptyAnswer: 'again',
    ProviderRejected: 'next',
    AuthenticationFailed: 'next',
    ModelNotFound: 'next',
    ContextLengthExceeded: 'next',
    ToolRefused: 'end',
    ToolTimeout: 'end',
    QueueTimeout: 'next',
    QueueFull: 'skip',
    WaitTooLong: 'skip',
    ShareFull: 'skip',
    CoolingDown: 'skip',
    Unsupported: 'skip',
    StreamInterrupted: 'end',
    DeadlineExceeded: 'end',
    Cancelled: 'end',
    Internal: 'end',
    StoreUnavailable: 'temporal',
    WorkerStopped: 'temporal',
  } satisfies Record<FailureType, 'again' | 'next' | 'skip' | 'end' | 'temporal'>;
  const ofWay = (way: string): FailureType[] => FAILURE_TYPES.filter((type) => WAYS[type] === way);
  const chain = [step('first', { maxAttempts: 2 }), step('second')];

  it.each(ofWay('again'))('should repeat the provider after %s', async (type) => {
    const script = new ScriptedActivities({ generate: [fail(type), answer()] });
    const played = await stage.perform(script, request(chain));
    expect(script.providers).toEqual(['first', 'first']);
    expect(played.result?.attempts).toEqual([failed('first', type)]);
  });

  it.each(ofWay('next'))('should ask the next provider after %s', async (type) => {
    const script = new ScriptedActivities({ generate: [fail(type), answer()] });
    const played = await stage.perform(script, request(chain));
    expect(script.providers).toEqual(['first', 'second']);
    expect(played.result?.attempts).toEqual([failed('first', type)]);
  });

  it.each(ofWay('skip'))('should pass over a provider after %s', async (type) => {
    const script = new ScriptedActivities({ generate: [fail(type, 60_000), answer()] });
    const played = await stage.perform(script, request(chain));
    expect(script.providers).toEqual(['first', 'second']);
    expect(played.result?.attempts).toEqual([{ ...failed('first', type), status: 'skipped' }]);
    expect(pauses(played)).toEqual([]);
  });

  it.each(ofWay('end'))('should end after %s, though another provider is there', async (type) => {
    const script = new ScriptedActivities({ generate: [fail(type)], recordFailure: [write()] });
    const played = await stage.perform(script, request(chain));
    const status = type === 'Cancelled' ? 'cancelled' : 'failed';
    expect(script.recorded[0]?.input).toMatchObject({ status, failure: { type }, attempts: [failed('first', type)] });
    expect(played.status).toBe('FAILED');
    expect(played.searchAttributes).toMatchObject({ Outcome: status, FallbackUsed: false });
  });

  it.each(ofWay('temporal'))('should let Temporal repeat the call after %s', async (type) => {
    const script = new ScriptedActivities({ generate: [fail(type), fail(type), answer()] });
    const played = await stage.perform(script, request(chain));
    expect(script.generated.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(scheduled(played)).toBe(1);
    expect(played.result).toMatchObject({ status: 'completed', provider: 'first', attempts: [] });
  });

  it('should end as an internal error after one that nobody foresaw', async () => {
    const script = new ScriptedActivities({ recordFailure: [write()] });
    await expect(stage.perform(script, request(chain))).rejects.toThrow('generate: 0 calls scripted, 1 made');
    expect(script.recorded[0]?.input.failure).toEqual({
      type: 'Internal',
      message: 'an unexpected error; the log has it',
    });
  });
});

describe('routeRequest: the deadline', () => {
  it('should call nobody once it has passed', async () => {
    const script = new ScriptedActivities({ recordFailure: [write()] });
    const played = await stage.perform(script, request([step('first')], { deadlineAt: Date.now() - 1 }));
    expect(played).toMatchObject({ status: 'FAILED', failure: 'DeadlineExceeded' });
    expect(script.recorded[0]?.input).toMatchObject({ status: 'failed', attempts: [] });
  });

  it('should end the wait for a worker', async () => {
    const script = new ScriptedActivities({ recordFailure: [write()] });
    const chain = [step('first', { shape: 'queue', queue: 'nobody-works-here' }), step('second')];
    const played = await stage.perform(script, request(chain, { deadlineAt: Date.now() + 800 }));
    expect(played).toMatchObject({ status: 'FAILED', failure: 'DeadlineExceeded' });
    const { attempts } = script.recorded[0]!.input;
    expect(attempts).toEqual([failed('first', 'QueueTimeout')]);
    expect(attempts[0]?.ms).toBeLessThan(5_000);
  });

  it('should end the wait for a free place at the workflow’s own worker', async () => {
    const call = new HeldCall();
    const script = new ScriptedActivities({ generate: [call], recordFailure: [write()] });
    const one = { maxConcurrentActivityTaskExecutions: 1 };
    const deadlineAt = Date.now() + 2_000;
    const waited = async (queue: string): Promise<Performance> => {
      await stage.start(queue, request([step('busy')]));
      await call.begun;
      const played = await performanceOf(await stage.start(queue, request([step('first')], { deadlineAt })));
      call.end();
      return played;
    };
    const played = await stage.withWorker(script.activities, waited, one);
    expect(played).toMatchObject({ status: 'FAILED', failure: 'DeadlineExceeded' });
    expect(Date.now() - deadlineAt).toBeLessThan(5_000);
    expect(script.recorded[0]?.input.attempts).toEqual([failed('first', 'QueueTimeout')]);
    const limits = attributesOf(played.history, 'activityTaskScheduledEventAttributes')[0];
    expect(tsToMs(limits?.scheduleToStartTimeout)).toBeLessThanOrEqual(2_000);
    expect(tsToMs(limits?.scheduleToCloseTimeout) - tsToMs(limits?.scheduleToStartTimeout)).toBe(10_000);
  });

  it('should leave no time for another attempt or provider', async () => {
    const script = new ScriptedActivities({
      generate: [failAtDeadline('ProviderUnavailable')],
      recordFailure: [write()],
    });
    const chain = [step('first', { maxAttempts: 2 }), step('second')];
    const played = await stage.perform(script, request(chain, { deadlineAt: Date.now() + 800 }));
    expect(played).toMatchObject({ status: 'FAILED', failure: 'ProviderUnavailable' });
    expect(pauses(played)).toEqual([]);
  });

  it('should end a call that does not keep it', async () => {
    const call = new HeldCall();
    const script = new ScriptedActivities({ generate: [call], recordFailure: [write()] });
    const deadlineAt = Date.now() + 500;
    const played = await stage.perform(script, request([step('first'), step('second')], { deadlineAt }));
    expect(played).toMatchObject({ status: 'FAILED', failure: 'DeadlineExceeded' });
    expect(Date.now() - deadlineAt).toBeGreaterThanOrEqual(10_000);
  });
});

describe('routeRequest: a cancel', () => {
  it('should stop a running call and record it', async () => {
    const call = new HeldCall();
    const script = new ScriptedActivities({ generate: [call], recordFailure: [write()] });
    const played = await stage.perform(script, request([step('first'), step('second')]), async (handle) => {
      await call.begun;
      await handle.cancel();
      // The workflow does not wait for the call, but the call hears of it.
      await call.told;
    });
    expect(played.status).toBe('CANCELLED');
    const failure = { type: 'Cancelled', message: 'cancelled' };
    expect(script.recorded[0]?.input).toMatchObject({ status: 'cancelled', failure });
    expect(played.searchAttributes).toMatchObject({ Outcome: 'cancelled', FallbackUsed: false });
  });

  it('should end the pause before another attempt', async () => {
    const script = new ScriptedActivities({ generate: [fail('RateLimited', 25_000)], recordFailure: [write()] });
    const played = await stage.perform(script, request([step('first', { maxAttempts: 2 })]), async (handle) => {
      await seen(handle, 'timerStartedEventAttributes');
      await handle.cancel();
    });
    expect(played.status).toBe('CANCELLED');
    expect(attributesOf(played.history, 'timerCanceledEventAttributes')).toHaveLength(1);
    const attempts = [failed('first', 'RateLimited')];
    expect(script.recorded[0]?.input).toMatchObject({ status: 'cancelled', attempts });
  });

  it('should end the wait for a worker', async () => {
    const script = new ScriptedActivities({ recordFailure: [write()] });
    const chain = [step('first', { shape: 'queue', queue: 'nobody-works-here' }), step('second')];
    const played = await stage.perform(script, request(chain), async (handle) => {
      await seen(handle, 'activityTaskScheduledEventAttributes');
      await handle.cancel();
    });
    expect(played.status).toBe('CANCELLED');
    expect(script.recorded[0]?.input).toMatchObject({ status: 'cancelled', failure: { type: 'Cancelled' } });
  });

  it('should end a local call when the call itself has heard of it', async () => {
    const call = new HeldCall();
    // Temporal refuses to close a workflow that has not yet seen the cancel: the last step runs once more.
    const script = new ScriptedActivities({ generate: [call], recordFailure: [write(), write()] });
    const played = await stage.perform(script, request([step('first', { shape: 'local' })]), async (handle) => {
      await call.begun;
      await handle.cancel();
      call.end();
    });
    expect(played.status).toBe('CANCELLED');
    expect(script.recorded.map(({ input }) => input.status)).toEqual(['cancelled', 'cancelled']);
  });
});

describe('routeRequest: what Temporal repeats', () => {
  it('should repeat a call whose worker is lost', async () => {
    const lost = new HeldCall({ silent: true });
    const script = new ScriptedActivities({ generate: [lost, answer()] });
    const played = await stage.perform(script, request([step('first'), step('second')]));
    expect(played.result).toMatchObject({ status: 'completed', provider: 'first', attempts: [] });
    expect(script.generated.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(scheduled(played)).toBe(1);
  });

  it('should repeat a local call while the database is away', async () => {
    const script = new ScriptedActivities({ generate: [fail('StoreUnavailable'), answer()] });
    const played = await stage.perform(script, request([step('first', { shape: 'local' })]));
    expect(played.result).toMatchObject({ status: 'completed', attempts: [] });
    expect(script.generated.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('should record the end as soon as the database is back', async () => {
    const recordFailure = [fail('StoreUnavailable'), fail('StoreUnavailable'), write()];
    const script = new ScriptedActivities({ generate: [fail('ModelNotFound')], recordFailure });
    const played = await stage.perform(script, request([step('first')]));
    expect(played).toMatchObject({ status: 'FAILED', failure: 'ModelNotFound' });
    expect(script.recorded.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });
});
