import { setTimeout as sleep } from 'node:timers/promises';
import type { EventSourceMessage } from 'eventsource-parser/stream';
import type { RequestBody } from '../contracts/bodies.js';
import type { RequestEvent } from '../contracts/events.js';
import type { DagiClient } from './client.js';
import { toCliError } from './error-answer.js';
import { CliError } from './failure.js';

/** What is asked, as `POST /route` takes it. */
export interface Question {
  prompt: string;
  mode: 'chat';
  metadata: Readonly<Record<string, unknown>>;
}

export type EventListener = (event: RequestEvent) => void;

const RESUME_TRIES = 10;
const RESUME_PAUSE_MS = 1_000;

/**
 * Asks and hears every event as it comes. A stream that breaks off is taken up where it broke, also when the server
 * was started again meanwhile.
 * @throws CliError when the request is refused or fails
 */
export async function ask(
  client: DagiClient,
  question: Question,
  hear: EventListener,
  signal?: AbortSignal,
): Promise<RequestBody> {
  const reader = new AnswerReader(hear);
  await reader.read(client.events('POST', '/route', { body: question, signal }));
  for (let tries = 0; !reader.body && reader.requestId !== undefined && tries < RESUME_TRIES; tries += 1) {
    await sleep(RESUME_PAUSE_MS, undefined, signal ? { signal } : {});
    await reader.resume(client, signal);
  }
  if (!reader.body) throw new CliError('STREAM_INTERRUPTED', 'The connection broke off and did not come back.');
  if (!reader.body.ok) throw toCliError({ status: 500, body: reader.body });
  return reader.body;
}

/** Reads the events of one request, over as many connections as it takes. */
class AnswerReader {
  body: RequestBody | undefined;
  requestId: string | undefined;
  private lastEventId: string | undefined;

  constructor(private readonly hear: EventListener) {}

  async read(messages: AsyncIterable<EventSourceMessage>): Promise<void> {
    for await (const message of messages) {
      this.lastEventId = message.id ?? this.lastEventId;
      const event = { type: message.event, data: JSON.parse(message.data) as unknown } as RequestEvent;
      if (event.type === 'route') this.requestId = event.data.request_id;
      if (event.type === 'done' || event.type === 'error') this.body = event.data;
      this.hear(event);
    }
  }

  async resume(client: DagiClient, signal: AbortSignal | undefined): Promise<void> {
    const headers: Record<string, string> = this.lastEventId === undefined ? {} : { 'last-event-id': this.lastEventId };
    const path = `/requests/${this.requestId ?? ''}/events`;
    try {
      await this.read(client.events('GET', path, { headers, signal }));
    } catch (error) {
      // The server may be starting again: that is worth another try.
      if (!(error instanceof CliError) || error.code !== 'UNREACHABLE') throw error;
    }
  }
}
