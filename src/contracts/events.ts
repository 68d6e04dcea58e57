import type { RequestBody } from './bodies.js';
import type { TokenLogprob } from './chat.js';
import type { CrewProgress, TurnProgress } from './crew-steps.js';
import type { ToolOutput } from './devtools.js';

/**
 * Events of a request, as sent over SSE. `generation` counts runs of a model for one request (0 before the
 * first); `offset` counts the UTF-16 units of that run's text up to and including the event.
 */
export type RequestEvent =
  | {
      type: 'route';
      data: { request_id: string; workflow_id: string; mode: string; rule: string; providers: string[] };
    }
  /** Place in the queue of a provider that allows a bounded number of calls at once; sent again when it changes. */
  | { type: 'queue'; data: { provider: string; position: number; expected_wait_ms: number } }
  | { type: 'attempt'; data: { provider: string; generation: number } }
  | { type: 'token'; data: { text: string; logprobs?: TokenLogprob[] } }
  /** What a model thinks; of calls with the client's own conversation only. */
  | { type: 'reasoning'; data: { text: string } }
  /** A piece of a call of a tool: first `id` and `name`, then more `arguments`; one call after the other. */
  | { type: 'tool_call'; data: { index: number; id?: string; name?: string; arguments: string } }
  /** What a program of a tool prints while it runs. */
  | { type: 'output'; data: ToolOutput }
  /** Of a run of a crew: a task that stands otherwise than before, or at which something more is done. */
  | { type: 'crew'; data: CrewProgress }
  /** Of a run of a crew: how far a turn is, about once a second. */
  | { type: 'turn'; data: TurnProgress }
  | { type: 'done'; data: RequestBody }
  | { type: 'error'; data: RequestBody };

/** Offset of an `error` event: behind every text, so that a reader who comes back with its id gets nothing twice. */
export const END_OFFSET = 999_999_999;

export interface EventPosition {
  generation: number;
  offset: number;
}

/** An event with its place in the answer; the place is the event's `id` on the wire. */
export type PositionedEvent = RequestEvent & { position: EventPosition };

export const formatEventId = ({ generation, offset }: EventPosition): string => `${generation}-${offset}`;

/** The position behind a `Last-Event-ID`, or undefined if it is none of ours. */
export function parseEventId(id: string): EventPosition | undefined {
  const match = /^(\d{1,6})-(\d{1,9})$/.exec(id);
  return match ? { generation: Number(match[1]), offset: Number(match[2]) } : undefined;
}
