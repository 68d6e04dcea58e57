import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { WireBody } from './harness.js';

/** An event as it came over the wire. */
export interface WireEvent {
  id: string | undefined;
  type: string | undefined;
  data: WireBody & { text: string };
}

/** Events of a stream, as they come. */
export async function* eventsOf(response: Response): AsyncGenerator<WireEvent> {
  const waiting: WireEvent[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }: EventSourceMessage) =>
      waiting.push({ id, type: event, data: JSON.parse(data) as WireEvent['data'] }),
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
  for (const { type, data } of events) {
    if (type === 'attempt') text = '';
    if (type === 'token') text += data.text;
  }
  return text;
}

/** The same events with neighbouring tokens joined: how a text is cut into pieces is nobody's business. */
export function joined(events: WireEvent[]): WireEvent[] {
  const result: WireEvent[] = [];
  for (const event of events) {
    const last = result.at(-1);
    if (event.type === 'token' && last?.type === 'token') {
      result.splice(-1, 1, { ...event, data: { ...event.data, text: last.data.text + event.data.text } });
    } else result.push(event);
  }
  return result;
}
