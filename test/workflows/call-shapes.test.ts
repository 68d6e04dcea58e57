import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { CrewDependencies } from '../../activities/crew.js';
import type { ProposalsDependencies } from '../../activities/proposals.js';
import { createActivities } from '../../activities/index.js';
import { requestLog } from '../../activities/log.js';
import type { LlmProvider } from '../../src/adapters/llm/provider.js';
import type { AnswerCacheRepository } from '../../src/adapters/store/answer-cache.repository.js';
import { ProviderCall } from '../../src/adapters/llm/provider-call.js';
import type { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { InProcessTokenBus } from '../../src/adapters/token-bus/in-process-bus.js';
import type { Admission } from '../../src/contracts/admission.js';
import type { HeadSigner } from '../../src/contracts/audit.js';
import type { RouteRequestInput } from '../../src/contracts/request.js';
import { aRecord } from '../factories/requests.js';
import { strict } from '../factories/strict.js';
import { uniqueQueue } from '../support/temporal.js';
import { answer, fail, ScriptedActivities, write } from '../fakes/scripted-activities.js';
import { attributesOf, performanceOf, request, Stage, step, type Performance } from './stage.js';

jest.setTimeout(30_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

describe('routeRequest: shapes of the model call', () => {
  it('should run an eager call on the workflow’s own queue', async () => {
    const script = new ScriptedActivities({ generate: [answer()] });
    const { history } = await stage.perform(script, request([step('first')]));
    const own = attributesOf(history, 'workflowExecutionStartedEventAttributes')[0]?.taskQueue?.name;
    expect(script.generated[0]).toMatchObject({ queue: own, local: false, attempt: 1 });
  });

  it('should run a local call without an activity task', async () => {
    const script = new ScriptedActivities({ generate: [answer()] });
    const { history, result } = await stage.perform(script, request([step('first', { shape: 'local' })]));
    expect(result).toMatchObject({ status: 'completed', provider: 'first' });
    expect(script.generated[0]).toMatchObject({ local: true, attempt: 1 });
    expect(attributesOf(history, 'activityTaskScheduledEventAttributes')).toEqual([]);
    expect(attributesOf(history, 'markerRecordedEventAttributes')).toHaveLength(1);
  });

  it('should run a queued call at the worker of its queue', async () => {
    const script = new ScriptedActivities({ generate: [answer()] });
    const queue = uniqueQueue('llm');
    const played = await stage.withActivityWorker(queue, { generate: script.activities.generate }, () =>
      stage.perform(script, request([step('first', { shape: 'queue', queue })])),
    );
    expect(played.result).toMatchObject({ status: 'completed', provider: 'first', attempts: [] });
    expect(script.generated[0]).toMatchObject({ queue, local: false });
  });

  it('should ask the next provider if no worker takes the call in time', async () => {
    const script = new ScriptedActivities({ generate: [answer()] });
    const chain = [step('first', { shape: 'queue', queue: uniqueQueue('empty'), queueTimeoutMs: 300 }), step('second')];
    const { result } = await stage.perform(script, request(chain));
    expect(script.providers).toEqual(['second']);
    const attempts = [{ provider: 'first', status: 'failed', ms: expect.any(Number), error: 'QueueTimeout' }];
    expect(result).toMatchObject({ status: 'completed', provider: 'second', attempts });
    expect(result?.attempts[0]?.ms).toBeGreaterThanOrEqual(300);
  });
});

describe('routeRequest: eagerness', () => {
  type QueueSettings = Parameters<Stage['client']['workflowService']['updateTaskQueueConfig']>[0];
  const ACTIVITY_TASKS: unknown = 2;

  /** Lets no activity of a queue through the server’s matching: what still runs came with the workflow’s task. */
  async function stopMatching(queue: string): Promise<void> {
    await stage.client.workflowService.updateTaskQueueConfig({
      namespace: 'default',
      taskQueue: queue,
      taskQueueType: ACTIVITY_TASKS as NonNullable<QueueSettings['taskQueueType']>,
      identity: 'dagi-test',
      updateQueueRateLimit: { rateLimit: { requestsPerSecond: 0 }, reason: 'test' },
    });
  }

  it('should start with the workflow’s first task in hand', async () => {
    const script = new ScriptedActivities({ generate: [answer()] });
    const { eagerlyStarted, history } = await stage.perform(script, request([step('first')]));
    expect(eagerlyStarted).toBe(true);
    expect(attributesOf(history, 'workflowExecutionStartedEventAttributes')[0]?.eagerExecutionAccepted).toBe(true);
  });

  it('should hand an eager call to the worker without matching', async () => {
    const script = new ScriptedActivities({ generate: [answer()] });
    await stage.withWorker(script.activities, async (queue) => {
      await stopMatching(queue);
      const played = await performanceOf(await stage.start(queue, request([step('first')])));
      expect(played.result).toMatchObject({ status: 'completed', attempts: [] });
    });
    script.assertPlayed();
  });

  it('should not reach a worker of another queue without matching', async () => {
    const script = new ScriptedActivities({ recordFailure: [write()] });
    const queue = uniqueQueue('llm');
    const played = await stage.withActivityWorker(queue, { generate: script.activities.generate }, async () => {
      await stopMatching(queue);
      return stage.perform(script, request([step('first', { shape: 'queue', queue, queueTimeoutMs: 1_000 })]));
    });
    expect(played.failure).toBe('QueueTimeout');
  });
});

describe('routeRequest: what an operator sees', () => {
  it('should find an answered request by its provider and tokens', async () => {
    const script = new ScriptedActivities({ generate: [fail('ModelNotFound'), answer()] });
    const { searchAttributes } = await stage.perform(script, request([step('first'), step('second')]));
    expect(searchAttributes).toEqual({ Outcome: 'completed', FallbackUsed: true, Provider: 'second', TokensTotal: 12 });
  });

  it('should not call a second attempt at the same provider a fallback', async () => {
    const script = new ScriptedActivities({ generate: [fail('EmptyAnswer'), answer()] });
    const { searchAttributes } = await stage.perform(script, request([step('first', { maxAttempts: 2 })]));
    expect(searchAttributes).toMatchObject({ Outcome: 'completed', FallbackUsed: false });
  });

  it('should find a failed request by its outcome', async () => {
    const generate = [fail('ModelNotFound'), fail('ModelNotFound')];
    const script = new ScriptedActivities({ generate, recordFailure: [write()] });
    const { searchAttributes } = await stage.perform(script, request([step('first'), step('second')]));
    expect(searchAttributes).toEqual({ Outcome: 'failed', FallbackUsed: true });
  });

  it('should name the pause and the attempt that follows it', async () => {
    const script = new ScriptedActivities({ generate: [fail('EmptyAnswer'), answer()] });
    const { history } = await stage.perform(script, request([step('first', { maxAttempts: 2 })]));
    const summaries = history.events?.flatMap(({ userMetadata }) => userMetadata?.summary?.data ?? []) ?? [];
    expect(summaries.map((data) => Buffer.from(data).toString('utf8'))).toEqual(['"before attempt 2 at first"']);
  });
});

describe('routeRequest: what is not in the history', () => {
  /** The real activities over a request with a prompt and an answer of a length. */
  async function performFor(length: number): Promise<Performance> {
    const input = request([step('first')]);
    const activities = createActivities({
      requests: storeOf(input, 'ask '.repeat(length)),
      providers: {
        get: () => providerOf('tell '.repeat(length)),
        sampling: () => ({ temperature: 0, topP: 1 }),
        timeoutMs: () => 10_000,
        pool: () => undefined,
        facts: async () => undefined,
      },
      states: {
        unavailable: async () => [],
        isWell: async () => true,
        enter: async () => undefined,
        succeeded: async () => undefined,
        failed: async () => undefined,
        abandoned: async () => undefined,
      },
      admission: strict<Admission>('admission', {}),
      cache: strict<AnswerCacheRepository>('cache', {}),
      bus: new InProcessTokenBus(),
      log: requestLog(pino({ level: 'silent' })),
      auditHeads: strict<HeadSigner>('auditHeads', {}),
      proposals: strict<ProposalsDependencies['proposals']>('proposals', {}),
      crews: strict<CrewDependencies['crews']>('crews', {}),
      daoTools: strict<CrewDependencies['daoTools']>('daoTools', {}),
      denied: () => Promise.reject(new Error('nothing is denied here')),
      calls: { begin: (order) => new ProviderCall(order), adopt: async () => undefined },
      historyTokens: 1_000,
    });
    return stage.withWorker(activities, async (queue) => performanceOf(await stage.start(queue, input)));
  }

  it('should hold neither prompt nor answer, and not grow with them', async () => {
    const short = await performFor(1);
    const long = await performFor(50_000);
    for (const { history, status } of [short, long]) {
      expect(status).toBe('COMPLETED');
      const texts = (history.events ?? []).flatMap(payloadsOf);
      expect(texts.length).toBeGreaterThan(3);
      expect(texts.filter((text) => /ask |tell /.test(text))).toEqual([]);
    }
    expect(long.history.events?.length).toBe(short.history.events?.length);
    expect(Math.abs(long.historySize - short.historySize)).toBeLessThan(50);
  });
});

/** The data of every payload in an event, as text. */
function payloadsOf(event: object): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) found.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString());
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  visit(event);
  return found;
}

/** One request, as the database holds it. */
function storeOf(input: RouteRequestInput, prompt: string): RequestsRepository {
  const { requestId, daoId, actor, deadlineAt, decision } = input;
  const record = aRecord({ id: requestId, daoId, actor, decision, deadlineAt: new Date(deadlineAt) });
  const store: Pick<RequestsRepository, 'claim' | 'recordAnswer'> = {
    claim: async () => ({
      ...{ record, prompt, call: null, daoName: 'Test', daoFacts: {}, inSession: true },
      history: [{ prompt, answer: prompt }],
      summary: null,
    }),
    recordAnswer: async () => true,
  };
  return store as RequestsRepository;
}

function providerOf(text: string): LlmProvider {
  const provider: Pick<LlmProvider, 'generate'> = {
    async *generate() {
      yield { type: 'text', text };
      const usage = { prompt_tokens: 100, completion_tokens: 100, total_tokens: 200 };
      yield { type: 'end', finishReason: 'stop', usage };
    },
  };
  return provider as LlmProvider;
}
