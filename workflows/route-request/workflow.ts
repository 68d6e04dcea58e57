import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  sleep,
  TimeoutFailure,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type {
  Attempt,
  GenerateResult,
  RouteRequestInput,
  RouteRequestResult,
  Usage,
} from '../../src/contracts/request.js';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.js';
import type { Failure } from '../../src/contracts/failures.js';
import { afterFailure, CHAIN_START } from '../../src/domain/chain.js';
import { failureOf } from '../shared/failure-of.js';
import { generateOn, recordFailure } from './calls.js';

/**
 * One routed request: walks the decided chain of providers until one answers, within the request's deadline.
 * Every ending is in the database before this closes. A request that ends without an answer ends this workflow as
 * failed (or cancelled), so that an operator finds it by its status.
 */
export async function routeRequest(input: RouteRequestInput): Promise<RouteRequestResult> {
  const attempts: Attempt[] = [];
  try {
    const result = await walkChain(input, attempts);
    if (result.outcome === 'superseded') {
      tell('superseded', attempts);
      return { status: result.status, attempts };
    }
    tell('completed', attempts, result);
    return { status: 'completed', provider: result.provider, usage: result.usage, attempts };
  } catch (error) {
    const failure = failureOf(error);
    await CancellationScope.nonCancellable(() => end(input, failure, attempts));
    if (failure.type === 'Cancelled') throw new CancelledFailure('the request was cancelled');
    throw ApplicationFailure.create({ type: failure.type, message: failure.message, nonRetryable: true });
  }
}

/** Calls providers in the order of the chain. `attempts` collects the failed ones. */
async function walkChain(input: RouteRequestInput, attempts: Attempt[]): Promise<GenerateResult> {
  const { requestId, daoId, actor, deadlineAt } = input;
  const { chain } = input.decision;
  for (let at = CHAIN_START; ;) {
    const step = chain[at.index];
    const scheduledAt = Date.now();
    const remainingMs = deadlineAt - scheduledAt;
    if (!step || remainingMs <= 0) throw deadlineExceeded();
    try {
      return await generateOn(
        step,
        remainingMs,
      )({
        requestId,
        daoId,
        actor,
        step,
        deadlineAt,
        scheduledAt,
        weight: input.decision.weight ?? 1,
        priority: 1,
        attempts,
      });
    } catch (error) {
      const failure = failureOf(error);
      attempts.push({ provider: step.provider, status: 'failed', ms: Date.now() - scheduledAt, error: failure.type });
      const leftMs = deadlineAt - Date.now();
      const next = afterFailure(chain, at, failure, leftMs);
      // Every timeout is cut at the deadline: then it was neither the queue nor the provider that was too slow.
      if (!next) throw leftMs <= 0 && isTimeout(error) ? deadlineExceeded() : error;
      if (next.delayMs > 0)
        await sleep(next.delayMs, { summary: `before attempt ${next.attempt} at ${step.provider}` });
      at = next;
    }
  }
}

async function end(input: RouteRequestInput, failure: Failure, attempts: Attempt[]): Promise<void> {
  const { requestId, daoId, actor } = input;
  const status = failure.type === 'Cancelled' ? 'cancelled' : 'failed';
  await recordFailure({ requestId, daoId, actor, status, failure, attempts });
  tell(status, attempts);
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

const isTimeout = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;

const deadlineExceeded = (): ApplicationFailure => {
  const failure: Failure = { type: 'DeadlineExceeded', message: 'the time for this request ran out' };
  return ApplicationFailure.create({ ...failure, nonRetryable: true, details: [failure] });
};
