import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ActivityCancellationDetails } from '@temporalio/common';
import { messageText } from '../../src/contracts/chat.js';
import type { FailureType } from '../../src/contracts/failures.js';
import { ProviderError } from '../../src/adapters/llm/provider.js';
import type { AnswerCacheRepository } from '../../src/adapters/store/answer-cache.repository.js';
import type { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { AppError } from '../../src/errors/app-error.js';
import { aDecision, aRecord } from '../../test/factories/requests.js';
import {
  aJob,
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
  USAGE,
} from '../../test/fakes/generation-stage.js';

const record = (changes: Parameters<typeof aRecord>[0] = {}) => aRecord({ generation: 3, ...changes });
const away = (): AppError => new AppError('STORE_UNAVAILABLE');

describe('generate', () => {
  let stage: GenerationStage;

  beforeEach(() => {
    stage = new GenerationStage();
  });
  afterEach(() => {
    stage.bus.close();
  });

  it('records the answer before it tells that it is complete', async () => {
    expect(await stage.run(stage.writes(), says(text('Seven '), text('days.'), end))).toEqual({
      outcome: 'recorded',
      provider: 'fake',
      finishReason: 'stop',
      usage: USAGE,
    });
    expect(stage.order).toEqual(['claimed', 'attempt', 'token', 'token', 'succeeded', 'recorded', 'done']);
  });

  it('records text, attempts, times and the number of its run', async () => {
    await stage.run(stage.writes(), says(text('Seven '), text('days.'), end));
    expect(stage.answers).toEqual([
      {
        text: 'Seven days.',
        parts: {},
        finishReason: 'stop',
        provider: 'fake',
        origin: { step: 'provider' },
        usage: USAGE,
        attempts: [
          { provider: 'other', status: 'failed', ms: 9, error: 'RateLimited' },
          { provider: 'fake', status: 'ok', ms: expect.any(Number) },
        ],
        timings: { gateway: 1, rbac: 2, queue: expect.any(Number), llm: expect.any(Number), total: expect.any(Number) },
        generation: 3,
      },
    ]);
    expect(stage.answers[0]?.timings.queue).toBeGreaterThanOrEqual(40);
  });

  it('tells what was recorded, at the place where the text ends', async () => {
    await stage.run(stage.writes(), says(text('Seven '), text('days.'), end));
    expect(stage.events[0]).toMatchObject({ type: 'attempt', data: { provider: 'fake', generation: 3 } });
    expect(stage.events.at(-1)).toMatchObject({
      type: 'done',
      position: { generation: 3, offset: 11 },
      data: { ok: true, status: 'completed', provider: 'fake', data: { text: 'Seven days.', finish_reason: 'stop' } },
    });
  });

  it('asks the provider with the limits of the step and the conversation from the database', async () => {
    await stage.run(stage.writes(), says(text('x'), end));
    expect(stage.calls).toHaveLength(1);
    expect(stage.calls[0]).toMatchObject({ maxTokens: 128, temperature: 0.3, topP: 0.9 });
    expect(stage.calls[0]?.messages.map(({ role, content }) => [role, content]).slice(1)).toEqual([
      ['user', 'before'],
      ['assistant', 'yes'],
      ['user', 'How long is a vote?'],
    ]);
    expect(stage.calls[0]?.messages[0]?.content).toContain('Seven days.');
  });

  it('writes no prompt and no answer to the log', async () => {
    await stage.run(stage.writes(), says(text('the answer itself'), end));
    expect(stage.logged).toMatchObject([{ msg: 'answer recorded', provider: 'fake' }]);
    expect(JSON.stringify(stage.logged)).not.toMatch(/the answer itself|How long is a vote/);
  });

  it('buys nothing when an answer is on record, and gives that one', async () => {
    const found = record({ status: 'completed', provider: 'earlier', usage: USAGE, finishReason: 'length' });
    const requests = { claim: () => Promise.resolve(undefined), find: () => Promise.resolve(found) };
    expect(await stage.run(requests)).toEqual({
      outcome: 'recorded',
      provider: 'earlier',
      finishReason: 'length',
      usage: USAGE,
    });
    expect([stage.calls, stage.events]).toEqual([[], []]);
  });

  it('tells the end of a request that an earlier run answered without living to say so', async () => {
    const found = record({
      status: 'completed',
      provider: 'earlier',
      usage: USAGE,
      answer: 'Seven days.',
      finishReason: null,
    });
    await stage.run({ claim: () => Promise.resolve(undefined), find: () => Promise.resolve(found) });
    const data = { ok: true, status: 'completed', provider: 'earlier', data: { text: 'Seven days.' } };
    expect(stage.events).toMatchObject([{ type: 'done', data, position: { generation: 3, offset: 11 } }]);
  });

  it('serves no other workflow than that of the request', async () => {
    stage.environment = GenerationStage.environmentOf('route/r2');
    expect(await failure(stage.run({}))).toMatchObject({ type: 'Internal', nonRetryable: true });
    expect([stage.calls, stage.events]).toEqual([[], []]);
  });

  it.each([
    ['cancelled', record({ status: 'cancelled' })],
    ['failed', record({ status: 'failed' })],
    ['failed', undefined],
  ] as const)('buys nothing and is superseded when the request is %s', async (status, found) => {
    const requests = { claim: () => Promise.resolve(undefined), find: () => Promise.resolve(found) };
    expect(await stage.run(requests)).toEqual({ outcome: 'superseded', status });
    expect([stage.calls, stage.events]).toEqual([[], []]);
  });

  it('tells the other answer when another run was recorded, and gives that one', async () => {
    const other = { provider: 'later', usage: USAGE, finishReason: 'stop', answer: 'Eight.', generation: 4 };
    const requests = {
      ...stage.claims(),
      recordAnswer: () => Promise.resolve(false),
      find: () => Promise.resolve(record({ status: 'completed', ...other })),
    };
    expect(await stage.run(requests, says(text('x'), end))).toMatchObject({ outcome: 'recorded', provider: 'later' });
    // It was bought all the same.
    expect(stage.spent).toEqual([[3, { provider: 'fake', usage: USAGE }]]);
    expect(stage.events.filter(({ type }) => type === 'done')).toMatchObject([
      { data: { data: { text: 'Eight.' } }, position: { generation: 4, offset: 6 } },
    ]);
  });

  it.each<FailureType>(['RateLimited', 'ProviderUnavailable', 'AuthenticationFailed', 'ModelNotFound', 'EmptyAnswer'])(
    'ends with %s as the provider says, not to be repeated by Temporal',
    async (type) => {
      const thrown = await failure(stage.run(stage.claims(), fails(new ProviderError(type, 'why', 1_234))));
      expect(thrown).toMatchObject({ type, message: 'why', nonRetryable: true });
      expect(thrown.details).toEqual([{ type, message: 'why', retryAfterMs: 1_234 }]);
      expect(stage.order).toEqual(['claimed', 'attempt', `failed ${type}`]);
    },
  );

  it.each<FailureType>(['RateLimited', 'ProviderUnavailable', 'ProviderTimeout', 'ProviderRejected'])(
    'turns %s after the first text into StreamInterrupted',
    async (type) => {
      const thrown = await failure(stage.run(stage.claims(), refuses(type, text('half'))));
      expect(thrown).toMatchObject({ type: 'StreamInterrupted', nonRetryable: true });
      expect(thrown.details).toMatchObject([{ type: 'StreamInterrupted', cause: type }, { textSeen: true }]);
      // What it really was is about the provider.
      expect(stage.order.at(-1)).toBe(`failed ${type}`);
    },
  );

  it('sends nothing more after a failure', async () => {
    await failure(stage.run(stage.claims(), refuses('ProviderUnavailable', text('a'), text('b'))));
    const sent = stage.events.length;
    // Longer than texts are gathered.
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(stage.events).toHaveLength(sent);
    expect(stage.events.map((event) => (event.type === 'token' ? event.data.text : event.type))).toEqual([
      'attempt',
      'a',
    ]);
  });

  it('lets out nothing of an error that it does not know', async () => {
    const thrown = await failure(stage.run(stage.claims(), fails(new Error('the prompt was: How long'))));
    expect(thrown).toMatchObject({ type: 'Internal', nonRetryable: true });
    expect(JSON.stringify(thrown.details)).not.toContain('How long');
  });

  it('takes a provider that stops without an end for an error', async () => {
    expect((await failure(stage.run(stage.claims(), says()))).type).toBe('Internal');
  });

  it('takes what nobody foresaw before the call for an internal error, not to be repeated', async () => {
    const thrown = await failure(stage.run({ claim: () => Promise.reject(new TypeError('cannot read the prompt')) }));
    expect(thrown).toMatchObject({ type: 'Internal', nonRetryable: true });
    expect(thrown.details).toEqual([{ type: 'Internal', message: expect.not.stringContaining('prompt') }]);
    expect(stage.logged).toMatchObject([{ msg: 'model call failed unexpectedly' }]);
  });

  it('asks Temporal to repeat it when the database is away before the call', async () => {
    const thrown = await failure(stage.run({ claim: () => Promise.reject(away()) }));
    expect(thrown).toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
    expect(stage.calls).toEqual([]);
  });

  it('keeps writing while the database is away, buys nothing again, and succeeds when it is back', async () => {
    const recordAnswer = jest.fn<RequestsRepository['recordAnswer']>();
    recordAnswer.mockRejectedValueOnce(away()).mockRejectedValueOnce(away()).mockResolvedValue(true);
    expect(await stage.run({ ...stage.claims(), recordAnswer }, says(text('x'), end))).toMatchObject({
      outcome: 'recorded',
    });
    expect(recordAnswer).toHaveBeenCalledTimes(3);
    expect(stage.calls).toHaveLength(1);
    expect(stage.order).toEqual(['claimed', 'attempt', 'token', 'succeeded', 'done']);
  });

  it('gives up writing when the time of the request is over, and says so', async () => {
    const requests = { ...stage.claims(), recordAnswer: () => Promise.reject(away()) };
    const input = asked({ deadlineAt: Date.now() + 500 });
    const thrown = await failure(stage.run(requests, says(text('x'), end), input));
    expect(thrown).toMatchObject({ type: 'DeadlineExceeded', nonRetryable: true });
    expect(stage.order).not.toContain('done');
  });

  it('does not repeat a write that is wrong', async () => {
    const recordAnswer = jest.fn<RequestsRepository['recordAnswer']>().mockRejectedValue(new Error('syntax error'));
    expect((await failure(stage.run({ ...stage.claims(), recordAnswer }, says(text('x'), end)))).nonRetryable).toBe(
      true,
    );
    expect(recordAnswer).toHaveBeenCalledTimes(1);
  });

  it('stops the provider when the request is cancelled in this process, even after the first text', async () => {
    const running = stage.run(stage.claims(), hangs(text('half')));
    await until(() => stage.order.includes('token'));
    stage.bus.cancel('r1');
    expect(await failure(running)).toMatchObject({ type: 'Cancelled', nonRetryable: true });
    expect(stage.calls[0]?.signal.aborted).toBe(true);
  });

  it('stops the provider when Temporal says that the request was cancelled', async () => {
    const running = stage.run(stage.claims(), hangs());
    await until(() => stage.calls.length > 0);
    stage.environment.cancel();
    expect(await failure(running)).toMatchObject({ type: 'Cancelled' });
    expect(stage.calls[0]?.signal.aborted).toBe(true);
  });

  it('leaves the request to another worker when this one stops', async () => {
    const running = stage.run(stage.claims(), hangs(text('half')));
    await until(() => stage.order.includes('token'));
    stage.environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
    expect(await failure(running)).toMatchObject({ type: 'WorkerStopped', nonRetryable: false });
  });

  it('stops the provider at the deadline of the request', async () => {
    const input = asked({ deadlineAt: Date.now() + 30 });
    const thrown = await failure(stage.run(stage.claims(), hangs(text('half')), input));
    expect(thrown).toMatchObject({ type: 'DeadlineExceeded', nonRetryable: true });
    expect(stage.calls[0]?.signal.aborted).toBe(true);
  });

  it('stops the provider when the call alone takes too long, so that another may try', async () => {
    expect(await failure(stage.run(stage.claims(), hangs(), asked({ step: { timeoutMs: 30 } })))).toMatchObject({
      type: 'ProviderTimeout',
    });
    expect(
      (await failure(stage.run(stage.claims(), hangs(text('half')), asked({ step: { timeoutMs: 30 } })))).type,
    ).toBe('StreamInterrupted');
  });

  it('listens for no cancel after its end', async () => {
    const { cancels } = stage.bus as unknown as { cancels: Map<string, unknown> };
    await stage.run(stage.writes(), says(text('x'), end));
    await failure(stage.run(stage.claims(), refuses('EmptyAnswer')));
    expect(cancels.size).toBe(0);
  });

  it('says for how much the answer was bought, where the provider has a price', async () => {
    const input = asked({ step: { price: { prompt: 0.15, completion: 0.6 } } });
    const result = await stage.run(stage.writes(), says(text('x'), end), input);
    const usage = { ...USAGE, cost_usd: 0.00000195 };
    expect(result).toMatchObject({ usage });
    expect(stage.answers[0]?.usage).toEqual(usage);
    expect(stage.events.at(-1)).toMatchObject({ data: { usage, origin: { step: 'provider' } } });
  });

  it('claims the request for the provider that it asks, with the attempts so far', async () => {
    const claim = jest.fn<RequestsRepository['claim']>().mockResolvedValue(aJob());
    await stage.run({ ...stage.writes(), claim }, says(text('x'), end));
    const attempts = asked().attempts;
    expect(claim).toHaveBeenCalledWith('r1', 'greenfood-dao', { provider: 'fake', attempts, historyBytes: 4_000 });
  });

  describe('an answer that breaks off', () => {
    const price = { prompt: 1, completion: 2 };
    const priced = (changes: Parameters<typeof asked>[0] = {}) =>
      asked({ ...changes, step: { price, ...changes.step } });
    /** Of the text `half a story`, at three bytes a token, after whatever was sent. */
    const expectCounted = (): void => {
      expect(stage.spent).toHaveLength(1);
      const [[generation, { provider, usage }]] = stage.spent as [(typeof stage.spent)[0]];
      const sent = stage.calls[0]?.messages.map((one) => Math.ceil(Buffer.byteLength(messageText(one)) / 3)) ?? [];
      const prompt = sent.reduce((sum, tokens) => sum + tokens, 0);
      expect([generation, provider, prompt > 0]).toEqual([3, 'fake', true]);
      expect(usage).toEqual({
        prompt_tokens: prompt,
        completion_tokens: 4,
        total_tokens: prompt + 4,
        estimated: true,
        cost_usd: (prompt + 8) / 1e6,
      });
    };
    const half = [text('half a '), text('story')];

    it('is counted when the request is cancelled after all was read', async () => {
      const running = failure(stage.run(stage.claims(), hangs(...half), priced()));
      await until(() => stage.events.filter(({ type }) => type === 'token').length === 2);
      stage.bus.cancel('r1');
      expect((await running).type).toBe('Cancelled');
      expectCounted();
    });

    it('is counted when the caller goes away before the first word: the prompt was bought', async () => {
      const running = failure(stage.run(stage.claims(), hangs(), priced()));
      await until(() => stage.calls.length > 0);
      stage.bus.cancel('r1');
      expect((await running).type).toBe('Cancelled');
      expect(stage.spent).toMatchObject([[3, { usage: { completion_tokens: 0, estimated: true } }]]);
    });

    it.each<[string, Parameters<typeof asked>[0]]>([
      ['its time is over', { step: { timeoutMs: 30 } }],
      ['the deadline comes', { deadlineAt: Date.now() + 60_000 }],
    ])('is counted when %s', async (_when, changes = {}) => {
      const input = priced(changes.deadlineAt === undefined ? changes : { deadlineAt: Date.now() + 30 });
      await failure(stage.run(stage.claims(), hangs(...half), input));
      expectCounted();
    });

    it('is counted when the provider breaks off', async () => {
      await failure(stage.run(stage.claims(), refuses('StreamInterrupted', ...half), priced()));
      expectCounted();
    });

    it('is counted when the worker stops', async () => {
      const running = failure(stage.run(stage.claims(), hangs(...half), priced()));
      await until(() => stage.order.includes('token'));
      stage.environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
      expect((await running).type).toBe('WorkerStopped');
      expectCounted();
    });

    it('costs nothing before its first text, nor once it is recorded', async () => {
      await failure(stage.run(stage.claims(), refuses('ProviderUnavailable'), priced()));
      await failure(stage.run(stage.claims(), hangs(), priced({ step: { timeoutMs: 30 } })));
      await stage.run(stage.writes(), says(...half, end), priced());
      expect(stage.spent).toEqual([]);
    });

    it('ends as it would where it cannot be counted, and that is tried once', async () => {
      const recordSpent = jest.fn<RequestsRepository['recordSpent']>().mockRejectedValue(away());
      const requests = { ...stage.claims(), recordSpent };
      const thrown = await failure(stage.run(requests, refuses('StreamInterrupted', ...half), priced()));
      expect(thrown.type).toBe('StreamInterrupted');
      expect(recordSpent).toHaveBeenCalledTimes(1);
      expect(stage.logged.map(({ msg }) => msg)).toContain('what a call used could not be counted');
    });
  });

  describe('an answer for others', () => {
    const cache = { ttlMs: 60_000, maxEntries: 7 };
    const alone = (changes: Partial<ReturnType<typeof aJob>> = {}) =>
      aJob({
        record: record({ decision: aDecision({ rule: 'facts', cache }) }),
        inSession: false,
        history: [],
        summary: null,
        ...changes,
      });
    const keeps = () => jest.fn<AnswerCacheRepository['put']>().mockResolvedValue(undefined);

    it('is kept by a rule that says so', async () => {
      const put = keeps();
      await stage.run(stage.writes(alone()), says(text('Seven.'), end), asked(), { cache: { put } });
      const slot = { daoId: 'greenfood-dao', rule: 'facts', key: expect.stringMatching(/^[0-9a-f]{64}$/) };
      const kept = { text: 'Seven.', provider: 'fake', finishReason: 'stop' };
      expect(put.mock.calls).toEqual([[slot, kept, 7, expect.any(String)]]);
    });

    it('is not kept if the model was told more than the question, or was cut short', async () => {
      const put = keeps();
      const cut = { ...end, finishReason: 'length' } as typeof end;
      await stage.run(stage.writes(alone({ inSession: true })), says(text('x'), end), asked(), { cache: { put } });
      const history = [{ prompt: 'before', answer: 'yes' }];
      await stage.run(stage.writes(alone({ history })), says(text('x'), end), asked(), { cache: { put } });
      await stage.run(stage.writes(alone()), says(text('x'), cut), asked(), { cache: { put } });
      expect(put).not.toHaveBeenCalled();
    });

    it('is no reason to fail when it cannot be kept', async () => {
      const put = keeps().mockRejectedValue(away());
      const running = stage.run(stage.writes(alone()), says(text('x'), end), asked(), { cache: { put } });
      expect(await running).toMatchObject({ outcome: 'recorded' });
      expect(stage.logged.map(({ msg }) => msg)).toContain('an answer could not be kept for others');
    });
  });
});
