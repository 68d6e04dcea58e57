import type { Admission } from '../src/contracts/admission.js';
import {
  NO_USAGE,
  type AnswerWithoutModelInput,
  type AnswerWithoutModelResult,
  type Origin,
} from '../src/contracts/request.js';
import type { AnswerCacheRepository } from '../src/adapters/store/answer-cache.repository.js';
import type {
  Answer,
  AskedQuestion,
  OpenQuestion,
  RequestsRepository,
} from '../src/adapters/store/requests.repository.js';
import type { InProcessTokenBus } from '../src/adapters/token-bus/in-process-bus.js';
import { isFinal, requestBody } from '../src/domain/bodies.js';
import { poolNames } from '../src/domain/chain.js';
import { knownAnswer } from '../src/domain/known-answers.js';
import { cacheSlot } from './cache-slot.js';
import { endedEarlier } from './ended-earlier.js';
import type { ActivityLog } from './log.js';
import { requireOwnWorkflow } from './own-workflow.js';
import { storeFailure } from './store-failure.js';

export interface AnswersDependencies {
  requests: RequestsRepository;
  cache: AnswerCacheRepository;
  admission: Admission;
  bus: InProcessTokenBus;
  log: ActivityLog;
}

export interface AnswerActivities {
  /**
   * Answers from what is kept, or from what the database knows, and records the answer. Repeating it after the answer
   * was recorded changes nothing.
   * @throws ApplicationFailure `StoreUnavailable`, which Temporal repeats
   */
  answerWithoutModel(input: AnswerWithoutModelInput): Promise<AnswerWithoutModelResult>;
}

/** An answer in hand, with where it came from. */
type Found = Pick<Answer, 'text' | 'finishReason' | 'origin'>;

export function createAnswerActivities(deps: AnswersDependencies): AnswerActivities {
  const { requests, bus } = deps;
  return {
    async answerWithoutModel(input) {
      const { requestId, daoId, attempts } = input;
      requireOwnWorkflow(requestId);
      const result = await storeFailure(async (): Promise<AnswerWithoutModelResult> => {
        const asked = await requests.question(requestId, daoId);
        if (!asked || isFinal(asked.record.status)) return endedEarlier(bus, asked?.record);
        const found = await find(deps, asked, input);
        if (!found) return { outcome: 'none' };
        const job = await requests.claim(requestId, daoId, { provider: null, attempts, historyBytes: 0 });
        const recorded = job && (await record(deps, input, job, found));
        return recorded ?? endedEarlier(bus, await requests.find(requestId, daoId));
      });
      if (result.outcome !== 'none') await leaveQueues(deps, input);
      return result;
    },
  };
}

/** Nobody will take the place that was reserved for a call to a model. It cannot fail the request. */
async function leaveQueues({ admission, log }: AnswersDependencies, input: AnswerWithoutModelInput): Promise<void> {
  const pools = poolNames(input.decision.chain);
  if (pools.length === 0) return;
  await admission.withdraw(input.requestId, pools).catch((error: unknown) => {
    log(input).warn({ err: error }, 'a place that is not needed could not be given up; it falls away by itself');
  });
}

async function find(
  { cache }: AnswersDependencies,
  asked: OpenQuestion,
  { decision, allow }: AnswerWithoutModelInput,
): Promise<Found | undefined> {
  // What was said before may be what the question is about.
  if (decision.cache && !asked.followsTurns) {
    const kept = await cache.get(cacheSlot(asked), allow === 'fresh' ? decision.cache.ttlMs : undefined);
    if (kept) {
      const origin: Origin = { step: 'cache', age_ms: kept.ageMs };
      return { text: kept.text, finishReason: kept.finishReason, origin };
    }
  }
  if (allow === 'fresh' || !decision.answer) return undefined;
  const { prompt, daoName, daoFacts, record } = asked;
  const dao = { id: record.daoId, name: daoName, facts: daoFacts };
  const text = knownAnswer(decision.answer, { prompt, dao, ...record.decision });
  return { text, finishReason: 'stop', origin: { step: 'database' } };
}

/** Writes the answer and tells the listeners. Undefined if the request has ended otherwise meanwhile. */
async function record(
  { requests, bus, log }: AnswersDependencies,
  input: AnswerWithoutModelInput,
  { record }: AskedQuestion,
  found: Found,
): Promise<AnswerWithoutModelResult | undefined> {
  const { requestId, daoId, attempts } = input;
  const { generation } = record;
  const timings = { ...record.timings, total: Date.now() - record.receivedAt.getTime() };
  const answer = { ...found, provider: null, usage: NO_USAGE, attempts, timings, generation };
  if (!(await requests.recordAnswer(requestId, daoId, answer))) return undefined;
  log(input).info({ origin: found.origin, timings_ms: timings }, 'answer recorded, no model was asked');
  const data = requestBody({ ...record, ...answer, status: 'completed', answer: found.text });
  bus.publish(requestId, { type: 'done', data, position: { generation, offset: found.text.length } });
  return { outcome: 'recorded', provider: null, usage: NO_USAGE, finishReason: found.finishReason };
}
