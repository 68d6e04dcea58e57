import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ActivityCancellationDetails, ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import type { PositionedEvent } from '../../src/contracts/events.js';
import type { FailureType } from '../../src/contracts/failures.js';
import type { GenerateInput, GenerateResult } from '../../src/contracts/request.js';
import {
  ProviderError,
  type GenerateCall,
  type GenerateChunk,
  type LlmProvider,
} from '../../src/adapters/llm/provider.js';
import type {
  Answer,
  GenerationJob,
  RequestRecord,
  RequestsRepository,
} from '../../src/adapters/store/requests.repository.js';
import { InProcessTokenBus } from '../../src/adapters/token-bus/in-process-bus.js';
import { AppError } from '../../src/errors/app-error.js';
import { createLlmActivities } from './generate.js';

/** A part that has only what a test gave it; anything else that is asked of it fails the test. */
function strict<T extends object>(name: string, parts: Partial<T>): T {
  return new Proxy(parts, {
    get(target, key) {
      if (key in target) return target[key as keyof typeof target];
      throw new Error(`${name}.${String(key)} was called unprepared`);
    },
  }) as T;
}

const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
const text = (part: string): GenerateChunk => ({ type: 'text', text: part });
const end: GenerateChunk = { type: 'end', finishReason: 'stop', usage };

const record = (part: Partial<RequestRecord> = {}): RequestRecord => ({
  id: 'r1',
  daoId: 'greenfood-dao',
  actor: 'tg:12345',
  mode: 'chat',
  decision: {
    mode: 'chat',
    rule: 'chat',
    chain: [],
    roles: ['member'],
    entitlements: ['chat.write'],
    deadlineMs: 60_000,
    configHash: 'h',
  },
  status: 'running',
  provider: null,
  usage: null,
  attempts: [],
  timings: { gateway: 1, rbac: 2 },
  error: null,
  generation: 3,
  bodyHash: null,
  receivedAt: new Date(),
  deadlineAt: new Date(Date.now() + 60_000),
  answer: null,
  finishReason: null,
  ...part,
});

const job = (): GenerationJob => ({
  record: record(),
  prompt: 'How long is a vote?',
  daoName: 'GreenFood DAO',
  daoFacts: { voting: 'Seven days.' },
  history: [{ prompt: 'before', answer: 'yes' }],
});

const input = (part: Partial<GenerateInput> = {}, timeoutMs = 30_000): GenerateInput => ({
  requestId: 'r1',
  daoId: 'greenfood-dao',
  actor: 'tg:12345',
  step: {
    provider: 'fake',
    shape: 'eager',
    queue: 'orchestrator',
    timeoutMs,
    queueTimeoutMs: 5_000,
    maxTokens: 128,
    maxAttempts: 2,
    retryDelayMs: 1_000,
  },
  deadlineAt: Date.now() + 60_000,
  scheduledAt: Date.now() - 40,
  attempts: [{ provider: 'other', status: 'failed', ms: 9, error: 'RateLimited' }],
  ...part,
});

const ofWorkflow = (workflowId: string) => ({ workflowExecution: { workflowId, runId: 'run' } });

const away = (): AppError => new AppError('STORE_UNAVAILABLE');

describe('generate', () => {
  let bus: InProcessTokenBus;
  let environment: MockActivityEnvironment;
  /** Everything that happens, in order. */
  let order: string[];
  let events: PositionedEvent[];
  let answers: Answer[];
  let calls: GenerateCall[];
  let logged: Record<string, unknown>[];

  beforeEach(() => {
    [order, events, answers, calls, logged] = [[], [], [], [], []];
    environment = new MockActivityEnvironment(ofWorkflow('route/r1'), { logger: new DefaultLogger('ERROR') });
    bus = new InProcessTokenBus();
    const publish = bus.publish.bind(bus);
    jest.spyOn(bus, 'publish').mockImplementation((requestId, event) => {
      order.push(event.type);
      events.push(event);
      publish(requestId, event);
    });
  });
  afterEach(() => {
    bus.close();
  });

  type Script = (call: GenerateCall) => AsyncIterable<GenerateChunk>;

  const says = (...chunks: GenerateChunk[]): Script =>
    async function* () {
      yield* chunks;
    };
  const fails = (error: unknown, ...chunks: GenerateChunk[]): Script =>
    async function* () {
      yield* chunks;
      throw error;
    };
  /** Says something, then nothing until it is aborted; then does what providers promise. */
  const hangs = (...chunks: GenerateChunk[]): Script =>
    async function* ({ signal }) {
      yield* chunks;
      await new Promise((_resolve, reject) => {
        const abort = (): void => {
          reject(signal.reason as Error);
        };
        signal.addEventListener('abort', abort);
        if (signal.aborted) abort();
      });
    };

  const claims = (): Partial<RequestsRepository> => ({ claim: () => Promise.resolve(job()) });
  const writes = (): Partial<RequestsRepository> => ({
    ...claims(),
    recordAnswer: (_id, _dao, answer) => {
      order.push('recorded');
      answers.push(answer);
      return Promise.resolve(true);
    },
  });

  function run(requests: Partial<RequestsRepository>, script?: Script, asked = input()): Promise<GenerateResult> {
    const provider = strict<LlmProvider>('provider', {
      ...(script && {
        generate: (call: GenerateCall) => {
          calls.push(call);
          return script(call);
        },
      }),
    });
    const log = pino({ level: 'info' }, { write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) });
    const { generate } = createLlmActivities({
      requests: strict<RequestsRepository>('requests', requests),
      providers: { get: () => provider, sampling: () => ({ temperature: 0.3, topP: 0.9 }) },
      bus,
      log: () => log,
      historyTokens: 1_000,
    });
    return environment.run(generate, asked);
  }

  /** The failure that crosses the activity boundary. */
  async function failure(running: Promise<GenerateResult>): Promise<ApplicationFailure> {
    const thrown: unknown = await running.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(thrown).toBeInstanceOf(ApplicationFailure);
    return thrown as ApplicationFailure;
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  }

  it('records the answer before it tells that it is complete', async () => {
    expect(await run(writes(), says(text('Seven '), text('days.'), end))).toEqual({
      outcome: 'recorded',
      provider: 'fake',
      finishReason: 'stop',
      usage,
    });
    expect(order).toEqual(['attempt', 'token', 'token', 'recorded', 'done']);
  });

  it('records text, attempts, times and the number of its run', async () => {
    await run(writes(), says(text('Seven '), text('days.'), end));
    expect(answers).toEqual([
      {
        text: 'Seven days.',
        finishReason: 'stop',
        provider: 'fake',
        usage,
        attempts: [
          { provider: 'other', status: 'failed', ms: 9, error: 'RateLimited' },
          { provider: 'fake', status: 'ok', ms: expect.any(Number) },
        ],
        timings: { gateway: 1, rbac: 2, queue: expect.any(Number), llm: expect.any(Number), total: expect.any(Number) },
        generation: 3,
      },
    ]);
    expect(answers[0]?.timings.queue).toBeGreaterThanOrEqual(40);
  });

  it('tells what was recorded, at the place where the text ends', async () => {
    await run(writes(), says(text('Seven '), text('days.'), end));
    expect(events[0]).toMatchObject({ type: 'attempt', data: { provider: 'fake', generation: 3 } });
    expect(events.at(-1)).toMatchObject({
      type: 'done',
      position: { generation: 3, offset: 11 },
      data: { ok: true, status: 'completed', provider: 'fake', data: { text: 'Seven days.', finish_reason: 'stop' } },
    });
  });

  it('asks the provider with the limits of the step and the conversation from the database', async () => {
    await run(writes(), says(text('x'), end));
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ maxTokens: 128, temperature: 0.3, topP: 0.9 });
    expect(calls[0]?.messages.map(({ role, content }) => [role, content]).slice(1)).toEqual([
      ['user', 'before'],
      ['assistant', 'yes'],
      ['user', 'How long is a vote?'],
    ]);
    expect(calls[0]?.messages[0]?.content).toContain('Seven days.');
  });

  it('writes no prompt and no answer to the log', async () => {
    await run(writes(), says(text('the answer itself'), end));
    expect(logged).toMatchObject([{ msg: 'answer recorded', provider: 'fake' }]);
    expect(JSON.stringify(logged)).not.toMatch(/the answer itself|How long is a vote/);
  });

  it('buys nothing when an answer is on record, and gives that one', async () => {
    const found = record({ status: 'completed', provider: 'earlier', usage, finishReason: 'length' });
    const requests = { claim: () => Promise.resolve(undefined), find: () => Promise.resolve(found) };
    expect(await run(requests)).toEqual({ outcome: 'recorded', provider: 'earlier', finishReason: 'length', usage });
    expect([calls, events]).toEqual([[], []]);
  });

  it('tells the end of a request that an earlier run answered without living to say so', async () => {
    const found = record({
      status: 'completed',
      provider: 'earlier',
      usage,
      answer: 'Seven days.',
      finishReason: null,
    });
    await run({ claim: () => Promise.resolve(undefined), find: () => Promise.resolve(found) });
    const data = { ok: true, status: 'completed', provider: 'earlier', data: { text: 'Seven days.' } };
    expect(events).toMatchObject([{ type: 'done', data, position: { generation: 3, offset: 11 } }]);
  });

  it('serves no other workflow than that of the request', async () => {
    environment = new MockActivityEnvironment(ofWorkflow('route/r2'));
    expect(await failure(run({}))).toMatchObject({ type: 'Internal', nonRetryable: true });
    expect([calls, events]).toEqual([[], []]);
  });

  it.each([
    ['cancelled', record({ status: 'cancelled' })],
    ['failed', record({ status: 'failed' })],
    ['failed', undefined],
  ] as const)('buys nothing and is superseded when the request is %s', async (status, found) => {
    const requests = { claim: () => Promise.resolve(undefined), find: () => Promise.resolve(found) };
    expect(await run(requests)).toEqual({ outcome: 'superseded', status });
    expect([calls, events]).toEqual([[], []]);
  });

  it('tells the other answer when another run was recorded, and gives that one', async () => {
    const other = { provider: 'later', usage, finishReason: 'stop', answer: 'Eight.', generation: 4 };
    const requests = {
      ...claims(),
      recordAnswer: () => Promise.resolve(false),
      find: () => Promise.resolve(record({ status: 'completed', ...other })),
    };
    expect(await run(requests, says(text('x'), end))).toMatchObject({ outcome: 'recorded', provider: 'later' });
    expect(events.filter(({ type }) => type === 'done')).toMatchObject([
      { data: { data: { text: 'Eight.' } }, position: { generation: 4, offset: 6 } },
    ]);
  });

  it.each<FailureType>(['RateLimited', 'ProviderUnavailable', 'AuthenticationFailed', 'ModelNotFound', 'EmptyAnswer'])(
    'ends with %s as the provider says, not to be repeated by Temporal',
    async (type) => {
      const thrown = await failure(run(claims(), fails(new ProviderError(type, 'why', 1_234))));
      expect(thrown).toMatchObject({ type, message: 'why', nonRetryable: true });
      expect(thrown.details).toEqual([{ type, message: 'why', retryAfterMs: 1_234 }]);
      expect(order).toEqual(['attempt']);
    },
  );

  it.each<FailureType>(['RateLimited', 'ProviderUnavailable', 'ProviderTimeout', 'ProviderRejected'])(
    'turns %s after the first text into StreamInterrupted',
    async (type) => {
      const thrown = await failure(run(claims(), fails(new ProviderError(type, 'why'), text('half'))));
      expect(thrown).toMatchObject({ type: 'StreamInterrupted', nonRetryable: true });
      expect(thrown.details).toMatchObject([{ type: 'StreamInterrupted' }]);
    },
  );

  it('sends nothing more after a failure', async () => {
    await failure(run(claims(), fails(new ProviderError('ProviderUnavailable', 'why'), text('a'), text('b'))));
    const sent = events.length;
    // Longer than texts are gathered.
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(events).toHaveLength(sent);
    expect(events.map((event) => (event.type === 'token' ? event.data.text : event.type))).toEqual(['attempt', 'a']);
  });

  it('lets out nothing of an error that it does not know', async () => {
    const thrown = await failure(run(claims(), fails(new Error('the prompt was: How long'))));
    expect(thrown).toMatchObject({ type: 'Internal', nonRetryable: true });
    expect(JSON.stringify(thrown.details)).not.toContain('How long');
  });

  it('takes a provider that stops without an end for an error', async () => {
    expect((await failure(run(claims(), says()))).type).toBe('Internal');
  });

  it('takes what nobody foresaw before the call for an internal error, not to be repeated', async () => {
    const thrown = await failure(run({ claim: () => Promise.reject(new TypeError('cannot read the prompt')) }));
    expect(thrown).toMatchObject({ type: 'Internal', nonRetryable: true });
    expect(thrown.details).toEqual([{ type: 'Internal', message: expect.not.stringContaining('prompt') }]);
    expect(logged).toMatchObject([{ msg: 'model call failed unexpectedly' }]);
  });

  it('asks Temporal to repeat it when the database is away before the call', async () => {
    const thrown = await failure(run({ claim: () => Promise.reject(away()) }));
    expect(thrown).toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
    expect(calls).toEqual([]);
  });

  it('keeps writing while the database is away, buys nothing again, and succeeds when it is back', async () => {
    const recordAnswer = jest.fn<RequestsRepository['recordAnswer']>();
    recordAnswer.mockRejectedValueOnce(away()).mockRejectedValueOnce(away()).mockResolvedValue(true);
    expect(await run({ ...claims(), recordAnswer }, says(text('x'), end))).toMatchObject({ outcome: 'recorded' });
    expect(recordAnswer).toHaveBeenCalledTimes(3);
    expect(calls).toHaveLength(1);
    expect(order).toEqual(['attempt', 'token', 'done']);
  });

  it('gives up writing when the time of the request is over, and says so', async () => {
    const requests = { ...claims(), recordAnswer: () => Promise.reject(away()) };
    const asked = input({ deadlineAt: Date.now() + 500 });
    const thrown = await failure(run(requests, says(text('x'), end), asked));
    expect(thrown).toMatchObject({ type: 'DeadlineExceeded', nonRetryable: true });
    expect(order).not.toContain('done');
  });

  it('does not repeat a write that is wrong', async () => {
    const recordAnswer = jest.fn<RequestsRepository['recordAnswer']>().mockRejectedValue(new Error('syntax error'));
    expect((await failure(run({ ...claims(), recordAnswer }, says(text('x'), end)))).nonRetryable).toBe(true);
    expect(recordAnswer).toHaveBeenCalledTimes(1);
  });

  it('stops the provider when the request is cancelled in this process, even after the first text', async () => {
    const running = run(claims(), hangs(text('half')));
    await until(() => order.includes('token'));
    bus.cancel('r1');
    expect(await failure(running)).toMatchObject({ type: 'Cancelled', nonRetryable: true });
    expect(calls[0]?.signal.aborted).toBe(true);
  });

  it('stops the provider when Temporal says that the request was cancelled', async () => {
    const running = run(claims(), hangs());
    await until(() => calls.length > 0);
    environment.cancel();
    expect(await failure(running)).toMatchObject({ type: 'Cancelled' });
    expect(calls[0]?.signal.aborted).toBe(true);
  });

  it('leaves the request to another worker when this one stops', async () => {
    const running = run(claims(), hangs(text('half')));
    await until(() => order.includes('token'));
    environment.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
    expect(await failure(running)).toMatchObject({ type: 'WorkerStopped', nonRetryable: false });
  });

  it('stops the provider at the deadline of the request', async () => {
    const asked = input({ deadlineAt: Date.now() + 30 });
    const thrown = await failure(run(claims(), hangs(text('half')), asked));
    expect(thrown).toMatchObject({ type: 'DeadlineExceeded', nonRetryable: true });
    expect(calls[0]?.signal.aborted).toBe(true);
  });

  it('stops the provider when the call alone takes too long, so that another may try', async () => {
    expect(await failure(run(claims(), hangs(), input({}, 30)))).toMatchObject({ type: 'ProviderTimeout' });
    expect((await failure(run(claims(), hangs(text('half')), input({}, 30)))).type).toBe('StreamInterrupted');
  });

  it('listens for no cancel after its end', async () => {
    const { cancels } = bus as unknown as { cancels: Map<string, unknown> };
    await run(writes(), says(text('x'), end));
    await failure(run(claims(), fails(new ProviderError('EmptyAnswer', 'why'))));
    expect(cancels.size).toBe(0);
  });
});
