import { setTimeout as sleep } from 'node:timers/promises';
import type { EventSourceMessage } from 'eventsource-parser/stream';
import type { RequestBody } from '../contracts/bodies.js';
import type { RequestEvent } from '../contracts/events.js';
import type { DagiClient } from './client.js';
import { CliError } from './failure.js';

export type EventListener = (event: RequestEvent) => void;

/** Who follows, where a gateway key says so, and when it is enough. */
export interface Following {
  as?: string | undefined;
  signal?: AbortSignal | undefined;
}

const RESUME_TRIES = 10;
const RESUME_PAUSE_MS = 1_000;

/** Reads the events of one request, over as many connections as it takes. */
export class RequestEvents {
  body: RequestBody | undefined;
  private lastEventId: string | undefined;
  /** Tries since the last event. */
  private tries = 0;

  constructor(
    private readonly client: DagiClient,
    private readonly hear: EventListener,
    private readonly following: Following = {},
    public requestId?: string,
  ) {}

  /** Hears what comes, until it ends or breaks off. */
  async read(messages: AsyncIterable<EventSourceMessage>): Promise<void> {
    for await (const message of messages) {
      this.tries = 0;
      this.lastEventId = message.id ?? this.lastEventId;
      const event = { type: message.event, data: JSON.parse(message.data) as unknown } as RequestEvent;
      if (event.type === 'route') this.requestId = event.data.request_id;
      if (event.type === 'done' || event.type === 'error') this.body = event.data;
      this.hear(event);
    }
  }

  /**
   * Takes the stream up where it broke off, also when the server was started again meanwhile.
   * @returns the body at the end, be it a failure
   * @throws CliError `STREAM_INTERRUPTED`
   */
  async toTheEnd(): Promise<RequestBody> {
    const { signal } = this.following;
    while (!this.body && this.requestId !== undefined && this.tries < RESUME_TRIES) {
      await sleep(RESUME_PAUSE_MS, undefined, signal ? { signal } : {});
      this.tries += 1;
      await this.connect(this.requestId);
    }
    if (!this.body) throw new CliError('STREAM_INTERRUPTED', 'The connection broke off and did not come back.');
    return this.body;
  }

  /** Reads what a request has told since the last event that was heard. */
  async connect(requestId: string): Promise<void> {
    const { as, signal } = this.following;
    const headers: Record<string, string> = this.lastEventId === undefined ? {} : { 'last-event-id': this.lastEventId };
    const user = as === undefined ? '' : `?user_id=${encodeURIComponent(as)}`;
    try {
      await this.read(this.client.events('GET', `/requests/${requestId}/events${user}`, { headers, signal }));
    } catch (error) {
      // The server may be starting again: that is worth another try.
      if (!(error instanceof CliError) || error.code !== 'UNREACHABLE') throw error;
    }
  }
}
