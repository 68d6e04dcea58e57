import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { toApplicationFailure } from '../../activities/failures.js';
import type { Activities } from '../../activities/index.js';
import type { Turned } from '../../src/contracts/crew-steps.js';
import type { FailureType } from '../../src/contracts/failures.js';
import type {
  AnswerWithoutModelInput,
  AnswerWithoutModelResult,
  GenerateInput,
  GenerateResult,
  RecordFailureInput,
  RequestStatus,
} from '../../src/contracts/request.js';

/** Activities of requests. */
export type RequestActivities = Pick<Activities, 'generate' | 'answerWithoutModel' | 'recordFailure'>;

/** What one call does. */
type Outcome<Input, Result> = (input: Input) => Promise<Result>;
export type Generation = Outcome<GenerateInput, Turned>;
export type Knowing = Outcome<AnswerWithoutModelInput, AnswerWithoutModelResult>;
export type Writing = Outcome<RecordFailureInput, undefined>;

/** A call as it arrived. */
interface Call<Input> {
  input: Input;
  /** Temporal's own count of attempts at this activity. */
  attempt: number;
  queue: string;
  local: boolean;
}

/** Outcomes in the order of the calls. A call too many fails for good, and so that the workflow ends. */
export class Script<Input, Result> {
  readonly calls: Call<Input>[] = [];
  private readonly name: string;
  private readonly outcomes: readonly Outcome<Input, Result>[];

  constructor(name: string, outcomes: readonly Outcome<Input, Result>[]) {
    this.name = name;
    this.outcomes = outcomes;
  }

  async play(input: Input): Promise<Result> {
    const { attempt, taskQueue, isLocal } = Context.current().info;
    const outcome = this.outcomes[this.calls.length];
    this.calls.push({ input, attempt, queue: taskQueue, local: isLocal });
    if (outcome) return outcome(input);
    throw ApplicationFailure.nonRetryable(`${this.name} was called ${this.calls.length} times`, 'ScriptRanOut');
  }

  /** @throws Error if a scripted call was not made, or another one was */
  assertPlayed(): void {
    const complaint = this.complaint();
    if (complaint) throw new Error(complaint);
  }

  /** What was not played as written, if anything. */
  complaint(): string | undefined {
    if (this.calls.length === this.outcomes.length) return undefined;
    return `${this.name}: ${this.outcomes.length} calls scripted, ${this.calls.length} made`;
  }
}

/** Activities whose every call was written down beforehand; a call that was not is an error. */
export class ScriptedActivities {
  readonly activities: RequestActivities;
  private readonly generate: Script<GenerateInput, GenerateResult>;
  private readonly answerWithoutModel: Script<AnswerWithoutModelInput, AnswerWithoutModelResult>;
  private readonly recordFailure: Script<RecordFailureInput, undefined>;
  private readonly held: HeldCall[];

  constructor(script: {
    generate?: (Generation | HeldCall)[];
    answerWithoutModel?: Knowing[];
    recordFailure?: Writing[];
  }) {
    const generations = script.generate ?? [];
    this.held = generations.filter((each) => each instanceof HeldCall);
    this.generate = new Script(
      'generate',
      generations.map((each) => (each instanceof HeldCall ? each.generation : each)),
    );
    this.answerWithoutModel = new Script('answerWithoutModel', script.answerWithoutModel ?? []);
    this.recordFailure = new Script('recordFailure', script.recordFailure ?? []);
    this.activities = {
      generate: (input) => this.generate.play(input),
      answerWithoutModel: (input) => this.answerWithoutModel.play(input),
      recordFailure: (input) => this.recordFailure.play(input),
    };
  }

  get generated(): readonly Call<GenerateInput>[] {
    return this.generate.calls;
  }

  /** Calls of `answerWithoutModel`. */
  get known(): readonly Call<AnswerWithoutModelInput>[] {
    return this.answerWithoutModel.calls;
  }

  get recorded(): readonly Call<RecordFailureInput>[] {
    return this.recordFailure.calls;
  }

  /** Names of the providers in the order in which they were called. */
  get providers(): string[] {
    return this.generated.map(({ input }) => input.step.provider);
  }

  /** Ends the calls that are still held: a worker waits for them when it stops. */
  release(): void {
    for (const call of this.held) call.end();
  }

  /** @throws Error if a scripted call was not made, or another one was */
  assertPlayed(): void {
    const scripts = [this.generate, this.answerWithoutModel, this.recordFailure];
    const complaints = scripts.map((script) => script.complaint()).filter(Boolean);
    if (complaints.length > 0) throw new Error(complaints.join('; '));
  }
}

/** The provider of the step answers. */
export const answer = (): Generation => async (input) => ({
  outcome: 'recorded',
  provider: input.step.provider,
  finishReason: 'stop',
  usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
});

/** It is known without a model. */
export const know = (): Knowing => async () => ({
  outcome: 'recorded',
  provider: null,
  finishReason: 'stop',
  usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
});

/** Nothing is known without a model. */
export const knowNothing = (): Knowing => async () => ({ outcome: 'none' });

/** The call fails as the real activity tells it. Fits all activities. */
export const fail =
  (type: FailureType, retryAfterMs?: number, { textSeen = false } = {}) =>
  async (): Promise<never> => {
    const failure = { type, message: `scripted ${type}`, ...(retryAfterMs ? { retryAfterMs } : {}) };
    throw toApplicationFailure(failure, textSeen);
  };

/** The call takes until the request's deadline, and fails then. */
export const failAtDeadline =
  (type: FailureType): Generation =>
  async (input) => {
    await sleep(input.deadlineAt - Date.now() + 1);
    return fail(type)();
  };

/** The request had ended before the call. */
export const endedEarlier =
  (status: RequestStatus): Generation =>
  async () => ({ outcome: 'superseded', status });

/** The end of the request is written down. */
export const write = (): Writing => async () => undefined;

/** A call that lasts until the test ends it, or has its ending. */
export class HeldCall {
  /** Resolves when the call has begun. */
  readonly begun: Promise<unknown>;
  /** Resolves when the call has heard that it is to stop. It goes on all the same. */
  readonly told: Promise<unknown>;
  readonly generation: Generation;
  private readonly ending = Promise.withResolvers<undefined>();

  /** @param options.silent as a worker that is lost: no heartbeat any more */
  constructor({ silent = false } = {}) {
    const begun = Promise.withResolvers<undefined>();
    const told = Promise.withResolvers<undefined>();
    this.begun = begun.promise;
    this.told = told.promise;
    this.generation = async () => {
      const context = Context.current();
      context.cancellationSignal.addEventListener('abort', () => told.resolve(undefined));
      const beat = silent ? undefined : setInterval(() => context.heartbeat(), 100);
      begun.resolve(undefined);
      await this.ending.promise;
      clearInterval(beat);
      return fail('Cancelled')();
    };
  }

  /** Ends the call, as cancelled. */
  end(): void {
    this.ending.resolve(undefined);
  }
}

/** Goes on until it is cancelled, as heartbeats tell, and then does what it is told. */
export const untilCancelled =
  <Input, Result>(then: Outcome<Input, Result>): Outcome<Input, Result> =>
  async (input) => {
    const context = Context.current();
    const beat = setInterval(() => {
      context.heartbeat();
    }, 50);
    await context.cancelled.catch(() => undefined);
    clearInterval(beat);
    return then(input);
  };
