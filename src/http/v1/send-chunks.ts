import type { FastifyReply } from 'fastify';
import type { PositionedEvent } from '../../contracts/events.js';
import { AppError } from '../../errors/app-error.js';
import { openAiError } from '../../errors/openai.js';
import { toAppError } from '../../middleware/error.filter.js';
import { SseStream, STREAM_LIMITS, type StreamLimits } from '../sse-stream.js';
import type { Chunks } from './chunks.js';
import { Unanswered } from './outcome.js';

/** How long a stream of `/v1` may wait for what, in milliseconds. */
export interface ChunkLimits extends StreamLimits {
  /** It is opened by now even if there is nothing to tell; whatever fails before has a status of its own. */
  openMs: number;
}

export const CHUNK_LIMITS: ChunkLimits = { ...STREAM_LIMITS, openMs: 3_000 };

/** Who answers. A stream has it where it was opened by the first word, not before. */
export const PROVIDER_HEADER = 'x-dagi-provider';

const frame = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
const DONE = 'data: [DONE]\n\n';

/**
 * Sends the events of a request as chunks. A failure before the stream is open is thrown; one after that is the last
 * thing on it. A reader that goes away ends it, without an error.
 * @throws Unanswered before the stream is open; and whatever else broke it, after it was told
 */
export async function sendChunks(
  reply: FastifyReply,
  chunks: Chunks,
  produce: (gone: AbortSignal) => AsyncIterable<PositionedEvent>,
  limits: ChunkLimits = CHUNK_LIMITS,
): Promise<void> {
  const stream = new SseStream(reply, limits);
  const opening = setTimeout(() => {
    if (!stream.isOpen && !stream.gone.aborted) stream.open();
  }, limits.openMs);
  try {
    await sendAll(stream, chunks, produce(stream.gone));
  } catch (error) {
    if (stream.gone.aborted) return;
    if (!stream.isOpen) throw error;
    const known = error instanceof Unanswered ? error.error : toAppError(error);
    await stream.write(frame(openAiError(known).body)).catch(() => undefined);
    if (!(error instanceof Unanswered)) throw error;
  } finally {
    clearTimeout(opening);
    stream.end();
  }
}

async function sendAll(stream: SseStream, chunks: Chunks, events: AsyncIterable<PositionedEvent>): Promise<void> {
  for await (const event of events) {
    if (event.type === 'attempt' && !stream.isOpen) stream.head(PROVIDER_HEADER, event.data.provider);
    const frames = chunks.of(event).map(frame).join('');
    if (frames !== '') await stream.write(chunks.ended ? frames + DONE : frames);
  }
  stream.gone.throwIfAborted();
  // The events ended, the request did not: this process is stopping.
  if (!chunks.ended) throw new Unanswered(new AppError('SHUTTING_DOWN'));
}
