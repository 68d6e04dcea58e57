import { isCancellation, upsertSearchAttributes } from '@temporalio/workflow';
import type {
  AnswerWithoutModelInput,
  Attempt,
  GenerateResult,
  RouteRequestInput,
  RouteRequestResult,
  Usage,
} from '../../src/contracts/request.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import { mayDegrade } from '../../src/domain/chain.js';
import { endWithout } from '../shared/ending.js';
import { failureOf } from '../shared/failure-of.js';
import { answerWithin } from './calls.js';
import { walkChain, type NoAnswer } from './walk.js';

/**
 * One routed request: an answer that is kept, else the decided chain of providers until one answers, else what is known
 * without any, within the request's deadline. Every ending is in the database before this closes. A request that ends
 * without an answer ends this workflow as failed (or cancelled), so that an operator finds it by its status.
 */
export async function routeRequest(input: RouteRequestInput): Promise<RouteRequestResult> {
  const attempts: Attempt[] = [];
  const ending = await answer(input, attempts).catch((error: unknown) => ({ failure: failureOf(error) }));
  if ('failure' in ending) {
    const { status, error } = await endWithout(input, ending.failure, attempts);
    tell(status, attempts);
    throw error;
  }
  if (ending.outcome === 'superseded') {
    tell('superseded', attempts);
    return { status: ending.status, attempts };
  }
  tell('completed', attempts, ending);
  return { status: 'completed', provider: ending.provider, usage: ending.usage, attempts };
}

/** The ladder, from the quickest step to the last one. `attempts` collects providers without an answer. */
async function answer(input: RouteRequestInput, attempts: Attempt[]): Promise<GenerateResult | NoAnswer> {
  const { decision } = input;
  const kept = decision.cache && (await withoutModel(input, attempts, 'fresh'));
  if (kept) return kept;
  const walked = await walkChain(input, attempts);
  if (!('failure' in walked) || !mayDegrade(decision, walked.failure, walked.textSeen)) return walked;
  return (await withoutModel(input, attempts, 'anything')) ?? walked;
}

/** What can be said without asking a provider, if anything. It may fail: then nothing can, and the request goes on. */
async function withoutModel(
  { requestId, daoId, actor, decision, deadlineAt }: RouteRequestInput,
  attempts: Attempt[],
  allow: AnswerWithoutModelInput['allow'],
): Promise<GenerateResult | undefined> {
  try {
    const answerWithoutModel = answerWithin(deadlineAt - Date.now());
    const result = await answerWithoutModel({ requestId, daoId, actor, decision, allow, attempts });
    return result.outcome === 'none' ? undefined : result;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return undefined;
  }
}

/** What an operator searches for, in the Temporal Web UI. */
function tell(outcome: string, attempts: Attempt[], result?: { provider: string | null; usage: Usage }): void {
  const asked = new Set([...attempts, ...(result ? [result] : [])].map(({ provider }) => provider));
  upsertSearchAttributes([
    { key: SEARCH_ATTRIBUTES.Outcome, value: outcome },
    { key: SEARCH_ATTRIBUTES.FallbackUsed, value: asked.size > 1 },
    ...(result
      ? [
          { key: SEARCH_ATTRIBUTES.Provider, value: result.provider ?? 'none' },
          { key: SEARCH_ATTRIBUTES.TokensTotal, value: result.usage.total_tokens },
        ]
      : []),
  ]);
}
