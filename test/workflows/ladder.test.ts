import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { FailureType } from '../../src/contracts/failures.js';
import type { Attempt, Unavailable } from '../../src/contracts/request.js';
import {
  answer,
  endedEarlier,
  fail,
  HeldCall,
  know,
  knowNothing,
  ScriptedActivities,
  write,
} from '../fakes/scripted-activities.js';
import { attributesOf, request, Stage, step, type Performance } from './stage.js';

jest.setTimeout(30_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const CACHE = { ttlMs: 60_000, maxEntries: 10 };
const chain = [step('first'), step('second'), step('third')];

const away = (provider: string, reason: Unavailable['reason'], retryAfterMs = 5_000): Unavailable => ({
  provider,
  reason,
  retryAfterMs,
});
const skipped = (provider: string, error: FailureType): Attempt => ({ provider, status: 'skipped', ms: 0, error });
const failed = (provider: string, error: FailureType): object => ({
  provider,
  status: 'failed',
  ms: expect.any(Number),
  error,
});

describe('routeRequest: providers that could not be asked when it was accepted', () => {
  it('should be passed over, and told where they stand in the chain', async () => {
    const script = new ScriptedActivities({ generate: [fail('ModelNotFound'), answer()] });
    const input = request(chain, { skipped: [away('second', 'QueueFull')] });
    const { result } = await stage.perform(script, input);
    expect(script.providers).toEqual(['first', 'third']);
    const attempts = [failed('first', 'ModelNotFound'), skipped('second', 'QueueFull')];
    expect(script.generated[1]?.input.attempts).toEqual(attempts);
    expect(result).toMatchObject({ status: 'completed', provider: 'third', attempts });
  });

  it('should leave their time to the one that is asked', async () => {
    // A second try of 10 s would leave the skipped one no time; but nobody will ask it.
    const script = new ScriptedActivities({ generate: [fail('ProviderTimeout'), answer()] });
    const two = [step('first', { maxAttempts: 2 }), step('second', { timeoutMs: 55_000 })];
    const { result } = await stage.perform(script, request(two, { skipped: [away('second', 'CoolingDown')] }));
    expect(result).toMatchObject({ status: 'completed', provider: 'first' });
  });

  it('should be the reason of the failure if none could be asked: the first one, with its moment', async () => {
    const script = new ScriptedActivities({ generate: [fail('WaitTooLong', 9_000)], recordFailure: [write()] });
    const input = request(chain, { skipped: [away('first', 'CoolingDown', 4_000), away('third', 'ShareFull')] });
    const played = await stage.perform(script, input);
    expect(played).toMatchObject({ status: 'FAILED', failure: 'CoolingDown' });
    expect(script.recorded[0]?.input).toMatchObject({
      failure: { type: 'CoolingDown', retryAfterMs: 4_000 },
      attempts: [
        skipped('first', 'CoolingDown'),
        { ...skipped('second', 'WaitTooLong'), ms: expect.any(Number) },
        skipped('third', 'ShareFull'),
      ],
    });
  });

  it('should not be the reason if another one failed', async () => {
    const script = new ScriptedActivities({ generate: [fail('EmptyAnswer')], recordFailure: [write()] });
    const input = request(chain, { skipped: [away('first', 'CoolingDown'), away('third', 'QueueFull')] });
    expect(await stage.perform(script, input)).toMatchObject({ failure: 'EmptyAnswer' });
    expect(script.recorded[0]?.input.attempts).toHaveLength(3);
  });
});

describe('routeRequest: the order of calls', () => {
  it.each([
    ['chat', 1],
    ['crew', 3],
    ['devtools', 4],
  ] as const)('should be told for mode %s, with the weight of the DAO', async (mode, priority) => {
    const script = new ScriptedActivities({ generate: [answer()] });
    const { history } = await stage.perform(script, request(chain, { decision: { mode, weight: 2.5 } }));
    expect(script.generated[0]?.input).toMatchObject({ priority, weight: 2.5 });
    const hint = attributesOf(history, 'activityTaskScheduledEventAttributes')[0]?.priority;
    expect(hint).toMatchObject({ priorityKey: priority, fairnessWeight: 2.5 });
  });

  it('should be that of the decision where it names one, as far as Temporal has levels', async () => {
    const script = new ScriptedActivities({ generate: [answer()] });
    const { history } = await stage.perform(script, request(chain, { decision: { priority: 9 } }));
    expect(script.generated[0]?.input).toMatchObject({ priority: 9, weight: 1 });
    expect(attributesOf(history, 'activityTaskScheduledEventAttributes')[0]?.priority).toMatchObject({
      priorityKey: 5,
    });
  });
});

describe('routeRequest: a rule that keeps answers', () => {
  const cached = { decision: { cache: CACHE } };

  it('should give a kept answer and ask nobody', async () => {
    const script = new ScriptedActivities({ answerWithoutModel: [know()] });
    const input = request(chain, cached);
    const played = await stage.perform(script, input);
    const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
    expect(played.result).toEqual({ status: 'completed', provider: null, usage, attempts: [] });
    expect(played.searchAttributes).toMatchObject({ Outcome: 'completed', FallbackUsed: false, Provider: 'none' });
    const { requestId, daoId, actor, decision } = input;
    expect(script.known.map((call) => call.input)).toEqual([
      { requestId, daoId, actor, decision, allow: 'fresh', attempts: [] },
    ]);
    expect(script.known[0]?.local).toBe(true);
  });

  it('should ask the chain when nothing fresh is kept', async () => {
    const script = new ScriptedActivities({ answerWithoutModel: [knowNothing()], generate: [answer()] });
    expect((await stage.perform(script, request(chain, cached))).result).toMatchObject({ provider: 'first' });
  });

  it('should ask the chain when the look into the cache fails', async () => {
    const script = new ScriptedActivities({ answerWithoutModel: [fail('Internal')], generate: [answer()] });
    expect((await stage.perform(script, request(chain, cached))).result).toMatchObject({ provider: 'first' });
  });

  it('should look again, for anything, when the chain has failed', async () => {
    const script = new ScriptedActivities({
      answerWithoutModel: [knowNothing(), know()],
      generate: [fail('ModelNotFound'), fail('ModelNotFound'), fail('ModelNotFound')],
    });
    expect((await stage.perform(script, request(chain, cached))).result).toMatchObject({ provider: null });
    expect(script.known.map(({ input }) => input.allow)).toEqual(['fresh', 'anything']);
  });
});

describe('routeRequest: a question that needs no model', () => {
  const known = { decision: { answer: 'dao' as const } };

  it('should be answered by the chain as long as it can', async () => {
    const script = new ScriptedActivities({ generate: [answer()] });
    expect((await stage.perform(script, request(chain, known))).result).toMatchObject({ provider: 'first' });
  });

  it('should be answered without one when all providers fail, with what they said', async () => {
    const script = new ScriptedActivities({
      generate: [fail('ProviderUnavailable'), fail('AuthenticationFailed')],
      answerWithoutModel: [know()],
    });
    const input = request(chain, { ...known, skipped: [away('third', 'CoolingDown')] });
    const played = await stage.perform(script, input);
    const attempts = [
      failed('first', 'ProviderUnavailable'),
      failed('second', 'AuthenticationFailed'),
      skipped('third', 'CoolingDown'),
    ];
    expect(played.result).toMatchObject({ status: 'completed', provider: null, attempts });
    expect(script.known[0]?.input.attempts).toEqual(attempts);
    expect(played.searchAttributes).toMatchObject({ FallbackUsed: true, Provider: 'none' });
  });

  it.each<FailureType>(['Internal', 'DeadlineExceeded', 'QueueFull'])('should be answered after %s', async (type) => {
    const script = new ScriptedActivities({ generate: [fail(type)], answerWithoutModel: [know()] });
    expect((await stage.perform(script, request([step('first')], known))).result).toMatchObject({ provider: null });
  });

  it('should be answered at once where the chain is empty, or all of it is skipped', async () => {
    for (const input of [request([], known), request([step('x')], { ...known, skipped: [away('x', 'QueueFull')] })]) {
      const script = new ScriptedActivities({ answerWithoutModel: [know()] });
      expect((await stage.perform(script, input)).result).toMatchObject({ status: 'completed', provider: null });
    }
  });

  it('should be answered late rather than never', async () => {
    const script = new ScriptedActivities({ answerWithoutModel: [know()] });
    const input = request(chain, { ...known, deadlineAt: Date.now() - 1 });
    expect((await stage.perform(script, input)).result).toMatchObject({ status: 'completed', provider: null });
  });

  it('should be answered as soon as the database is back', async () => {
    const script = new ScriptedActivities({ answerWithoutModel: [fail('StoreUnavailable'), know()] });
    expect((await stage.perform(script, request([], known))).result).toMatchObject({ status: 'completed' });
    expect(script.known.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('should fail as the chain did when there is nothing to say after all', async () => {
    for (const last of [knowNothing(), fail('Internal')]) {
      const script = new ScriptedActivities({
        generate: [fail('ModelNotFound')],
        answerWithoutModel: [last],
        recordFailure: [write()],
      });
      const played = await stage.perform(script, request([step('first')], known));
      expect(played).toMatchObject({ status: 'FAILED', failure: 'ModelNotFound' });
    }
  });

  it('should leave a request alone that had ended meanwhile', async () => {
    const script = new ScriptedActivities({ answerWithoutModel: [endedEarlier('cancelled') as never] });
    const played: Performance = await stage.perform(script, request([], known));
    expect(played.result).toMatchObject({ status: 'cancelled' });
    expect(played.searchAttributes).toMatchObject({ Outcome: 'superseded' });
  });

  it.each<[string, ReturnType<typeof fail>]>([
    ['half an answer', fail('StreamInterrupted', undefined, { textSeen: true })],
    ['half an answer at the deadline', fail('DeadlineExceeded', undefined, { textSeen: true })],
    ['a cancel', fail('Cancelled')],
  ])('should say nothing more after %s', async (_what, ending) => {
    const script = new ScriptedActivities({ generate: [ending], recordFailure: [write()] });
    expect((await stage.perform(script, request([step('first')], known))).status).toBe('FAILED');
  });

  it('should say nothing more to a caller who has cancelled', async () => {
    const call = new HeldCall();
    const script = new ScriptedActivities({ generate: [call], recordFailure: [write()] });
    const played = await stage.perform(script, request([step('first')], known), async (handle) => {
      await call.begun;
      await handle.cancel();
    });
    expect(played.status).toBe('CANCELLED');
  });
});
