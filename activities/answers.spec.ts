import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { pino } from 'pino';
import { MemorySharedState } from '../src/adapters/store/shared-state.js';
import type { AnswerCacheRepository } from '../src/adapters/store/answer-cache.repository.js';
import type { OpenQuestion, RequestsRepository } from '../src/adapters/store/requests.repository.js';
import { InProcessTokenBus } from '../src/adapters/token-bus/in-process-bus.js';
import type { Admission } from '../src/contracts/admission.js';
import type { PositionedEvent } from '../src/contracts/events.js';
import type { AnswerWithoutModelInput, AnswerWithoutModelResult, Decision } from '../src/contracts/request.js';
import { AppError } from '../src/errors/app-error.js';
import { AdmissionService } from '../src/services/admission.service.js';
import { aDecision, aRecord } from '../test/factories/requests.js';
import { strict } from '../test/factories/strict.js';
import { asked as callOf, GenerationStage } from '../test/fakes/generation-stage.js';
import { createAnswerActivities } from './answers.js';

const CACHE = { ttlMs: 60_000, maxEntries: 10 };
const NOTHING_USED = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
const failedBefore = [{ provider: 'fake', status: 'failed' as const, ms: 9, error: 'ProviderUnavailable' }];

describe('answerWithoutModel', () => {
  let bus: InProcessTokenBus;
  let events: PositionedEvent[];

  beforeEach(() => {
    events = [];
    bus = new InProcessTokenBus();
    bus.publish = (_id, event) => void events.push(event);
  });
  afterEach(() => {
    bus.close();
  });

  const question = (decision: Partial<Decision>, changes: Partial<OpenQuestion> = {}): OpenQuestion => ({
    record: aRecord({ status: 'accepted', generation: 0, decision: aDecision({ chain: [], ...decision }) }),
    prompt: 'What are my roles?',
    call: null,
    daoName: 'GreenFood DAO',
    daoFacts: { voting: 'Seven days.' },
    inSession: false,
    followsTurns: false,
    ...changes,
  });

  const store = (asked: OpenQuestion | undefined) => ({
    question: jest.fn<RequestsRepository['question']>().mockResolvedValue(asked),
    claim: jest
      .fn<RequestsRepository['claim']>()
      .mockImplementation(
        async () => asked && { ...asked, record: { ...asked.record, generation: 1 }, history: [], summary: null },
      ),
    recordAnswer: jest.fn<RequestsRepository['recordAnswer']>().mockResolvedValue(true),
  });
  const keeps = (answer: Awaited<ReturnType<AnswerCacheRepository['get']>>) =>
    jest.fn<AnswerCacheRepository['get']>().mockResolvedValue(answer);
  const kept = { provider: 'fake', text: 'Seven days.', finishReason: 'stop', ageMs: 5_000 };

  function run(
    requests: Partial<RequestsRepository>,
    asked: Pick<AnswerWithoutModelInput, 'allow'> & { decision: Partial<Decision> },
    get?: AnswerCacheRepository['get'],
    admission: Partial<Admission> = {},
  ): Promise<AnswerWithoutModelResult> {
    const { answerWithoutModel } = createAnswerActivities({
      requests: strict<RequestsRepository>('requests', requests),
      cache: strict<AnswerCacheRepository>('cache', get ? { get } : {}),
      admission: strict<Admission>('admission', admission),
      bus,
      log: () => pino({ level: 'silent' }),
    });
    return GenerationStage.environmentOf('route/r1').run(answerWithoutModel, {
      requestId: 'r1',
      daoId: 'greenfood-dao',
      actor: 'tg:12345',
      allow: asked.allow,
      decision: aDecision({ chain: [], ...asked.decision }),
      attempts: failedBefore,
    });
  }

  it('gives a kept answer with its age, through the same fence as any other', async () => {
    const requests = store(question({ cache: CACHE }));
    const get = keeps(kept);
    const result = await run(requests, { allow: 'fresh', decision: { cache: CACHE } }, get);
    expect(result).toEqual({ outcome: 'recorded', provider: null, finishReason: 'stop', usage: NOTHING_USED });
    expect(get.mock.calls[0]).toEqual([expect.objectContaining({ daoId: 'greenfood-dao', rule: 'chat' }), 60_000]);
    expect(requests.claim).toHaveBeenCalledWith('r1', 'greenfood-dao', {
      provider: null,
      attempts: failedBefore,
      historyBytes: 0,
    });
    expect(requests.recordAnswer).toHaveBeenCalledWith('r1', 'greenfood-dao', {
      text: 'Seven days.',
      finishReason: 'stop',
      provider: null,
      origin: { step: 'cache', age_ms: 5_000 },
      usage: NOTHING_USED,
      attempts: failedBefore,
      timings: { gateway: 1, rbac: 2, total: expect.any(Number) },
      generation: 1,
    });
    expect(events).toMatchObject([
      {
        type: 'done',
        position: { generation: 1, offset: 11 },
        data: { ok: true, provider: null, data: { text: 'Seven days.' }, origin: { step: 'cache', age_ms: 5_000 } },
      },
    ]);
  });

  it('claims nothing when it has nothing to say', async () => {
    const requests = { question: store(question({ cache: CACHE, answer: 'roles' })).question };
    const decision = { cache: CACHE, answer: 'roles' } as const;
    expect(await run(requests, { allow: 'fresh', decision }, keeps(undefined))).toEqual({ outcome: 'none' });
    expect(events).toEqual([]);
  });

  it('takes an old answer where anything is better than nothing', async () => {
    const get = keeps({ ...kept, ageMs: 9_999_999 });
    const result = await run(store(question({ cache: CACHE })), { allow: 'anything', decision: { cache: CACHE } }, get);
    expect(get.mock.calls[0]?.[1]).toBeUndefined();
    expect(result).toMatchObject({ outcome: 'recorded' });
  });

  it('says what the database knows when nothing is kept', async () => {
    const decision = { cache: CACHE, answer: 'roles' } as const;
    const requests = store(question(decision));
    await run(requests, { allow: 'anything', decision }, keeps(undefined));
    expect(requests.recordAnswer.mock.calls[0]?.[2]).toMatchObject({
      text: expect.stringMatching(/^Your roles in GreenFood DAO: member\./),
      origin: { step: 'database' },
    });
  });

  it('never asks the cache where the rule keeps nothing', async () => {
    const requests = store(question({ answer: 'dao' }));
    expect(await run(requests, { allow: 'anything', decision: { answer: 'dao' } })).toMatchObject({
      outcome: 'recorded',
    });
  });

  it('never gives a kept answer to a question that may be about earlier turns', async () => {
    const requests = store(question({ cache: CACHE }, { inSession: true, followsTurns: true }));
    expect(await run(requests, { allow: 'anything', decision: { cache: CACHE } })).toEqual({ outcome: 'none' });
  });

  it('gives the recorded answer when it is repeated, and tells of it again', async () => {
    const origin = { step: 'database' } as const;
    const record = aRecord({
      status: 'completed',
      answer: 'Known.',
      finishReason: 'stop',
      usage: NOTHING_USED,
      origin,
    });
    const requests = { question: store(question({}, { record })).question };
    const result = await run(requests, { allow: 'anything', decision: { answer: 'help' } });
    expect(result).toEqual({ outcome: 'recorded', provider: null, finishReason: 'stop', usage: NOTHING_USED });
    expect(events).toMatchObject([{ type: 'done', data: { data: { text: 'Known.' }, origin } }]);
  });

  it.each([
    ['cancelled', aRecord({ status: 'cancelled' })],
    ['failed', undefined],
  ] as const)('is superseded when the request is %s', async (status, record) => {
    const asked = record && question({}, { record });
    const requests = { question: store(asked).question };
    const result = await run(requests, { allow: 'anything', decision: { answer: 'help' } });
    expect(result).toEqual({ outcome: 'superseded', status });
  });

  it('gives way to whoever ended the request meanwhile', async () => {
    const ended = aRecord({ status: 'cancelled' });
    const find = async () => ended;
    const asked = question({ answer: 'help' });
    const claimedByNobody = { ...store(asked), claim: async () => undefined, find };
    const fencedOff = { ...store(asked), recordAnswer: async () => false, find };
    for (const requests of [claimedByNobody, fencedOff]) {
      const result = await run(requests, { allow: 'anything', decision: { answer: 'help' } });
      expect(result).toEqual({ outcome: 'superseded', status: 'cancelled' });
    }
    expect(events).toEqual([]);
  });

  describe('once it has answered', () => {
    const pool = { name: 'ollama:a', slots: 1, maxWaiting: 2, maxWaitMs: 60_000 };
    const chain = [callOf({ step: { pool } }).step, callOf({ step: { provider: 'hosted' } }).step];
    const decision = { cache: CACHE, answer: 'roles', chain } as const;
    let shared: MemorySharedState;
    let admission: AdmissionService;

    beforeEach(() => {
      shared = new MemorySharedState();
      admission = new AdmissionService(shared, pino({ level: 'silent' }));
    });
    afterEach(async () => {
      await admission.close();
      await shared.close();
    });

    const reserve = (requestId: string) =>
      admission.reserve({
        ...{ requestId, provider: 'fake', pool, daoId: 'greenfood-dao', actor: 'a', weight: 1, priority: 1 },
        deadlineAt: Date.now() + 60_000,
      });
    const waiting = async () => (await admission.pools())[0]?.waiting;

    it('holds no place at a model, however many are answered so', async () => {
      for (let hit = 0; hit < 10; hit += 1) {
        expect(await reserve('r1')).toBeUndefined();
        await run(store(question(decision)), { allow: 'fresh', decision }, keeps(kept), admission);
        expect(await waiting()).toBe(0);
      }
      expect(await reserve('r2')).toBeUndefined();
    });

    it('keeps its place while it has nothing to say', async () => {
      await reserve('r1');
      const result = await run(store(question(decision)), { allow: 'fresh', decision }, keeps(undefined), admission);
      expect([result.outcome, await waiting()]).toEqual(['none', 1]);
    });

    it('has answered, though its place cannot be given up', async () => {
      const withdraw = () => Promise.reject(new AppError('STORE_UNAVAILABLE'));
      const running = run(store(question(decision)), { allow: 'anything', decision }, keeps(undefined), { withdraw });
      expect(await running).toMatchObject({ outcome: 'recorded' });
    });
  });

  it('is repeated by Temporal while the database is away', async () => {
    const question = () => Promise.reject(new AppError('STORE_UNAVAILABLE'));
    const running = run({ question }, { allow: 'fresh', decision: { cache: CACHE } });
    await expect(running).rejects.toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
    await expect(running).rejects.toBeInstanceOf(ApplicationFailure);
  });
});
