import pRetry from 'p-retry';
import { isCancel, Stopped, type Failure } from '../../src/contracts/failures.js';
import type { Attempt, GenerateInput, GenerateResult, Usage } from '../../src/contracts/request.js';
import type { CallEnd, RunningCall } from '../../src/contracts/running-call.js';
import type { AnswerCacheRepository } from '../../src/adapters/store/answer-cache.repository.js';
import type {
  Answer,
  AskedQuestion,
  RequestRecord,
  RequestsRepository,
} from '../../src/adapters/store/requests.repository.js';
import type { InProcessTokenBus } from '../../src/adapters/token-bus/in-process-bus.js';
import { AppError } from '../../src/errors/app-error.js';
import { requestBody } from '../../src/domain/bodies.js';
import { estimatedUsage, priced } from '../../src/domain/cost.js';
import { slowness } from '../../src/domain/slowness.js';
import { cacheSlot } from '../cache-slot.js';
import { endedEarlier } from '../ended-earlier.js';
import type { ActivityLog } from '../log.js';
import { failed, failureOf } from './failed.js';
import type { ProviderAccess } from './provider-access.js';
import type { StopSignal } from '../stop-signal.js';
import { workedFor, type Verdict, type Visit } from './visit.js';

export interface GenerationDependencies {
  requests: RequestsRepository;
  cache: AnswerCacheRepository;
  providers: ProviderAccess;
  bus: InProcessTokenBus;
  log: ActivityLog;
}

/** What ends a call, and the visit that it is made in. */
export interface GenerationTerms {
  stop: StopSignal;
  visit: Visit;
}

/** A request that belongs to this run of a model. */
export interface Claimed {
  record: RequestRecord;
  /** Whether a call that began before took the row with it: it says `accepted` still. */
  early: boolean;
  /** What was asked, if the answer depends on nothing else that was said; then it may be kept for others. */
  question?: AskedQuestion;
}

/** A call of no length to speak of is never seen under way, in milliseconds. */
const SEEN_RUNNING_MS = 1_000;

/** One call to one provider, to its end and into the database. */
export class Generation {
  private readonly startedAt = Date.now();
  private call: RunningCall | undefined;

  constructor(
    private readonly deps: GenerationDependencies,
    private readonly input: GenerateInput,
    private readonly claimed: Claimed,
    private readonly terms: GenerationTerms,
  ) {}

  /** @param begin makes the call, or hands over one that runs; throws what keeps it from being made */
  async run(begin: () => RunningCall): Promise<GenerateResult> {
    const { visit } = this.terms;
    try {
      const end = await this.follow(begin).catch(async (error: unknown) => {
        await Promise.all([visit.leave(this.verdict(error)), this.chargeUnfinished(error)]);
        throw error;
      });
      // The place is free from here on: writing the answer down needs no model.
      const left = visit.leave({ about: 'answer' });
      const result = await this.record(end);
      await left;
      return result;
    } catch (error) {
      throw failed(this.deps.log, this.input, error, this.call?.seen ?? false, this.calledAt);
    }
  }

  private get generation(): number {
    return this.claimed.record.generation;
  }

  private get calledAt(): number {
    return this.call?.calledAt ?? this.startedAt;
  }

  /** Lets the readers have what is said, until the end or until something stops it. */
  private async follow(begin: () => RunningCall): Promise<CallEnd> {
    const { stop: limits } = this.terms;
    const { signal } = limits;
    const call = (this.call = begin());
    limits.limitCall(Math.max(0, this.input.step.timeoutMs - (Date.now() - call.calledAt)));
    const stop = (): void => {
      call.stop(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const showing = this.claimed.early ? setTimeout(() => void this.showRunning(), SEEN_RUNNING_MS) : undefined;
    call.release();
    try {
      return await call.ended;
    } finally {
      clearTimeout(showing);
      signal.removeEventListener('abort', stop);
    }
  }

  private async showRunning(): Promise<void> {
    const { requestId, daoId } = this.input;
    await this.deps.requests.markRunning(requestId, daoId).catch((error: unknown) => {
      this.deps.log(this.input).warn({ err: error }, 'a request that runs could not be marked so');
    });
  }

  private priced(usage: Usage): Usage {
    return priced(usage, this.input.step.price);
  }

  /**
   * Text that was bought is paid for, though its answer never came to its end; and so is a prompt whose caller went away
   * before the first word, since going away must not be cheaper than waiting.
   */
  private async chargeUnfinished(error: unknown): Promise<void> {
    const { call } = this;
    if (call && (call.said || (call.sent && isCancel(error))))
      await this.charge(this.priced(estimatedUsage(call, call.text, call.parts)));
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
    const said = this.call?.said ?? false;
    if (error instanceof Stopped) {
      const slow = this.slowness(failure, said);
      const ended = failure.type === 'ProviderTimeout';
      return { ...(slow ? { about: 'failure', failure: slow } : { about: 'nothing' }), served: true, ended, cut: true };
    }
    const served = workedFor(failure, said);
    if (failure.type !== 'Internal') return { about: 'failure', failure, served, ended: true, cut: false };
    return { about: 'nothing', served: said, ended: false, cut: false };
  }

  private slowness(failure: Failure, textSeen: boolean): Failure | undefined {
    const { provider, timeoutMs } = this.input.step;
    // A timer may be a moment early; the limit is what the call was given.
    const hadMs = failure.type === 'ProviderTimeout' ? timeoutMs : Date.now() - this.calledAt;
    return slowness({ failure, hadMs, ownLimitMs: this.deps.providers.timeoutMs(provider), textSeen });
  }

  /** Writes the answer and tells the listeners. An answer in hand is paid for: until the deadline it is not given up. */
  private async record(end: CallEnd): Promise<GenerateResult> {
    const { requestId, daoId, deadlineAt, step } = this.input;
    const answer = this.answer(end);
    const { finishReason, usage } = answer;
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
    const body = requestBody({ ...this.claimed.record, ...answer, status: 'completed', answer: answer.text });
    const position = { generation: this.generation, offset: answer.text.length };
    this.deps.log(this.input).info({ provider: step.provider, usage, timings_ms: answer.timings }, 'answer recorded');
    this.deps.bus.publish(requestId, { type: 'done', data: body, position });
    await this.keep(answer);
    return { outcome: 'recorded', provider: step.provider, finishReason, usage };
  }

  private answer({ finishReason, usage, ms }: CallEnd): Answer & { provider: string } {
    const { attempts, scheduledAt, step } = this.input;
    const { record } = this.claimed;
    const { text = '', parts = {} } = this.call ?? {};
    return {
      text,
      parts,
      finishReason,
      usage: this.priced(usage),
      provider: step.provider,
      origin: { step: 'provider' },
      attempts: [...attempts, { provider: step.provider, status: 'ok', ms } satisfies Attempt],
      timings: {
        ...record.timings,
        queue: Math.max(0, this.calledAt - scheduledAt),
        llm: ms,
        total: Date.now() - record.receivedAt.getTime(),
      },
      generation: this.generation,
    };
  }

  /** Keeps an answer for others who ask the same, if it depends on nothing else that was said. */
  private async keep({ text, provider, finishReason }: Answer & { provider: string }): Promise<void> {
    const { question, record } = this.claimed;
    const { cache } = record.decision;
    if (!cache || !question || finishReason !== 'stop') return;
    await this.deps.cache
      .put(cacheSlot(question), { text, provider, finishReason }, cache.maxEntries, this.input.requestId)
      .catch((error: unknown) => {
        this.deps.log(this.input).warn({ err: error }, 'an answer could not be kept for others');
      });
  }
}
