import { ProviderCall } from '../../src/adapters/llm/provider-call.js';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { CrewDependencies } from '../../activities/crew.js';
import type { ProposalsDependencies } from '../../activities/proposals.js';
import { createActivities, type OrchestratorActivities } from '../../activities/index.js';
import type { GenerateChunk, LlmProvider } from '../../src/adapters/llm/provider.js';
import { AnswerCacheRepository } from '../../src/adapters/store/answer-cache.repository.js';
import type { Db } from '../../src/adapters/store/database.js';
import { RequestsRepository, type NewRequest } from '../../src/adapters/store/requests.repository.js';
import { InProcessTokenBus } from '../../src/adapters/token-bus/in-process-bus.js';
import type { Admission } from '../../src/contracts/admission.js';
import type { HeadSigner } from '../../src/contracts/audit.js';
import type { AnswerWithoutModelInput, Decision, ProviderStep } from '../../src/contracts/request.js';
import { createDao } from '../factories/access.js';
import { aDecision, aRequest } from '../factories/requests.js';
import { strict } from '../factories/strict.js';
import { GenerationStage } from '../fakes/generation-stage.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const CACHE = { ttlMs: 60_000, maxEntries: 100 };
const PRICE = { prompt: 1, completion: 2 };

describe.each(DATABASES)('answers on %s', (_name, open) => {
  let fresh: Fresh;
  let db: Db;
  let requests: RequestsRepository;
  let activities: OrchestratorActivities;
  const bus = new InProcessTokenBus();
  let bought = 0;

  /** Answers each call with another text, so that nobody can have an answer twice by chance. */
  const provider: Pick<LlmProvider, 'generate'> = {
    async *generate(): AsyncGenerator<GenerateChunk> {
      bought += 1;
      yield { type: 'text', text: `answer ${bought}` };
      const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
      yield { type: 'end', finishReason: 'stop', usage };
    },
  };

  beforeAll(async () => {
    fresh = await open();
    db = fresh.database.all;
    requests = new RequestsRepository(fresh.database);
    for (const id of [DAO, 'other-dao']) await createDao(fresh.database, { id });
    activities = createActivities({
      requests,
      cache: new AnswerCacheRepository(fresh.database),
      bus,
      providers: {
        get: () => provider as LlmProvider,
        sampling: () => ({ temperature: 0, topP: 1 }),
        timeoutMs: () => 1_000,
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
      auditHeads: strict<HeadSigner>('auditHeads', {}),
      proposals: strict<ProposalsDependencies['proposals']>('proposals', {}),
      crews: strict<CrewDependencies['crews']>('crews', {}),
      daoTools: strict<CrewDependencies['daoTools']>('daoTools', {}),
      denied: () => Promise.reject(new Error('nothing is denied here')),
      log: () => pino({ level: 'silent' }),
      calls: { begin: (order) => new ProviderCall(order), adopt: async () => undefined },
      historyTokens: 1_000,
    });
  });
  afterAll(async () => {
    bus.close();
    await fresh.drop();
  });

  async function accepted(decision: Partial<Decision>, changes: Partial<NewRequest> = {}): Promise<NewRequest> {
    const request = aRequest({ keyId: 'answers', ...changes, decision: aDecision(decision) });
    expect(await requests.accept(request)).toBe(true);
    return request;
  }

  const runIn = <I, R>(requestId: string, activity: (input: I) => Promise<R>, input: I): Promise<R> =>
    GenerationStage.environmentOf(`route/${requestId}`).run(activity, input);

  async function generate({ id: requestId, daoId, actor, decision }: NewRequest): Promise<void> {
    const step: ProviderStep = { ...decision.chain[0]!, price: PRICE };
    const at = { deadlineAt: Date.now() + 10_000, scheduledAt: Date.now() };
    const input = { requestId, daoId, actor, step, ...at, weight: 1, priority: 1, attempts: [] };
    expect(await runIn(requestId, activities.generate, input)).toMatchObject({ outcome: 'recorded' });
  }

  async function withoutModel(
    { id: requestId, daoId, actor, decision }: NewRequest,
    allow: AnswerWithoutModelInput['allow'] = 'fresh',
  ): Promise<string | undefined> {
    const input = { requestId, daoId, actor, decision, allow, attempts: [] };
    const { outcome } = await runIn(requestId, activities.answerWithoutModel, input);
    return outcome === 'recorded' ? ((await requests.find(requestId, daoId))?.answer ?? undefined) : undefined;
  }

  /** What is kept under a question of its own. */
  async function kept(decision: Partial<Decision>): Promise<{ prompt: string; answer: string }> {
    const prompt = `question ${randomUUID()}`;
    const request = await accepted(decision, { prompt });
    await generate(request);
    return { prompt, answer: (await requests.find(request.id, DAO))?.answer ?? '' };
  }

  it('should be given to the same DAO and roles who ask the same, with age and without cost', async () => {
    const { prompt, answer } = await kept({ cache: CACHE });
    const again = await accepted({ cache: CACHE }, { prompt: ` ${prompt.replace(' ', '\n ')} `, actor: 'tg:777' });
    expect(await withoutModel(again)).toBe(answer);
    expect(await requests.find(again.id, DAO)).toMatchObject({
      status: 'completed',
      provider: null,
      usage: { total_tokens: 0 },
      origin: { step: 'cache', age_ms: expect.any(Number) },
      generation: 1,
    });
    // A second time changes nothing.
    expect(await withoutModel(again)).toBe(answer);
    expect((await requests.find(again.id, DAO))?.generation).toBe(1);
  });

  it('should never be given to another DAO, role, right, rule, configuration, or after the facts have changed', async () => {
    const { prompt } = await kept({ cache: CACHE });
    const others: [Partial<Decision>, Partial<NewRequest>?][] = [
      [{}, { daoId: 'other-dao' }],
      [{ roles: ['guest'] }],
      [{ roles: ['member', 'admin'] }],
      [{ entitlements: ['chat.read'] }],
      [{ rule: 'other' }],
      [{ configHash: 'fedcba9876543210' }],
      [{}, { prompt: `${prompt}?` }],
    ];
    for (const [decision, changes] of others) {
      const other = await accepted({ cache: CACHE, ...decision }, { prompt, ...changes });
      for (const allow of ['fresh', 'anything'] as const) expect(await withoutModel(other, allow)).toBeUndefined();
      expect(await requests.find(other.id, other.daoId)).toMatchObject({ status: 'accepted', generation: 0 });
    }
    await db.updateTable('daos').set({ facts: '{"purpose":"Another one."}' }).where('id', '=', DAO).execute();
    expect(await withoutModel(await accepted({ cache: CACHE }, { prompt }), 'anything')).toBeUndefined();
  });

  it('should be neither kept nor given where the rule keeps none', async () => {
    const { prompt } = await kept({});
    expect(await withoutModel(await accepted({ cache: CACHE }, { prompt }), 'anything')).toBeUndefined();
    const { prompt: other } = await kept({ cache: CACHE });
    expect(await withoutModel(await accepted({}, { prompt: other }), 'anything')).toBeUndefined();
  });

  it('should not be kept from a session, nor given to a question that follows others', async () => {
    const sessionId = randomUUID();
    const prompt = `question ${sessionId}`;
    const inSession = await accepted({ cache: CACHE }, { prompt, sessionId });
    await generate(inSession);
    expect(await withoutModel(await accepted({ cache: CACHE }, { prompt }), 'anything')).toBeUndefined();
    const alone = await kept({ cache: CACHE });
    const following = await accepted(
      { cache: CACHE },
      { prompt: alone.prompt, sessionId, receivedAt: new Date(Date.now() + 1_000) },
    );
    expect(await withoutModel(following, 'anything')).toBeUndefined();
    const first = await accepted({ cache: CACHE }, { prompt: alone.prompt, sessionId: randomUUID() });
    expect(await withoutModel(first)).toBe(alone.answer);
  });

  it('should be known from the database where a question says so, and be counted', async () => {
    const guest = { chain: [], roles: ['guest'], entitlements: ['chat.read'], answer: 'roles' as const };
    const request = await accepted(guest, { prompt: 'Які мої ролі?', keyId: 'known' });
    expect(await withoutModel(request, 'anything')).toMatch(/^Ваші ролі в DAO «GreenFood DAO»: guest\./);
    const rows = await db
      .selectFrom('usage_daily')
      .where('key_id', '=', 'known')
      .select(['provider', 'requests', 'prompt_tokens'])
      .execute();
    expect(rows.map((row) => [row.provider, Number(row.requests), Number(row.prompt_tokens)])).toEqual([
      ['database', 1, 0],
    ]);
  });

  it('should cost what the price says', async () => {
    const request = await accepted({});
    await generate(request);
    // Ten tokens at a dollar, five at two dollars, for a million.
    expect((await requests.find(request.id, DAO))?.usage).toMatchObject({ total_tokens: 15, cost_usd: 0.00002 });
  });
});
