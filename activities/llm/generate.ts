import { ApplicationFailure } from '@temporalio/common';
import pRetry from 'p-retry';
import { type ChatMessage } from '../../src/contracts/chat.js';
import type { Attempt, GenerateInput, GenerateResult, Usage } from '../../src/contracts/request.js';
import type { LlmProvider } from '../../src/adapters/llm/provider.js';
import type { AnswerCacheRepository } from '../../src/adapters/store/answer-cache.repository.js';
import type { Answer, GenerationJob, RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { AppError } from '../../src/errors/app-error.js';
import { FAILURE_TYPES, Stopped, type Failure, type FailureType } from '../../src/contracts/failures.js';
import { requestBody } from '../../src/domain/bodies.js';
import { costOf, estimatedUsage } from '../../src/domain/cost.js';
import { buildMessages } from '../../src/domain/messages.js';
import { slowness } from '../../src/domain/slowness.js';
import { cacheSlot } from '../cache-slot.js';
import { endedEarlier } from '../ended-earlier.js';
import { toApplicationFailure } from '../failures.js';
import { requireOwnWorkflow } from '../own-workflow.js';
import { storeFailure } from '../store-failure.js';
import { stopSignal, type StopSignal } from './stop-signal.js';
import { TokenStream } from './token-stream.js';
import { Visit, workedFor, type Verdict, type VisitDependencies } from './visit.js';

export interface LlmDependencies extends VisitDependencies {
  requests: RequestsRepository;
  cache: AnswerCacheRepository;
  /** Most tokens of earlier turns that go to a model. */
  historyTokens: number;
}

export interface LlmActivities {
  /**
   * Calls one provider once, streams its tokens to the bus and records the answer before anybody is told that it is
   * complete. Waits for a place first where the provider bears only a few calls at once; until then nothing is claimed
   * or read. Repeating it after the answer was recorded buys nothing.
   * @throws ApplicationFailure of a type of the closed list
   */
  generate(input: GenerateInput): Promise<GenerateResult>;
}

/** An answer in hand, not yet recorded. */
interface Generated {
  finishReason: string;
  usage: Usage;
  ms: number;
}

/** What a call is made with: its end, its visit, and the endpoint that the visit was let in at. */
interface CallTerms {
  stop: StopSignal;
  visit: Visit;
  provider: LlmProvider;
}

export function createLlmActivities(deps: LlmDependencies): LlmActivities {
  return {
    async generate(input) {
      const { requestId, deadlineAt } = input;
      requireOwnWorkflow(requestId);
      const stop = stopSignal({ deadlineAt, onCancel: (listener) => deps.bus.onCancel(requestId, listener) });
      const visit = new Visit(deps, input, stop);
      try {
        const provider = await visit.enter();
        return await callAt(deps, input, { stop, visit, provider });
      } catch (error) {
        throw error instanceof ApplicationFailure ? error : failed(deps, input, error, false);
      } finally {
        await visit.leave();
        stop.dispose();
      }
    },
  };
}

/** The call, once the provider may be called. Only now is the request claimed, and its conversation read. */
async function callAt(deps: LlmDependencies, input: GenerateInput, under: CallTerms): Promise<GenerateResult> {
  const { requestId, daoId, attempts, step } = input;
  // No language of ours has more bytes a token; where turns are really cut is decided in tokens.
  const historyBytes = deps.historyTokens * 4;
  const claim = { provider: step.provider, attempts, historyBytes };
  const job = await storeFailure(() => deps.requests.claim(requestId, daoId, claim));
  if (job) return new Generation(deps, input, job, under).run();
  // It ended while this waited: whoever is next may have the place.
  await under.visit.leave();
  return endedEarlier(deps.bus, await storeFailure(() => deps.requests.find(requestId, daoId)));
}

/** One call to one provider, from the database to the database. */
class Generation {
  private readonly stream: TokenStream;
  private messages: ChatMessage[] = [];
  private readonly startedAt = Date.now();

  constructor(
    private readonly deps: LlmDependencies,
    private readonly input: GenerateInput,
    private readonly job: GenerationJob,
    private readonly under: CallTerms,
  ) {
    this.stream = new TokenStream(this.generation, (event) => {
      deps.bus.publish(input.requestId, event);
    });
  }

  private get generation(): number {
    return this.job.record.generation;
  }

  async run(): Promise<GenerateResult> {
    const { requestId, step } = this.input;
    const { stop, visit } = this.under;
    stop.limitCall(step.timeoutMs);
    try {
      this.deps.bus.publish(requestId, {
        type: 'attempt',
        data: { provider: step.provider, generation: this.generation },
        position: { generation: this.generation, offset: 0 },
      });
      const generated = await this.call(stop.signal).catch(async (error: unknown) => {
        this.stream.stop();
        await Promise.all([visit.leave(this.verdict(error)), this.chargeUnfinished()]);
        throw error;
      });
      // The place is free from here on: writing the answer down needs no model.
      const left = visit.leave({ about: 'answer' });
      const result = await this.record(generated);
      await left;
      return result;
    } catch (error) {
      throw failed(this.deps, this.input, error, this.stream.started, this.startedAt);
    } finally {
      this.stream.stop();
    }
  }

  private async call(signal: AbortSignal): Promise<Generated> {
    const { step } = this.input;
    // Stopped before it began: the provider is not to hear of it.
    signal.throwIfAborted();
    const { provider } = this.under;
    this.messages = buildMessages({
      ...this.job,
      roles: this.job.record.decision.roles,
      historyTokens: this.deps.historyTokens,
    });
    const sampling = this.deps.providers.sampling(step.provider);
    const call = { messages: this.messages, maxTokens: step.maxTokens, ...sampling, signal };
    const calledAt = Date.now();
    for await (const chunk of provider.generate(call)) {
      if (chunk.type === 'text') this.stream.push(chunk.text);
      else if (chunk.type === 'end') {
        this.stream.end();
        const { usage, finishReason } = chunk;
        return { finishReason, usage: this.priced(usage), ms: Date.now() - calledAt };
      }
    }
    throw new TypeError(`provider ${step.provider} ended without an end`);
  }

  private priced(usage: Usage): Usage {
    const { price } = this.input.step;
    return price ? { ...usage, cost_usd: costOf(usage, price) } : usage;
  }

  /** Text that somebody may have read is paid for, though its answer never came to its end. */
  private async chargeUnfinished(): Promise<void> {
    if (this.stream.started) await this.charge(this.priced(estimatedUsage(this.messages, this.stream.text)));
  }

  /** Counts what was used without an answer to show for it. Once, and it cannot fail the request. */
  private async charge(usage: Usage): Promise<void> {
    const { requestId, daoId, step } = this.input;
    const { provider } = step;
    const log = this.deps.log(this.input);
    try {
      await this.deps.requests.recordSpent(requestId, daoId, this.generation, { provider, usage });
      log.info({ provider, usage }, 'an answer that nobody gets whole is counted');
    } catch (error) {
      log.warn({ provider, usage, err: error }, 'what a call used could not be counted');
    }
  }

  /** What a call without an answer says about the provider. */
  private verdict(error: unknown): Verdict {
    const failure = failureOf(error);
    if (error instanceof Stopped) {
      const slow = this.slowness(failure);
      const ended = failure.type === 'ProviderTimeout';
      return { ...(slow ? { about: 'failure', failure: slow } : { about: 'nothing' }), served: true, ended, cut: true };
    }
    const served = workedFor(failure, this.stream.started);
    if (failure.type !== 'Internal') return { about: 'failure', failure, served, ended: true, cut: false };
    return { about: 'nothing', served: this.stream.started, ended: false, cut: false };
  }

  private slowness(failure: Failure): Failure | undefined {
    const { provider, timeoutMs } = this.input.step;
    // A timer may be a moment early; the limit is what the call was given.
    const hadMs = failure.type === 'ProviderTimeout' ? timeoutMs : Date.now() - this.startedAt;
    const ownLimitMs = this.deps.providers.timeoutMs(provider);
    return slowness({ failure, hadMs, ownLimitMs, textSeen: this.stream.started });
  }

  /** Writes the answer and tells the listeners. An answer in hand is paid for: until the deadline it is not given up. */
  private async record(generated: Generated): Promise<GenerateResult> {
    const { requestId, daoId, deadlineAt, step } = this.input;
    const { finishReason, usage } = generated;
    const record = this.job.record;
    const answer = this.answer(generated);
    const recorded = await pRetry(() => this.deps.requests.recordAnswer(requestId, daoId, answer), {
      signal: AbortSignal.timeout(Math.max(1_000, deadlineAt - Date.now())),
      retries: Number.MAX_SAFE_INTEGER,
      minTimeout: 100,
      maxTimeout: 2_000,
      shouldRetry: ({ error }) => error instanceof AppError && error.code === 'STORE_UNAVAILABLE',
    });
    if (!recorded) {
      await this.charge(usage);
      return endedEarlier(this.deps.bus, await this.deps.requests.find(requestId, daoId));
    }
    const body = requestBody({ ...record, ...answer, status: 'completed', answer: answer.text });
    const position = { generation: this.generation, offset: answer.text.length };
    this.deps.log(this.input).info({ provider: step.provider, usage, timings_ms: answer.timings }, 'answer recorded');
    this.deps.bus.publish(requestId, { type: 'done', data: body, position });
    await this.keep(answer);
    return { outcome: 'recorded', provider: step.provider, finishReason, usage };
  }

  private answer({ finishReason, usage, ms }: Generated): Answer & { provider: string } {
    const { attempts, scheduledAt, step } = this.input;
    const { record } = this.job;
    return {
      text: this.stream.text,
      finishReason,
      usage,
      provider: step.provider,
      origin: { step: 'provider' },
      attempts: [...attempts, { provider: step.provider, status: 'ok', ms } satisfies Attempt],
      timings: {
        ...record.timings,
        queue: Math.max(0, this.startedAt - scheduledAt),
        llm: ms,
        total: Date.now() - record.receivedAt.getTime(),
      },
      generation: this.generation,
    };
  }

  /** Keeps an answer for others who ask the same, if it depends on nothing else that was said. */
  private async keep({ text, provider, finishReason }: Answer & { provider: string }): Promise<void> {
    const { cache } = this.job.record.decision;
    if (!cache || finishReason !== 'stop' || this.job.inSession || this.job.history.length > 0) return;
    await this.deps.cache
      .put(cacheSlot(this.job), { text, provider, finishReason }, cache.maxEntries, this.input.requestId)
      .catch((error: unknown) => {
        this.deps.log(this.input).warn({ err: error }, 'an answer could not be kept for others');
      });
  }
}

/** After the first token these end the request: another provider's text cannot follow what a reader has seen. */
const CUTS_THE_STREAM: readonly FailureType[] = FAILURE_TYPES.filter(
  (type) => !['Cancelled', 'DeadlineExceeded', 'WorkerStopped', 'StoreUnavailable'].includes(type),
);

/** Translates whatever went wrong into the closed list. Half an answer that somebody may have seen is final. */
function failed(
  { log }: LlmDependencies,
  input: GenerateInput,
  error: unknown,
  textSeen: boolean,
  startedAt = input.scheduledAt,
): ApplicationFailure {
  const failure = failureOf(error);
  const type = textSeen && CUTS_THE_STREAM.includes(failure.type) ? 'StreamInterrupted' : failure.type;
  const told = { provider: input.step.provider, ms: Date.now() - startedAt };
  if (type === 'Cancelled') log(input).info(told, 'model call cancelled');
  else if (type === 'Internal') log(input).error({ ...told, err: error }, 'model call failed unexpectedly');
  else log(input).warn({ ...told, failure: type, err: error }, 'model call failed');
  return toApplicationFailure({ ...failure, type }, textSeen);
}

function failureOf(error: unknown): Failure {
  if (error instanceof Stopped) return error.failure;
  if (error instanceof Error && 'toFailure' in error && typeof error.toFailure === 'function') {
    return (error as Error & { toFailure(): Failure }).toFailure();
  }
  if (error instanceof AppError && error.code === 'STORE_UNAVAILABLE') {
    return { type: 'StoreUnavailable', message: error.message };
  }
  // Of the time limit of the write: the database was away for all that was left.
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return { type: 'DeadlineExceeded', message: 'the answer could not be written down in time' };
  }
  return { type: 'Internal', message: 'an unexpected error; the log has it' };
}
