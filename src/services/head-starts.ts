import type { Logger } from 'pino';
import { Stopped } from '../contracts/failures.js';
import { requestFields } from '../contracts/log-fields.js';
import type { ProviderStates } from '../contracts/providers.js';
import type { GenerateInput, ProviderStep, RouteRequestInput, Usage } from '../contracts/request.js';
import { FIRST_GENERATION, type RunningCall } from '../contracts/running-call.js';
import { ProviderCall, type CallOrder } from '../adapters/llm/provider-call.js';
import type { LlmRegistry } from '../adapters/llm/registry.js';
import type { NewRequest, RequestRecord, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';
import { askable } from '../domain/chain.js';
import { estimatedUsage, priced } from '../domain/cost.js';
import { conversationOf, historyBytes } from '../domain/messages.js';

/** How long a call waits for the activity that is to take it over, once Temporal has accepted, in milliseconds. */
const ADOPT_WITHIN_MS = 10_000;

const NOT_WANTED = new Stopped({ type: 'WorkerStopped', message: 'nobody takes this call over' });
const CANCELLED = new Stopped({ type: 'Cancelled', message: 'cancelled' });

/** What head starts are made with. */
export interface HeadStartParts {
  requests: RequestsRepository;
  registry: LlmRegistry;
  states: ProviderStates;
  bus: InProcessTokenBus;
  log: Logger;
  /** What the profile says at the moment. */
  settings: () => { enabled: boolean; historyTokens: number };
}

/** A call that was begun beside the start of its request, and that nobody has taken over yet. */
interface Begun {
  input: RouteRequestInput;
  step: ProviderStep;
  record: RequestRecord;
  /** Undefined once it is known that there is none. */
  call: Promise<ProviderCall | undefined>;
  /** Aborted when the call is not wanted any more, with what stops it. */
  over: AbortController;
  forget: () => void;
  timer?: NodeJS.Timeout;
}

/**
 * Durability beside the model. The call to a model begins when access and route are decided, while its request is
 * written down and Temporal accepts it; what the model says is held back until then. The request's activity takes the
 * call over. One that nobody takes over is stopped, and counted. See docs/adr/0008.
 */
export class HeadStarts {
  private readonly begun = new Map<string, Begun>();

  constructor(private readonly parts: HeadStartParts) {}

  /**
   * The step whose call may begin beside the start: the first one that can be asked, if it need not queue, runs in this
   * process, and nothing may answer before it.
   */
  stepFor({ decision, skipped = [] }: RouteRequestInput): ProviderStep | undefined {
    const [step] = askable(decision.chain, skipped);
    if (!step || decision.cache !== undefined || !this.parts.settings().enabled) return undefined;
    const queues = step.shape === 'queue' || step.pool !== undefined;
    return queues || this.parts.registry.pool(step.provider) ? undefined : step;
  }

  /** Begins the call of a request whose row says so (`begunAt`). It fails nobody: what goes wrong is met on adoption. */
  begin(input: RouteRequestInput, row: NewRequest): void {
    const step = input.decision.chain.find(({ provider }) => provider === row.begunAt);
    if (!step) return;
    const over = new AbortController();
    const forget = this.parts.bus.onCancel(row.id, () => {
      over.abort(CANCELLED);
    });
    const call = this.callFor(step, row, over.signal).catch((error: unknown) => {
      this.parts.log.warn({ ...requestFields(input), err: error }, 'a call could not begin beside the start');
      return undefined;
    });
    this.begun.set(row.id, { input, step, record: recordOf(row), call, over, forget });
  }

  /**
   * Temporal has accepted the request.
   * @param here whether its workflow runs in this process, so that its activity most likely will: then readers may have
   * what is said; else it waits for the activity
   */
  async accepted(requestId: string, here: boolean): Promise<void> {
    const begun = this.begun.get(requestId);
    if (!begun) return;
    begun.timer = setTimeout(() => void this.discard(requestId), ADOPT_WITHIN_MS);
    const call = here ? await begun.call : undefined;
    if (!begun.over.signal.aborted) call?.release();
  }

  /** The request was not accepted: its call ends, and nobody hears of it. */
  async refused(requestId: string): Promise<void> {
    await this.discard(requestId);
  }

  /**
   * Hands the call of a request over to its activity, once. A call at another provider than the activity is to ask, or
   * one for a second attempt, is of no use.
   */
  async adopt(input: GenerateInput): Promise<{ call: RunningCall; record: RequestRecord } | undefined> {
    const { requestId, step, attempts } = input;
    const begun = this.begun.get(requestId);
    if (!begun) return undefined;
    const asked = attempts.some(({ status }) => status !== 'skipped');
    if (asked || begun.step.provider !== step.provider) {
      await this.discard(requestId);
      return undefined;
    }
    this.take(requestId, begun);
    const call = await begun.call;
    return call && { call, record: begun.record };
  }

  /** Stops what nobody has taken over: the process ends. */
  async close(): Promise<void> {
    await Promise.all([...this.begun.keys()].map((id) => this.discard(id)));
  }

  private async callFor(step: ProviderStep, row: NewRequest, over: AbortSignal): Promise<ProviderCall | undefined> {
    const { provider, maxTokens } = step;
    const { registry, states, bus } = this.parts;
    // One that rests, or is being tried after a rest, is the activity's business.
    if (await states.enter(provider, row.id)) return undefined;
    const messages = await this.messagesFor(row);
    if (!messages || over.aborted) {
      await states.abandoned(provider, row.id);
      return undefined;
    }
    const call = new ProviderCall({
      provider,
      endpoint: registry.get(provider),
      generation: FIRST_GENERATION,
      messages,
      call: row.call ?? null,
      limits: { maxTokens, ...registry.sampling(provider) },
      publish: (event) => {
        bus.publish(row.id, event);
      },
    });
    over.addEventListener('abort', () => {
      call.stop(over.reason as Error);
    });
    return call;
  }

  private async messagesFor(row: NewRequest): Promise<CallOrder['messages'] | undefined> {
    const { historyTokens } = this.parts.settings();
    const { daoId, actor, sessionId, receivedAt, decision, prompt } = row;
    const { roles } = decision;
    if (row.call) {
      return conversationOf(row.call, { daoName: '', daoFacts: {}, roles, history: [], prompt, historyTokens });
    }
    const turn = { daoId, actor, sessionId, receivedAt, historyBytes: historyBytes(historyTokens) };
    const background = await this.parts.requests.background(turn);
    return background && conversationOf(null, { ...background, roles, prompt, historyTokens });
  }

  private take(requestId: string, begun: Begun): void {
    this.begun.delete(requestId);
    clearTimeout(begun.timer);
    begun.forget();
  }

  /** Ends a call that nobody takes over, and counts what it said. */
  private async discard(requestId: string): Promise<void> {
    const begun = this.begun.get(requestId);
    if (!begun) return;
    this.take(requestId, begun);
    begun.over.abort(NOT_WANTED);
    const call = await begun.call;
    if (!call) return;
    const usage = await call.ended.then(
      (end) => end.usage,
      () => (call.said ? estimatedUsage(call.messages, call.text, call.parts) : undefined),
    );
    await this.parts.states.abandoned(begun.step.provider, requestId);
    if (usage) await this.charge(begun, priced(usage, begun.step.price));
  }

  private async charge({ input, step }: Begun, usage: Usage): Promise<void> {
    const { requestId, daoId } = input;
    const { provider } = step;
    const log = this.parts.log.child(requestFields(input));
    try {
      await this.parts.requests.recordSpent(requestId, daoId, FIRST_GENERATION, { provider, usage });
      log.warn({ provider, usage }, 'a call that nobody took over is counted');
    } catch (error) {
      log.warn({ provider, usage, err: error }, 'what a call used could not be counted');
    }
  }
}

/** The row as it stands when it has been written. */
const recordOf = (row: NewRequest): RequestRecord => ({
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
  parts: null,
});
