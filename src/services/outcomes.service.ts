import { setTimeout as sleep } from 'node:timers/promises';
import { chatDataOf, type RequestBody } from '../contracts/bodies.js';
import { isCrewWorkflow } from '../contracts/ids.js';
import { END_OFFSET, type EventPosition, type PositionedEvent } from '../contracts/events.js';
import type { CrewViewsRepository } from '../adapters/store/crew-views.repository.js';
import type { RequestRecord, RequestsRepository } from '../adapters/store/requests.repository.js';
import type { TemporalGateway } from '../adapters/temporal/gateway.js';
import type { InProcessTokenBus } from '../adapters/token-bus/in-process-bus.js';
import { orAborted } from '../adapters/or-aborted.js';
import { isFinal, requestBody } from '../domain/bodies.js';
import { AppError } from '../errors/app-error.js';
import type { Accepted } from './accepted.js';

/** How long a request that runs in this process is left to the bus before others are asked too, in milliseconds. */
const BUS_HEAD_START_MS = 2_000;
/** How often it is looked whether a run waits for people, in milliseconds. */
const LOOK_AT_RUN_MS = 2_000;
/** Between a step that has ended and the next one a run is at work, too: it is looked at twice, so many milliseconds apart. */
const LOOK_TWICE_MS = 300;
/** Pause before Temporal is asked again after it went away, in milliseconds. */
const ASK_AGAIN_MS = 500;

/** A request, and the DAO that it belongs to. */
type Placed = Pick<Accepted, 'requestId' | 'daoId'>;
type Followed = Placed & Pick<Accepted, 'here' | 'workflowId'> & Partial<Pick<Accepted, 'route'>>;

/** One question to Temporal about the end of a request, and how many wait for its answer. */
interface SharedQuestion {
  waiting: number;
  closed: Promise<void>;
  stop: AbortController;
}

/** How requests go on and end, for those who wait. The body is always the recorded one. */
export class OutcomesService {
  private readonly questions = new Map<string, SharedQuestion>();

  constructor(
    private readonly requests: RequestsRepository,
    private readonly temporal: TemporalGateway,
    private readonly bus: InProcessTokenBus,
    private readonly runs: Pick<CrewViewsRepository, 'waits'>,
  ) {}

  /** The body as it is now. */
  async body(request: Placed): Promise<RequestBody> {
    return requestBody(await this.record(request));
  }

  /** The final body, or the body so far if the signal comes before, or nothing goes on until people decide. */
  async wait(request: Followed, limit: AbortSignal): Promise<RequestBody> {
    const live = (signal: AbortSignal): AsyncGenerator<PositionedEvent> => this.live(request, undefined, signal);
    return this.bodyAfter(request, this.untilPeople(request, limit, live));
  }

  /** The final body, whatever people are asked meanwhile, or the body so far if the signal comes before. */
  end(request: Followed, limit: AbortSignal): Promise<RequestBody> {
    return this.bodyAfter(request, this.live(request, undefined, limit));
  }

  private async bodyAfter(request: Followed, events: AsyncGenerator<PositionedEvent>): Promise<RequestBody> {
    for await (const event of events) {
      if (event.type === 'done' || event.type === 'error') return event.data;
    }
    return this.body(request);
  }

  /** Events from the beginning to the end of the request, until the signal, or until nothing goes on until people decide. */
  eventsUntilPeople(request: Followed, signal: AbortSignal): AsyncGenerator<PositionedEvent> {
    return this.untilPeople(request, signal, (until) => this.events(request, undefined, until));
  }

  private async *untilPeople(
    request: Followed,
    signal: AbortSignal,
    follow: (signal: AbortSignal) => AsyncGenerator<PositionedEvent>,
  ): AsyncGenerator<PositionedEvent> {
    const enough = new AbortController();
    const either = AbortSignal.any([signal, enough.signal]);
    // Who is asked is told by the process that did the last step, which may be another one.
    if (isCrewWorkflow(request.workflowId)) {
      const stop = (): void => {
        enough.abort();
      };
      void this.untilItWaits(request, either).then(stop, stop);
    }
    try {
      for await (const event of follow(either)) {
        yield event;
        // What was decided a moment ago is still the last that the bus has heard of.
        if (event.type === 'crew' && event.data.waits_for !== null && (await this.waitsNow(request))) return;
      }
    } finally {
      enough.abort();
    }
  }

  /** Resolves when nothing of a run goes on until people decide; rejects with the signal. */
  private async untilItWaits({ requestId: runId, daoId, here }: Followed, signal: AbortSignal): Promise<void> {
    const waits = (): Promise<boolean> => this.waitsNow({ requestId: runId, daoId });
    // Nearly always the bus of this process has it first.
    if (here) await sleep(BUS_HEAD_START_MS, undefined, { signal });
    for (;;) {
      if (await waits()) {
        await sleep(LOOK_TWICE_MS, undefined, { signal });
        if (await waits()) return;
      }
      await sleep(LOOK_AT_RUN_MS, undefined, { signal });
    }
  }

  private waitsNow({ requestId: runId, daoId }: Placed): Promise<boolean> {
    return this.runs.waits({ runId, daoId }).catch(() => false);
  }

  /**
   * Events from a position on, to the end of the request or until the signal. Whatever the bus has lost is made up for
   * from the record.
   */
  async *events(
    request: Followed,
    after: EventPosition | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<PositionedEvent> {
    let seen = after;
    if (!after && request.route) yield request.route;
    for await (const event of this.live(request, after, signal)) {
      if (event.type === 'done' && event.data.ok) yield* missedTokens(event, seen);
      if (event.type === 'token' && leavesAGap(event.data.text, event.position, seen)) continue;
      yield event;
      seen = event.position;
    }
  }

  /** The bus's events, ended by whichever comes first: its own end event, or the recorded end. */
  private async *live(
    request: Followed,
    after: EventPosition | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<PositionedEvent> {
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const recorded = this.recordedEnd(request, either);
    const wake = (): void => {
      stop.abort();
    };
    void recorded.then(wake, wake);
    try {
      for await (const event of this.bus.follow(request.requestId, after, either)) {
        yield event;
        if (event.type === 'done' || event.type === 'error') return;
      }
      if (signal.aborted) return;
      const end = await recorded;
      if (end) yield end;
    } finally {
      stop.abort();
    }
  }

  /** The end event made from the record, once the request has ended. Undefined when the signal comes first. */
  private async recordedEnd(
    { requestId, daoId, workflowId, here }: Followed,
    signal: AbortSignal,
  ): Promise<PositionedEvent | undefined> {
    const pause = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal }).catch(() => undefined);
    if (here) await pause(BUS_HEAD_START_MS);
    for (let closed = false; !signal.aborted;) {
      const record = await this.record({ requestId, daoId }).catch(ignoreAway);
      if (record && isFinal(record.status)) return endEvent(record);
      // Closed without a recorded end: it was ended from outside, and the end is written down later.
      if (closed) await pause(ASK_AGAIN_MS);
      closed = await this.closed(workflowId, signal).then(
        () => true,
        () => pause(ASK_AGAIN_MS).then(() => false),
      );
    }
    return undefined;
  }

  /** Resolves when the workflow has closed. Each question is a long poll: all who wait for one request share one. */
  private async closed(workflowId: string, signal: AbortSignal): Promise<void> {
    const question = this.questions.get(workflowId) ?? this.ask(workflowId);
    question.waiting += 1;
    try {
      await orAborted(question.closed, signal);
    } finally {
      question.waiting -= 1;
      if (question.waiting === 0) {
        question.stop.abort();
        if (this.questions.get(workflowId) === question) this.questions.delete(workflowId);
      }
    }
  }

  private ask(workflowId: string): SharedQuestion {
    const stop = new AbortController();
    const closed = this.temporal.closed(workflowId, stop.signal);
    const question = { waiting: 0, closed, stop };
    this.questions.set(workflowId, question);
    // Answered or failed: whoever comes now asks anew.
    const forget = (): void => {
      if (this.questions.get(workflowId) === question) this.questions.delete(workflowId);
    };
    closed.then(forget, forget);
    return question;
  }

  private async record({ requestId, daoId }: Placed): Promise<RequestRecord> {
    const record = await this.requests.find(requestId, daoId);
    if (!record) throw new AppError('REQUEST_NOT_FOUND');
    return record;
  }
}

/** A database that is away is asked again; any other error is the caller's. */
function ignoreAway(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'STORE_UNAVAILABLE') return undefined;
  throw error;
}

function endEvent(record: RequestRecord): PositionedEvent {
  const offset = record.error ? END_OFFSET : (record.answer?.length ?? 0);
  const position = { generation: record.generation, offset };
  return { type: record.error ? 'error' : 'done', data: requestBody(record), position };
}

/** Whether the bus lost what comes before this text. Then it is kept back, and comes from the record at the end. */
function leavesAGap(text: string, { generation, offset }: EventPosition, seen: EventPosition | undefined): boolean {
  return offset - text.length > (seen?.generation === generation ? seen.offset : 0);
}

/** What a reader has not seen of a complete answer. One who saw another run of the model is told to start afresh. */
function* missedTokens(end: PositionedEvent, seen: EventPosition | undefined): Generator<PositionedEvent> {
  const data = end.type === 'done' && chatDataOf(end.data);
  if (!data || !end.data.ok) return;
  const { generation, offset } = end.position;
  const sameRun = seen?.generation === generation;
  const from = sameRun ? seen.offset : 0;
  if (from >= offset) return;
  const { text, reasoning } = data;
  if (!sameRun) {
    const position = { generation, offset: 0 };
    const data = { provider: end.data.provider ?? end.data.origin?.step ?? '', generation };
    yield { type: 'attempt', data, position };
    if (reasoning) yield { type: 'reasoning', data: { text: reasoning }, position };
  }
  yield { type: 'token', data: { text: text.slice(from) }, position: end.position };
}
