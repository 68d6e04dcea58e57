import type { RequestBody } from '../contracts/bodies.js';
import type { DagiClient } from './client.js';
import { toCliError } from './error-answer.js';
import { RequestEvents, type EventListener } from './request-events.js';

/** What is asked, as `POST /route` takes it. */
export interface Question {
  prompt: string;
  mode: 'chat';
  metadata: Readonly<Record<string, unknown>>;
}

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
  const events = new RequestEvents(client, hear, { signal });
  await events.read(client.events('POST', '/route', { body: question, signal }));
  const body = await events.toTheEnd();
  if (!body.ok) throw toCliError({ status: 500, body });
  return body;
}
