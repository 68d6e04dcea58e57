import { ApplicationFailure } from '@temporalio/common';
import type { Turned } from '../../src/contracts/crew-steps.js';
import type { GenerateInput, GenerateResult } from '../../src/contracts/request.js';
import type { RunningCall } from '../../src/contracts/running-call.js';
import type { CallOrder } from '../../src/adapters/llm/provider-call.js';
import type { LlmProvider } from '../../src/adapters/llm/provider.js';
import type { GenerationJob, RequestRecord } from '../../src/adapters/store/requests.repository.js';
import { isDemanding, lackOf } from '../../src/domain/abilities.js';
import { skipFailure } from '../../src/domain/chain.js';
import { conversationOf, historyBytes } from '../../src/domain/messages.js';
import { endedEarlier } from '../ended-earlier.js';
import { requireOwnWorkflow } from '../own-workflow.js';
import { storeFailure } from '../store-failure.js';
import { toApplicationFailure } from '../failures.js';
import { failed } from './failed.js';
import { Generation, type Claimed, type GenerationDependencies, type GenerationTerms } from './generation.js';
import { stopSignal } from '../stop-signal.js';
import { Visit, type VisitDependencies } from './visit.js';

/** A call that was begun beside the start of its request, and the row that it owns. */
export interface EarlyCall {
  call: RunningCall;
  record: RequestRecord;
}

/** Calls to providers: begun here, or before. */
export interface Calls {
  begin(order: CallOrder): RunningCall;
  /** The call that was begun for this request beside its start, once; undefined: there is none, or none for this. */
  adopt(input: GenerateInput): Promise<EarlyCall | undefined>;
}

export interface LlmDependencies extends VisitDependencies, GenerationDependencies {
  calls: Calls;
  /** Most tokens of earlier turns that go to a model. */
  historyTokens: number;
}

export interface LlmActivities {
  /**
   * Calls one provider once, or takes over the call that was begun beside the request's start, streams its tokens to the
   * bus and records the answer before anybody is told that it is complete. Waits for a place first where the provider
   * bears only a few calls at once; until then nothing is claimed or read. Repeating it after the answer was recorded
   * buys nothing.
   * @throws ApplicationFailure of a type of the closed list
   */
  generate(input: GenerateInput): Promise<Turned>;
}

export function createLlmActivities(deps: LlmDependencies): LlmActivities {
  return {
    async generate(input) {
      const { requestId, deadlineAt } = input;
      requireOwnWorkflow(requestId);
      const stop = stopSignal({ deadlineAt, onCancel: (listener) => deps.bus.onCancel(requestId, listener) });
      const visit = new Visit(deps, input, stop);
      try {
        const early = await deps.calls.adopt(input);
        if (early) return await takeOver(deps, input, { stop, visit }, early);
        return await callAt(deps, input, { stop, visit }, await visit.enter());
      } catch (error) {
        throw error instanceof ApplicationFailure ? error : failed(deps.log, input, error, false);
      } finally {
        await visit.leave();
        stop.dispose();
      }
    },
  };
}

/** Goes on with a call that was begun before: its row is claimed, its provider was asked whether it may be. */
function takeOver(
  deps: LlmDependencies,
  input: GenerateInput,
  terms: GenerationTerms,
  { call, record }: EarlyCall,
): Promise<GenerateResult> {
  terms.visit.enteredEarlier();
  return new Generation(deps, input, { record, early: true }, terms).run(() => call);
}

/** The call, once the provider may be called. Only now is the request claimed, and its conversation read. */
async function callAt(
  deps: LlmDependencies,
  input: GenerateInput,
  terms: GenerationTerms,
  endpoint: LlmProvider,
): Promise<GenerateResult> {
  const { requestId, daoId, attempts, step } = input;
  const claim = { provider: step.provider, attempts, historyBytes: historyBytes(deps.historyTokens) };
  const job = await storeFailure(() => deps.requests.claim(requestId, daoId, claim));
  if (job) {
    await requireAble(deps, input, job);
    return new Generation(deps, input, claimedFor(job), terms).run(() => {
      // Stopped before it began: the provider is not to hear of it.
      terms.stop.signal.throwIfAborted();
      return deps.calls.begin(orderOf(deps, input, job, endpoint));
    });
  }
  // It ended while this waited: whoever is next may have the place.
  await terms.visit.leave();
  return endedEarlier(deps.bus, await storeFailure(() => deps.requests.find(requestId, daoId)));
}

/** What a provider lacks was found out before; but not where the request was started again, or the model changed since. */
async function requireAble(
  { providers }: LlmDependencies,
  { step }: GenerateInput,
  { call }: GenerationJob,
): Promise<void> {
  if (!call || !isDemanding(call)) return;
  const facts = await providers.facts(step.provider);
  if (!facts || lackOf(facts, call) === undefined) return;
  throw toApplicationFailure(skipFailure({ provider: step.provider, reason: 'Unsupported', retryAfterMs: 0 }));
}

function claimedFor(job: GenerationJob): Claimed {
  const alone = !job.inSession && job.history.length === 0;
  return { record: job.record, early: false, ...(alone && { question: job }) };
}

function orderOf(deps: LlmDependencies, input: GenerateInput, job: GenerationJob, endpoint: LlmProvider): CallOrder {
  const { requestId, step } = input;
  const { provider, maxTokens } = step;
  const { record, call } = job;
  const { roles } = record.decision;
  return {
    provider,
    endpoint,
    generation: record.generation,
    messages: conversationOf(call, { ...job, roles, historyTokens: deps.historyTokens }),
    call,
    limits: { maxTokens, ...deps.providers.sampling(provider) },
    publish: deps.bus.publisherOf(requestId),
  };
}
