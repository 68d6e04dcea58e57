import { ActivityFailure, sleep, TimeoutFailure } from '@temporalio/workflow';
import type { Failure } from '../../src/contracts/failures.js';
import type { Turned } from '../../src/contracts/crew-steps.js';
import {
  MODE_PRIORITY,
  type Attempt,
  type Decision,
  type GenerateInput,
  type ProviderStep,
  type RouteRequestInput,
} from '../../src/contracts/request.js';
import {
  afterFailure,
  askable,
  attemptOf,
  CHAIN_START,
  endsTheChain,
  finalFailure,
  passedOver,
  skipFailure,
  type ChainPosition,
} from '../../src/domain/chain.js';
import { failureOf, textSeen } from '../shared/failure-of.js';
import { generateOn } from './calls.js';

/** A chain that led to no answer. */
export interface NoAnswer {
  failure: Failure;
  /** Whether somebody may have seen a part of one. */
  textSeen: boolean;
}

const OUT_OF_TIME: NoAnswer = {
  failure: { type: 'DeadlineExceeded', message: 'the time for this request ran out' },
  textSeen: false,
};

/**
 * Calls the providers that can be asked in the order of the chain.
 * @param attempts collects those without an answer
 * @param label what operators read of each call; absent: nothing
 */
export async function walkChain(
  input: RouteRequestInput,
  attempts: Attempt[],
  label?: string,
): Promise<Turned | NoAnswer> {
  const chain = askable(input.decision.chain, input.skipped ?? []);
  const failures: Failure[] = [];
  for (let at: ChainPosition | undefined = CHAIN_START; at;) {
    const step = chain[at.index];
    failures.push(...passOver(input, attempts, step));
    const scheduledAt = Date.now();
    const remainingMs = input.deadlineAt - scheduledAt;
    if (remainingMs <= 0) return OUT_OF_TIME;
    if (!step) break;
    try {
      return await callOf(input, step, remainingMs, label)(inputFor(input, step, scheduledAt, attempts));
    } catch (error) {
      const failure = failureOf(error);
      failures.push(failure);
      attempts.push(attemptOf(step.provider, failure, Date.now() - scheduledAt));
      const leftMs = input.deadlineAt - Date.now();
      // Every timeout is cut at the deadline: then it was neither the queue nor the provider that was too slow.
      if (leftMs <= 0 && isTimeout(error)) return OUT_OF_TIME;
      if (endsTheChain(failure)) return { failure, textSeen: textSeen(error) };
      const next = afterFailure(chain, at, failure, leftMs);
      if (next && next.delayMs > 0)
        await sleep(next.delayMs, { summary: `before attempt ${next.attempt} at ${step.provider}` });
      at = next;
    }
  }
  failures.push(...passOver(input, attempts));
  return { failure: finalFailure(failures), textSeen: false };
}

/** Tells of the providers that are passed over on the way to a step, or to the end. */
function passOver({ decision, skipped = [] }: RouteRequestInput, attempts: Attempt[], step?: ProviderStep): Failure[] {
  return passedOver(decision.chain, skipped, attempts, step).map((away) => {
    const failure = skipFailure(away);
    attempts.push(attemptOf(away.provider, failure, 0));
    return failure;
  });
}

const callOf = (
  { decision }: RouteRequestInput,
  step: ProviderStep,
  remainingMs: number,
  label: string | undefined,
): ReturnType<typeof generateOn> =>
  generateOn(step, remainingMs, { priority: priorityOf(decision), weight: decision.weight, label });

function inputFor(
  { requestId, daoId, actor, deadlineAt, decision }: RouteRequestInput,
  step: ProviderStep,
  scheduledAt: number,
  attempts: Attempt[],
): GenerateInput {
  const { weight = 1 } = decision;
  const priority = priorityOf(decision);
  return { requestId, daoId, actor, step, deadlineAt, scheduledAt, weight, priority, attempts };
}

const priorityOf = ({ priority, mode }: Decision): number => priority ?? MODE_PRIORITY[mode];

const isTimeout = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
