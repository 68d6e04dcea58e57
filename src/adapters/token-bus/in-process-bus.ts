import { LRUCache } from 'lru-cache';
import type { RequestBody } from '../../contracts/bodies.js';
import type { TokenLogprob } from '../../contracts/chat.js';
import type { EventPosition, PositionedEvent } from '../../contracts/events.js';
import { TurnMeter } from './turn-meter.js';

/** How long an ended request's events stay for readers that come back, and those of one that is silent. */
const KEEP_ENDED_MS = 60_000;
const KEEP_SILENT_MS = 900_000;
/** Most characters of one answer that are kept; a reader who is further behind is served from the record. */
const KEEP_CHARACTERS = 1_048_576;
/** Most requests whose events are kept, and most characters of all of them; the one that was silent longest goes first. */
const KEEP_REQUESTS = 10_000;
const KEEP_TOTAL_CHARACTERS = 32 * 1_048_576;
/** What an event weighs beside its text. */
const EVENT_CHARACTERS = 100;

/** How long a cancel holds for calls of the request that begin after it, and for how many requests, in milliseconds. */
const KEEP_CANCELLED_MS = 60_000;
const KEEP_CANCELLED = 10_000;

/** What a tool's result is taken to weigh: counting it would cost as much as sending it. */
const RESULT_CHARACTERS = 65_536;

const isEnd = (event: PositionedEvent): boolean => event.type === 'done' || event.type === 'error';

/** Characters of an event that are not the same in every one, roughly. */
function weightOf(event: PositionedEvent): number {
  switch (event.type) {
    case 'reasoning':
    case 'output':
      return event.data.text.length;
    case 'token':
      return event.data.text.length + weightOfLogprobs(event.data.logprobs);
    case 'tool_call':
      return event.data.arguments.length;
    case 'done':
      return weightOfBody(event.data);
    default:
      return 0;
  }
}

function weightOfBody(body: RequestBody): number {
  if (!body.ok || body.data === null) return 0;
  // What a tool gave is one object, which is served from the record again.
  if (body.mode !== 'chat') return RESULT_CHARACTERS;
  const { text, reasoning = '', tool_calls: calls = [], embeddings = [], logprobs } = body.data;
  const more = [reasoning, ...calls.map((call) => call.arguments), ...embeddings];
  return more.reduce((sum, part) => sum + part.length, text.length) + weightOfLogprobs(logprobs);
}

/** What a token with its probability weighs, and each that might have stood in its place. */
const LOGPROB_CHARACTERS = 60;

const weightOfLogprobs = (logprobs: readonly TokenLogprob[] = []): number =>
  logprobs.reduce((sum, { top_logprobs: others }) => sum + LOGPROB_CHARACTERS * (1 + others.length), 0);

/** Events of one request: a list that grows, readers with a cursor each, and a way to wait for more. */
class Channel {
  readonly events: PositionedEvent[] = [];
  ended = false;
  readers = 0;
  /** True once tokens were dropped: readers go on with the end event, and take the text from the record. */
  private overflowed = false;
  private characters = 0;
  private endCharacters = 0;
  /** Place of the newest event. */
  position: EventPosition = { generation: 0, offset: 0 };
  private readonly waiting = new Set<() => void>();

  /** Characters that this takes up, roughly. */
  get size(): number {
    const texts = Math.min(this.characters, KEEP_CHARACTERS) + this.endCharacters;
    return 1 + texts + this.events.length * EVENT_CHARACTERS;
  }

  push(event: PositionedEvent): void {
    // A run of the model that was taken for dead may still be speaking: nobody is to hear it beside its successor.
    if (this.ended || event.position.generation < this.position.generation) return;
    this.position = event.position;
    const weight = weightOf(event);
    if (event.type === 'crew') this.waitIsOver();
    if (!isEnd(event)) this.characters += weight;
    else this.endCharacters = weight;
    if (this.characters > KEEP_CHARACTERS) this.overflowed = true;
    else this.events.push(event);
    if (isEnd(event)) {
      this.ended = true;
      if (this.overflowed) this.events.push(event);
    }
    for (const wake of [...this.waiting]) wake();
  }

  /** What a run waited for before is no news to whoever comes later. */
  private waitIsOver(): void {
    this.events.forEach((event, index) => {
      if (event.type !== 'crew' || event.data.waits_for === null) return;
      this.events[index] = { ...event, data: { ...event.data, waits_for: null } };
    });
  }

  /** Whether something that came after an event tells more. */
  isOutdated({ type }: PositionedEvent, cursor: number): boolean {
    return type === 'turn' && cursor < this.events.length - 1;
  }

  /** Resolves at the next event, or when the signal is aborted. */
  more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.waiting.delete(wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
      if (signal.aborted) wake();
    });
  }
}

/**
 * Live events between the activity that generates and the callers that listen, within one process. An optimisation:
 * whatever it loses is served from the recorded request.
 */
export class InProcessTokenBus {
  private readonly channels = new LRUCache<string, Channel>({
    max: KEEP_REQUESTS,
    maxSize: KEEP_TOTAL_CHARACTERS,
    ttl: KEEP_SILENT_MS,
  });
  private readonly cancels = new Map<string, Set<() => void>>();
  private readonly cancelled = new LRUCache<string, true>({ max: KEEP_CANCELLED, ttl: KEEP_CANCELLED_MS });

  publish(requestId: string, event: PositionedEvent): void {
    const channel = this.channel(requestId);
    channel.push(event);
    // The cache weighs a value when it comes in, and not again when the same one is set.
    this.channels.delete(requestId);
    const ttl = channel.ended ? KEEP_ENDED_MS : KEEP_SILENT_MS;
    this.channels.set(requestId, channel, { size: channel.size, ttl });
  }

  /** Publishes the events of a model's call; of a step of a run, those who follow the run hear how far it is, too. */
  publisherOf(requestId: string): (event: PositionedEvent) => void {
    const meter = TurnMeter.of(this, requestId);
    return (event) => {
      this.publish(requestId, event);
      meter?.hear(event);
    };
  }

  /** Place of the newest event of a request, for one that is about no text; the beginning if there was none here. */
  position(requestId: string): EventPosition {
    return this.channels.peek(requestId)?.position ?? { generation: 0, offset: 0 };
  }

  /**
   * Events after a position, as they come, until the end event or the signal. All events of a generation that the
   * reader has not seen are sent; those of one that it has seen are sent from its offset on.
   */
  async *follow(
    requestId: string,
    after: EventPosition | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<PositionedEvent> {
    const channel = this.channel(requestId);
    channel.readers += 1;
    try {
      for (let cursor = 0; !signal.aborted; cursor += 1) {
        while (channel.events[cursor] === undefined && !channel.ended && !signal.aborted) await channel.more(signal);
        const event = channel.events[cursor];
        if (event === undefined) return;
        if (isNews(event, after) && !channel.isOutdated(event, cursor)) yield event;
        if (isEnd(event)) return;
      }
    } finally {
      channel.readers -= 1;
      // Nothing was ever published here: the request runs in another process.
      const unused = channel.readers === 0 && channel.events.length === 0;
      if (unused && this.channels.get(requestId) === channel) this.channels.delete(requestId);
    }
  }

  /** Stops the call of a request, if it runs in this process, or when it begins here. */
  cancel(requestId: string): void {
    this.cancelled.set(requestId, true);
    this.cancels.get(requestId)?.forEach((listener) => {
      listener();
    });
  }

  /** Calls the listener when the request is cancelled, at once if it was. Returns the way to stop listening. */
  onCancel(requestId: string, listener: () => void): () => void {
    if (this.cancelled.has(requestId)) listener();
    const listeners = this.cancels.get(requestId) ?? new Set();
    this.cancels.set(requestId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.cancels.delete(requestId);
    };
  }

  close(): void {
    this.channels.clear();
  }

  private channel(requestId: string): Channel {
    let channel = this.channels.get(requestId);
    if (!channel) this.channels.set(requestId, (channel = new Channel()), { size: channel.size });
    return channel;
  }
}

function isNews(event: PositionedEvent, after: EventPosition | undefined): boolean {
  if (!after || isEnd(event) || event.position.generation > after.generation) return true;
  // Where a request stands in a queue is news to a reader who has seen all of the text.
  if (event.type === 'queue') return event.position.generation === after.generation;
  return event.position.generation === after.generation && event.position.offset > after.offset;
}
