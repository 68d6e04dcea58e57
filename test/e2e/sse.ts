import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** An event as it came over the wire. */
export interface WireEvent {
  id: string | undefined;
  type: string | undefined;
  // Events of many shapes are matched by tests.
  data: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

/** Events of a stream, as they come. */
export async function* eventsOf(response: Response): AsyncGenerator<WireEvent> {
  const waiting: WireEvent[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }: EventSourceMessage) =>
      waiting.push({ id, type: event, data: JSON.parse(data) as unknown }),
  });
  const decoder = new TextDecoder();
  for await (const part of response.body ?? []) {
    parser.feed(decoder.decode(part as Uint8Array, { stream: true }));
    yield* waiting.splice(0);
  }
}

export async function allEvents(response: Response): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for await (const event of eventsOf(response)) events.push(event);
  return events;
}

/** The text that a reader has after these events: an `attempt` of a later run makes it start afresh. */
export function textOf(events: WireEvent[]): string {
  let text = '';
  for (const { type, data } of events as { type: string; data: { text: string } }[]) {
    if (type === 'attempt') text = '';
    if (type === 'token') text += data.text;
  }
  return text;
}
