import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { formatEventId, type PositionedEvent } from '../contracts/events.js';
import { errorBody, toAppError } from '../middleware/error.filter.js';

/** An idle stream shows that it is alive this often, in milliseconds. */
const KEEP_ALIVE_MS = 15_000;

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

const frame = (event: PositionedEvent): string =>
  `id: ${formatEventId(event.position)}\nevent: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`;

/** The last event of a stream that breaks. It has no id, so whoever follows again goes on where the stream was. */
const lastFrame = (id: string, error: unknown): string =>
  `event: error\ndata: ${JSON.stringify(errorBody(id, toAppError(error)))}\n\n`;

/**
 * Sends events as they come. A reader that goes away ends the iteration, nothing else: the request itself goes on and
 * can be followed again. A slow reader holds up only itself.
 */
export async function sendEvents(
  reply: FastifyReply,
  produce: (signal: AbortSignal) => AsyncIterable<PositionedEvent>,
): Promise<void> {
  const gone = new AbortController();
  const { raw } = reply;
  raw.once('close', () => {
    gone.abort();
  });
  // A reader who left before this does not leave again.
  if (raw.destroyed) gone.abort();
  const kept = Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
  reply.hijack();
  raw.writeHead(200, { ...kept, ...HEADERS });
  const alive = setInterval(() => raw.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
  try {
    for await (const event of produce(gone.signal)) {
      if (!raw.write(frame(event))) await once(raw, 'drain', { signal: gone.signal });
    }
  } catch (error) {
    if (gone.signal.aborted) return;
    raw.write(lastFrame(reply.request.id, error));
    throw error;
  } finally {
    clearInterval(alive);
    raw.end();
  }
}
