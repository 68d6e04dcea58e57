import { expect } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino, type Logger } from 'pino';
import { createLlmActivities, type Calls } from '../../activities/llm/generate.js';
import {
  ProviderError,
  type GenerateCall,
  type GenerateChunk,
  type LlmProvider,
} from '../../src/adapters/llm/provider.js';
import { ProviderCall } from '../../src/adapters/llm/provider-call.js';
import type { AnswerCacheRepository } from '../../src/adapters/store/answer-cache.repository.js';
import type { Answer, GenerationJob, RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import type { Spent } from '../../src/adapters/store/usage.repository.js';
import { InProcessTokenBus } from '../../src/adapters/token-bus/in-process-bus.js';
import type { ModelFacts } from '../../src/contracts/chat.js';
import type { Admission } from '../../src/contracts/admission.js';
import type { PositionedEvent } from '../../src/contracts/events.js';
import type { FailureType } from '../../src/contracts/failures.js';
import type { ProviderStates } from '../../src/contracts/providers.js';
import type { GenerateInput, GenerateResult, PoolPolicy, ProviderStep } from '../../src/contracts/request.js';
import { aRecord } from '../factories/requests.js';
import { strict } from '../factories/strict.js';

export const USAGE = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
export const text = (part: string): GenerateChunk => ({ type: 'text', text: part });
export const end: GenerateChunk = { type: 'end', finishReason: 'stop', usage: USAGE };

export const aJob = (changes: Partial<GenerationJob> = {}): GenerationJob => ({
  record: aRecord({ generation: 3 }),
  prompt: 'How long is a vote?',
  call: null,
  daoName: 'GreenFood DAO',
  daoFacts: { voting: 'Seven days.' },
  summary: null,
  inSession: true,
  history: [{ prompt: 'before', answer: 'yes' }],
  ...changes,
});

/** A call of the provider `fake`, wanted 40 ms ago after another provider had failed. */
export const asked = ({
  step,
  ...changes
}: Partial<Omit<GenerateInput, 'step'>> & { step?: Partial<ProviderStep> } = {}): GenerateInput => ({
  requestId: 'r1',
  daoId: 'greenfood-dao',
  actor: 'tg:12345',
  step: {
    provider: 'fake',
    shape: 'eager',
    queue: 'orchestrator',
    timeoutMs: 30_000,
    queueTimeoutMs: 5_000,
    maxTokens: 128,
    maxAttempts: 2,
    retryDelayMs: 1_000,
    ...step,
  },
  deadlineAt: Date.now() + 60_000,
  scheduledAt: Date.now() - 40,
  weight: 1,
  priority: 1,
  attempts: [{ provider: 'other', status: 'failed', ms: 9, error: 'RateLimited' }],
  ...changes,
});

/** What a provider does when it is called. */
export type Script = (call: GenerateCall) => AsyncIterable<GenerateChunk>;

export const says = (...chunks: GenerateChunk[]): Script =>
  async function* () {
    yield* chunks;
  };

export const fails = (error: unknown, ...chunks: GenerateChunk[]): Script =>
  async function* () {
    yield* chunks;
    throw error;
  };

export const refuses = (type: FailureType, ...chunks: GenerateChunk[]): Script =>
  fails(new ProviderError(type, 'why'), ...chunks);

/** Says something, then nothing until it is aborted; then does what providers promise. */
export const hangs = (...chunks: GenerateChunk[]): Script =>
  async function* ({ signal }) {
    yield* chunks;
    await new Promise((_resolve, reject) => {
      const abort = (): void => {
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
    });
  };

/** Parts beside the database that a test prepares; the others must not be asked. */
export interface StageParts {
  admission?: Partial<Admission>;
  states?: Partial<ProviderStates>;
  cache?: Partial<AnswerCacheRepository>;
  /** The pool of the configuration that the worker calls by, and its endpoint; absent: those that were decided. */
  pool?: () => PoolPolicy | undefined;
  provider?: () => LlmProvider;
  /** What is known of the model; absent: nothing. */
  facts?: ModelFacts;
  /** The call that was begun beside the start; absent: none was. */
  adopt?: Calls['adopt'];
}

/** The activity `generate` with one provider, and everything that it did in order. */
export class GenerationStage {
  environment: MockActivityEnvironment;
  /** The longest that the provider says a call of it takes, in milliseconds. */
  ownTimeoutMs = 30_000;
  readonly order: string[] = [];
  readonly events: PositionedEvent[] = [];
  readonly answers: Answer[] = [];
  /** What was counted of answers that nobody gets: the run, and what it used. */
  readonly spent: [number, Spent][] = [];
  readonly calls: GenerateCall[] = [];
  readonly logged: Record<string, unknown>[] = [];
  readonly bus = new InProcessTokenBus();

  constructor() {
    this.environment = GenerationStage.environmentOf('route/r1');
    const publish = this.bus.publish.bind(this.bus);
    this.bus.publish = (requestId, event) => {
      this.order.push(event.type);
      this.events.push(event);
      publish(requestId, event);
    };
  }

  static environmentOf(workflowId: string): MockActivityEnvironment {
    const workflowExecution = { workflowId, runId: 'run' };
    return new MockActivityEnvironment({ workflowExecution }, { logger: new DefaultLogger('ERROR') });
  }

  /** A database that lets the request be claimed. */
  claims(job: GenerationJob = aJob()): Partial<RequestsRepository> {
    return {
      claim: async () => {
        this.order.push('claimed');
        return job;
      },
      recordSpent: async (_id, _dao, generation, spent) => void this.spent.push([generation, spent]),
    };
  }

  /** A database that lets the request be claimed and answered. */
  writes(job?: GenerationJob): Partial<RequestsRepository> {
    return {
      ...this.claims(job),
      recordAnswer: async (_id, _dao, answer) => {
        this.order.push('recorded');
        this.answers.push(answer);
        return true;
      },
    };
  }

  /** A provider that may be asked; what is said about it afterwards is in the order. */
  private wellStates(): ProviderStates {
    const told = (what: string) => async (): Promise<undefined> => {
      this.order.push(what);
      return undefined;
    };
    return {
      unavailable: () => Promise.reject(new Error('states.unavailable was called unprepared')),
      isWell: () => Promise.reject(new Error('states.isWell was called unprepared')),
      enter: async () => undefined,
      succeeded: told('succeeded'),
      failed: async (_provider, failure) => void this.order.push(`failed ${failure.type}`),
      abandoned: told('abandoned'),
    };
  }

  run(
    requests: Partial<RequestsRepository>,
    script?: Script,
    input: GenerateInput = asked(),
    parts: StageParts = {},
  ): Promise<GenerateResult> {
    const call: LlmProvider['generate'] = (made) => {
      this.calls.push(made);
      made.onSent?.();
      return script!(made);
    };
    const provider = strict<LlmProvider>('provider', script ? { generate: call } : {});
    const { generate } = createLlmActivities({
      requests: strict<RequestsRepository>('requests', requests),
      providers: {
        get: parts.provider ?? (() => provider),
        pool: parts.pool ?? (() => input.step.pool),
        sampling: () => ({ temperature: 0.3, topP: 0.9 }),
        timeoutMs: () => this.ownTimeoutMs,
        facts: async () => parts.facts,
      },
      calls: { begin: (order) => new ProviderCall(order), adopt: parts.adopt ?? (async () => undefined) },
      states: { ...this.wellStates(), ...parts.states },
      admission: strict<Admission>('admission', parts.admission ?? {}),
      cache: strict<AnswerCacheRepository>('cache', parts.cache ?? {}),
      bus: this.bus,
      log: () => this.logger(),
      historyTokens: 1_000,
    });
    return this.environment.run(generate, input);
  }

  private logger(): Logger {
    const write = (line: string) => this.logged.push(JSON.parse(line) as Record<string, unknown>);
    return pino({ level: 'info' }, { write });
  }
}

/** The failure that crosses the activity boundary. */
export async function failure(running: Promise<unknown>): Promise<ApplicationFailure> {
  const thrown: unknown = await running.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(ApplicationFailure);
  return thrown as ApplicationFailure;
}

/** Longest that a condition is waited for; a test that fails must not turn for ever. */
const PATIENCE_NS = 8_000_000_000n;

/** Waits for a condition, by a clock that no fake timer stops. */
export async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = process.hrtime.bigint() + PATIENCE_NS;
  while (!condition()) {
    if (process.hrtime.bigint() > giveUpAt) throw new Error(`never came true: ${condition.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
