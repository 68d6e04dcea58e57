import type { FastifyReply } from 'fastify';
import { formatEventId, type PositionedEvent } from '../contracts/events.js';
import { errorBody, toAppError } from '../middleware/error.filter.js';
import { SseStream, type StreamLimits } from './sse-stream.js';

const frame = (event: PositionedEvent): string =>
  `id: ${formatEventId(event.position)}\nevent: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`;

/** The last event of a stream that breaks. It has no id, so whoever follows again goes on where the stream was. */
const lastFrame = (id: string, error: unknown): string =>
  `event: error\ndata: ${JSON.stringify(errorBody(id, toAppError(error)))}\n\n`;

/**
 * Sends events as they come. A reader that goes away ends the iteration, nothing else: the request itself goes on and
 * can be followed again.
 */
export async function sendEvents(
  reply: FastifyReply,
  produce: (signal: AbortSignal) => AsyncIterable<PositionedEvent>,
  limits?: StreamLimits,
): Promise<void> {
  const stream = new SseStream(reply, limits);
  stream.open();
  try {
    for await (const event of produce(stream.gone)) await stream.write(frame(event));
  } catch (error) {
    if (stream.gone.aborted) return;
    reply.raw.write(lastFrame(reply.request.id, error));
    throw error;
  } finally {
    stream.end();
  }
}
