import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isCancel, Stopped, type Failure } from '../contracts/failures.js';
import { requestFields } from '../contracts/log-fields.js';
import type { ProviderStates } from '../contracts/providers.js';
import type { GenerateInput, ProviderStep, RouteRequestInput, Usage } from '../contracts/request.js';
import { FIRST_GENERATION, type RunningCall } from '../contracts/running-call.js';
import { ProviderCall, type CallOrder } from '../adapters/llm/provider-call.js';
import { ProviderError } from '../adapters/llm/provider.js';
import type { LlmRegistry } from '../adapters/llm/registry.js';
import type { NewRequest, RequestRecord, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { TemporalGateway } from '../adapters/temporal/gateway.js';
import type { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';
import { isFinal } from '../domain/bodies.js';
import { askable } from '../domain/chain.js';
import { estimatedUsage, priced } from '../domain/cost.js';
import { conversationOf, historyBytes } from '../domain/messages.js';

/** How long a call waits for the activity that is to take it over, once Temporal has accepted, in milliseconds. */
const ADOPT_WITHIN_MS = 5_000;
/** How often it is looked meanwhile whether another call has the request, in milliseconds. */
const LOOK_MS = 500;
/** How long an endpoint gets to see that its call was stopped, in milliseconds. */
const STOP_GRACE_MS = 2_000;
/** Turns of the event loop until `fetch` has written a request to its socket: 1 is too early, more gain nothing. */
const TURNS_TO_LEAVE = 2;
/** Pauses after starts that say that the next ones may fail, or run elsewhere, in milliseconds. */
const AFTER_REFUSAL_MS = 5_000;
const AFTER_QUEUED_MS = 1_000;
/** Most calls at once that began beside their start: fewer than activities have slots, so that each finds its own. */
const MOST_AT_ONCE = 200;

const NOT_WANTED = new Stopped({ type: 'WorkerStopped', message: 'nobody takes this call over' });
const CANCELLED: Failure = { type: 'Cancelled', message: 'cancelled' };

/** What head starts are made with. */
export interface HeadStartParts {
  requests: RequestsRepository;
  registry: LlmRegistry;
  states: ProviderStates;
  bus: InProcessTokenBus;
  temporal: Pick<TemporalGateway, 'isConnected'>;
  log: Logger;
  /** What the profile says at the moment. */
  settings: () => { enabled: boolean; historyTokens: number };
}

/** What of a row its call is made of. */
export type BegunRow = Omit<NewRequest, 'source' | 'agent' | 'metadata' | 'access' | 'tool' | 'run'> & {
  /** Of a step: the request of its run. */
  runId?: string;
};

/** A call that was begun beside the start of its request, and that nobody has taken over yet. */
interface Begun {
  input: RouteRequestInput;
  step: ProviderStep;
  record: RequestRecord;
  keyId: string;
  /** Resolves with nothing where no call is made after all. */
  call: Promise<ProviderCall | undefined>;
  /** Aborted when the call is not wanted any more, with what stops it. */
  over: AbortController;
  timers: NodeJS.Timeout[];
  /** Whether readers may have what is said. */
  released: boolean;
  forget: () => void;
}

/**
 * Durability beside the model. The call to a model begins when access and route are decided, while its request is
 * written down and Temporal accepts it; what the model says is held back until then. The request's activity takes the
 * call over. One that nobody takes over is stopped, and counted. See docs/adr/0008.
 */
export class HeadStarts {
  private readonly begun = new Map<string, Begun>();
  /** By the monotonic clock. */
  private pausedUntil = -Infinity;
  /** Calls that activities have taken over and that go on. */
  private adopted = 0;
  private emptied = (): void => undefined;

  constructor(private readonly parts: HeadStartParts) {}

  /**
   * The step whose call may begin beside the start: the first one that can be asked, if it need not queue, runs in this
   * process, and nothing may answer before it.
   */
  stepFor({ decision, skipped = [] }: RouteRequestInput): ProviderStep | undefined {
    const [step] = askable(decision.chain, skipped);
    if (!step || decision.cache !== undefined || !this.mayBegin) return undefined;
    if (this.begun.size + this.adopted >= MOST_AT_ONCE) return undefined;
    const queues = step.shape === 'queue' || step.pool !== undefined;
    return queues || this.parts.registry.pool(step.provider) ? undefined : step;
  }

  /**
   * Begins the call of a request whose row says so (`begunAt`). It fails nobody: what goes wrong is met on adoption.
   * Where nothing need be read for the call, resolves when it is on its way: what follows keeps this process busy, and
   * would hold it up.
   */
  async begin(input: RouteRequestInput, row: BegunRow): Promise<void> {
    const step = input.decision.chain.find(({ provider }) => provider === row.begunAt);
    if (!step || this.pausedUntil === Infinity) return;
    const over = new AbortController();
    const stop = (failure: Failure): void => {
      over.abort(new Stopped(failure));
    };
    const call = this.callFor(step, row, over.signal).catch((error: unknown) => {
      this.parts.log.warn({ ...requestFields(input), err: error }, 'a call could not begin beside the start');
      return undefined;
    });
    const forget = this.parts.bus.onCancel(row.id, () => {
      stop(CANCELLED);
    });
    const { keyId } = row;
    const begun: Begun = { input, step, keyId, record: recordOf(row), call, over, timers: [], released: false, forget };
    this.begun.set(row.id, begun);
    const leaving = this.leave(begun, stop);
    if (row.call) await leaving;
  }

  /**
   * Begins the call of a step of a crew that is written down: its run was accepted long ago, and the workflow of the run
   * hears of the step meanwhile. It fails nobody.
   */
  async beginStep(input: RouteRequestInput, row: BegunRow): Promise<void> {
    await this.begin(input, row);
    this.watch(row.id);
  }

  /** Gives the call up once it is clear that nobody takes it over. */
  private watch(requestId: string): void {
    const begun = this.begun.get(requestId);
    if (!begun) return;
    const until = performance.now() + ADOPT_WITHIN_MS;
    begun.timers.push(setInterval(() => void this.lookAfter(requestId, until), LOOK_MS));
  }

  private async leave(begun: Begun, stop: (failure: Failure) => void): Promise<void> {
    const { step, input } = begun;
    const made = await begun.call;
    // Its time runs from here. Whoever has taken it over by now sees to that.
    if (!made || this.begun.get(input.requestId) !== begun) return;
    begun.timers.push(setTimeout(stop, step.timeoutMs, tooSlow(step.timeoutMs)));
    for (let turns = 0; turns < TURNS_TO_LEAVE; turns += 1) await turn();
  }

  /**
   * Temporal has accepted the request.
   * @param here whether its workflow runs in this process, so that its activity most likely will: then readers may have
   * what is said; else it waits for the activity
   */
  async accepted(requestId: string, here: boolean): Promise<void> {
    if (!here) this.pause(AFTER_QUEUED_MS);
    const begun = this.begun.get(requestId);
    if (!begun) return;
    this.watch(requestId);
    const call = here ? await begun.call : undefined;
    if (!call || begun.over.signal.aborted) return;
    begun.released = true;
    call.release();
  }

  /**
   * The request is not accepted, or so it seems: its call ends, and nobody hears of it.
   * @returns false if there is none here any more: an activity has taken it over, so it was accepted
   */
  takeBack(requestId: string): boolean {
    const begun = this.begun.get(requestId);
    if (!begun) return false;
    void this.discard(begun);
    return true;
  }

  /** Temporal refused a start: the next one would most likely be bought for nothing too. */
  startFailed(): void {
    this.pause(AFTER_REFUSAL_MS);
  }

  /**
   * Hands the call of a request over to its activity, once. A call at another provider than the activity is to ask, or
   * one for a second attempt, is of no use.
   * @throws Stopped if it was cancelled before it was made
   */
  async adopt(input: GenerateInput): Promise<{ call: RunningCall; record: RequestRecord } | undefined> {
    const { requestId, step, attempts } = input;
    const begun = this.begun.get(requestId);
    if (!begun) return undefined;
    const asked = attempts.some(({ status }) => status !== 'skipped');
    if (asked || begun.step.provider !== step.provider) {
      void this.discard(begun);
      return undefined;
    }
    this.take(begun);
    const call = await begun.call;
    if (call) {
      this.countUntil(call.ended);
      return { call, record: begun.record };
    }
    // Cancelled before it was made: it must not be made now.
    begun.over.signal.throwIfAborted();
    return undefined;
  }

  /** No call begins any more. Resolves when those that did are taken over, or given up: activities must run till then. */
  async drain(): Promise<void> {
    this.pausedUntil = Infinity;
    if (this.begun.size > 0) await new Promise<void>((resolve) => (this.emptied = resolve));
  }

  /** Stops what nobody has taken over: the process ends. */
  async close(): Promise<void> {
    await Promise.all([...this.begun.values()].map((begun) => this.discard(begun)));
  }

  /** Whether calls begin beside starts at this moment. */
  get mayBegin(): boolean {
    return this.isUsable && performance.now() >= this.pausedUntil;
  }

  /** Not for a start that must fail. */
  private get isUsable(): boolean {
    return this.parts.settings().enabled && this.parts.temporal.isConnected;
  }

  private countUntil(ended: Promise<unknown>): void {
    this.adopted += 1;
    const over = (): void => {
      this.adopted -= 1;
    };
    ended.then(over, over);
  }

  private pause(ms: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, performance.now() + ms);
  }

  private async callFor(step: ProviderStep, row: BegunRow, over: AbortSignal): Promise<ProviderCall | undefined> {
    const { provider, maxTokens } = step;
    const { registry, states, bus } = this.parts;
    // The next call to one that failed is a probe, which is the activity's business.
    // Read before the row is written, which takes its turn at the database.
    const [isWell, messages] = await Promise.all([states.isWell(provider), this.messagesFor(row)]);
    // The profile may have changed meanwhile. From here on everything happens in one moment.
    if (!isWell || !messages || over.aborted || registry.pool(provider)) return undefined;
    const call = new ProviderCall({
      provider,
      endpoint: registry.get(provider),
      generation: FIRST_GENERATION,
      messages,
      call: row.call ?? null,
      limits: { maxTokens, ...registry.sampling(provider) },
      publish: bus.publisherOf(row.id),
    });
    over.addEventListener('abort', () => {
      call.stop(over.reason as Error);
    });
    return call;
  }

  private async messagesFor(row: BegunRow): Promise<CallOrder['messages'] | undefined> {
    const { historyTokens } = this.parts.settings();
    const { daoId, actor, sessionId, chat, receivedAt, decision, prompt } = row;
    const { roles } = decision;
    if (row.call) {
      return conversationOf(row.call, { daoName: '', daoFacts: {}, roles, history: [], prompt, historyTokens });
    }
    const turn = { daoId, actor, sessionId, chat, receivedAt, historyBytes: historyBytes(historyTokens) };
    const background = await this.parts.requests.background(turn);
    return background && conversationOf(null, { ...background, roles, prompt, historyTokens });
  }

  private take(begun: Begun): void {
    this.begun.delete(begun.input.requestId);
    if (this.begun.size === 0) this.emptied();
    for (const timer of begun.timers) clearTimeout(timer);
    begun.forget();
  }

  /** Gives up a call that has waited for too long, or whose request another call has claimed. */
  private async lookAfter(requestId: string, until: number): Promise<void> {
    const { daoId } = this.begun.get(requestId)?.input ?? {};
    if (daoId === undefined) return;
    const record = await this.parts.requests.find(requestId, daoId).catch(() => undefined);
    const begun = this.begun.get(requestId);
    if (!begun) return;
    const claimed = record !== undefined && (record.generation > FIRST_GENERATION || isFinal(record.status));
    const late = performance.now() >= until;
    // Activities come late: then the next calls had better wait for theirs. One that a reader sees already goes on.
    if (late) this.pause(AFTER_REFUSAL_MS);
    if (claimed || (late && !begun.released)) await this.discard(begun);
  }

  /** Ends a call that nobody takes over, tells how its provider did, and counts what it said. It cannot fail. */
  private async discard(begun: Begun): Promise<void> {
    this.take(begun);
    begun.over.abort(NOT_WANTED);
    const call = await begun.call;
    if (!call) return;
    // Going away before the first word must not be cheaper than waiting for it.
    const bought = (error: unknown): Usage | undefined =>
      call.said || (call.sent && isCancel(error)) ? estimatedUsage(call, call.text, call.parts) : undefined;
    const used = await Promise.race([
      call.ended.then(
        ({ usage }) => usage,
        (error: unknown) => this.reportFailure(begun, error).then(() => bought(error)),
      ),
      sleep(STOP_GRACE_MS, undefined, { ref: false }).then(() => bought(begun.over.signal.reason)),
    ]);
    if (used) await this.charge(begun, priced(used, begun.step.price));
  }

  private async reportFailure({ step, input }: Begun, error: unknown): Promise<void> {
    if (error instanceof ProviderError) {
      await this.parts.states.failed(step.provider, error.toFailure(), input.requestId);
    }
  }

  private async charge({ input, step, keyId, record }: Begun, usage: Usage): Promise<void> {
    const { requestId, daoId } = input;
    const { provider } = step;
    const { requests, log: whole } = this.parts;
    const log = whole.child(requestFields(input));
    const spent = { provider, usage };
    // A step's row is there for sure, and what it used is its run's too.
    const count = (): Promise<void> =>
      record.runId === null
        ? requests.recordUnwanted({ daoId, keyId }, spent)
        : requests.recordSpent(requestId, daoId, FIRST_GENERATION, spent);
    await count().then(
      () => {
        log.warn({ provider, usage }, 'a call that nobody took over is counted');
      },
      (error: unknown) => {
        log.error({ provider, usage, err: error }, 'what a call used could not be counted');
      },
    );
  }
}

const tooSlow = (ms: number): Failure => ({
  type: 'ProviderTimeout',
  message: `no complete answer within ${ms} ms`,
});

/** The row as it stands when it has been written. */
const recordOf = (row: BegunRow): RequestRecord => ({
  id: row.id,
  daoId: row.daoId,
  actor: row.actor,
  mode: row.mode,
  decision: row.decision,
  status: 'running',
  provider: row.begunAt ?? null,
  usage: null,
  attempts: [],
  timings: row.timings,
  error: null,
  generation: FIRST_GENERATION,
  bodyHash: row.idempotency?.bodyHash ?? null,
  receivedAt: row.receivedAt,
  deadlineAt: row.deadlineAt,
  answer: null,
  finishReason: null,
  origin: null,
  model: row.model ?? null,
  parts: null,
  result: null,
  runId: row.runId ?? null,
});
