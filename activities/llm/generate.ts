import { ApplicationFailure } from '@temporalio/common';
import pRetry from 'p-retry';
import type { Attempt, GenerateInput, GenerateResult, Usage } from '../../src/contracts/request.js';
import type { LlmProvider } from '../../src/adapters/llm/provider.js';
import type { GenerationJob, RequestRecord, RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import type { InProcessTokenBus } from '../../src/adapters/token-bus/in-process-bus.js';
import { AppError } from '../../src/errors/app-error.js';
import { FAILURE_TYPES, type Failure, type FailureType } from '../../src/contracts/failures.js';
import { requestBody } from '../../src/domain/bodies.js';
import { buildMessages } from '../../src/domain/messages.js';
import { toApplicationFailure } from '../failures.js';
import type { ActivityLog } from '../log.js';
import { requireOwnWorkflow } from '../own-workflow.js';
import { storeFailure } from '../store-failure.js';
import { stopSignal, Stopped } from './stop-signal.js';
import { TokenStream } from './token-stream.js';

/** What the activity needs of a provider: the endpoint, and how it is to be asked. */
export interface ProviderAccess {
  get(name: string): LlmProvider;
  sampling(name: string): { temperature: number; topP: number };
}

export interface LlmDependencies {
  requests: RequestsRepository;
  providers: ProviderAccess;
  bus: InProcessTokenBus;
  log: ActivityLog;
  /** Most tokens of earlier turns that go to a model. */
  historyTokens: number;
}

export interface LlmActivities {
  /**
   * Calls one provider once, streams its tokens to the bus and records the answer before anybody is told that it is
   * complete. Repeating it after the answer was recorded buys nothing.
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

export function createLlmActivities(deps: LlmDependencies): LlmActivities {
  return {
    async generate(input) {
      const startedAt = Date.now();
      const { requestId, daoId, attempts } = input;
      requireOwnWorkflow(requestId);
      // No language of ours has more bytes a token; where turns are really cut is decided in tokens.
      const historyBytes = deps.historyTokens * 4;
      try {
        const job = await storeFailure(() => deps.requests.claim(requestId, daoId, attempts, historyBytes));
        if (job) return await new Generation(deps, input, job, startedAt).run();
        return endedEarlier(deps, await storeFailure(() => deps.requests.find(requestId)));
      } catch (error) {
        if (error instanceof ApplicationFailure) throw error;
        deps.log(input).error({ err: error }, 'model call failed unexpectedly');
        throw toApplicationFailure({ type: 'Internal', message: 'an unexpected error; the log has it' });
      }
    },
  };
}

/** The request had ended before this call: it was answered by an earlier run of this activity, or closed otherwise. */
function endedEarlier({ bus }: LlmDependencies, record: RequestRecord | undefined): GenerateResult {
  if (record && record.answer !== null) {
    // Whoever wrote it down may not have lived to say so.
    const position = { generation: record.generation, offset: record.answer.length };
    bus.publish(record.id, { type: 'done', data: requestBody(record), position });
  }
  if (record?.status !== 'completed' || !record.provider || !record.usage) {
    return { outcome: 'superseded', status: record?.status ?? 'failed' };
  }
  const { provider, usage, finishReason } = record;
  return { outcome: 'recorded', provider, usage, finishReason: finishReason ?? 'stop' };
}

/** One call to one provider, from the database to the database. */
class Generation {
  private readonly stream: TokenStream;

  constructor(
    private readonly deps: LlmDependencies,
    private readonly input: GenerateInput,
    private readonly job: GenerationJob,
    private readonly startedAt: number,
  ) {
    this.stream = new TokenStream(this.generation, (event) => {
      deps.bus.publish(input.requestId, event);
    });
  }

  private get generation(): number {
    return this.job.record.generation;
  }

  async run(): Promise<GenerateResult> {
    const { bus } = this.deps;
    const { requestId, step, deadlineAt } = this.input;
    const stop = stopSignal({
      timeoutMs: step.timeoutMs,
      deadlineAt,
      onCancel: (listener) => bus.onCancel(requestId, listener),
    });
    try {
      bus.publish(requestId, {
        type: 'attempt',
        data: { provider: step.provider, generation: this.generation },
        position: { generation: this.generation, offset: 0 },
      });
      const generated = await this.call(stop.signal);
      return await this.record(generated);
    } catch (error) {
      throw this.failed(error);
    } finally {
      this.stream.stop();
      stop.dispose();
    }
  }

  private async call(signal: AbortSignal): Promise<Generated> {
    const { step } = this.input;
    const provider = this.deps.providers.get(step.provider);
    const messages = buildMessages({
      ...this.job,
      roles: this.job.record.decision.roles,
      historyTokens: this.deps.historyTokens,
    });
    const sampling = this.deps.providers.sampling(step.provider);
    const calledAt = Date.now();
    for await (const chunk of provider.generate({ messages, maxTokens: step.maxTokens, ...sampling, signal })) {
      if (chunk.type === 'text') this.stream.push(chunk.text);
      else {
        this.stream.end();
        return { finishReason: chunk.finishReason, usage: chunk.usage, ms: Date.now() - calledAt };
      }
    }
    throw new TypeError(`provider ${step.provider} ended without an end`);
  }

  /** Writes the answer and tells the listeners. An answer in hand is paid for: until the deadline it is not given up. */
  private async record(generated: Generated): Promise<GenerateResult> {
    const { requestId, daoId, step, deadlineAt } = this.input;
    const { finishReason, usage, ms } = generated;
    const record = this.job.record;
    const answer = {
      text: this.stream.text,
      finishReason,
      usage,
      provider: step.provider,
      attempts: [...this.input.attempts, { provider: step.provider, status: 'ok', ms } satisfies Attempt],
      timings: {
        ...record.timings,
        queue: Math.max(0, this.startedAt - this.input.scheduledAt),
        llm: ms,
        total: Date.now() - record.receivedAt.getTime(),
      },
      generation: this.generation,
    };
    const recorded = await pRetry(() => this.deps.requests.recordAnswer(requestId, daoId, answer), {
      signal: AbortSignal.timeout(Math.max(1_000, deadlineAt - Date.now())),
      retries: Number.MAX_SAFE_INTEGER,
      minTimeout: 100,
      maxTimeout: 2_000,
      shouldRetry: ({ error }) => error instanceof AppError && error.code === 'STORE_UNAVAILABLE',
    });
    if (!recorded) return endedEarlier(this.deps, await this.deps.requests.find(requestId));
    const body = requestBody({ ...record, ...answer, status: 'completed', answer: answer.text });
    const position = { generation: this.generation, offset: answer.text.length };
    this.deps.log(this.input).info({ provider: step.provider, usage, timings_ms: answer.timings }, 'answer recorded');
    this.deps.bus.publish(requestId, { type: 'done', data: body, position });
    return { outcome: 'recorded', provider: step.provider, finishReason, usage };
  }

  /** Translates whatever went wrong into the closed list. Half an answer that somebody may have seen is final. */
  private failed(error: unknown): Error {
    const failure = failureOf(error);
    const type = this.stream.started && CUTS_THE_STREAM.includes(failure.type) ? 'StreamInterrupted' : failure.type;
    const ms = Date.now() - this.startedAt;
    this.deps
      .log(this.input)
      .warn({ provider: this.input.step.provider, failure: type, ms, err: error }, 'model call failed');
    return toApplicationFailure({ ...failure, type });
  }
}

/** After the first token these end the request: another provider's text cannot follow what a reader has seen. */
const CUTS_THE_STREAM: readonly FailureType[] = FAILURE_TYPES.filter(
  (type) => !['Cancelled', 'DeadlineExceeded', 'WorkerStopped', 'StoreUnavailable'].includes(type),
);

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
