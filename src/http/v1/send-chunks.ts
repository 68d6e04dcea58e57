import type { FastifyReply } from 'fastify';
import type { PositionedEvent } from '../../contracts/events.js';
import { openAiError } from '../../errors/openai.js';
import { toAppError } from '../../middleware/error.filter.js';
import { SseStream, STREAM_LIMITS, type StreamLimits } from '../sse-stream.js';
import type { Chunks } from './chunks.js';
import { Unanswered, type Answer } from './outcome.js';

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

/** Where the chunks of a stream come from. */
export interface ChunkSource {
  produce(gone: AbortSignal): AsyncIterable<PositionedEvent>;
  /** What is answered where the events end and the request goes on. @throws Unanswered: nothing */
  unfinished(): Answer;
}

/**
 * Sends the events of a request as chunks. A failure before the stream is open is thrown; one after that is the last
 * thing on it. A reader that goes away ends it, without an error.
 * @throws Unanswered before the stream is open; and whatever else broke it, after it was told
 */
export async function sendChunks(
  reply: FastifyReply,
  chunks: Chunks,
  source: ChunkSource,
  limits: ChunkLimits = CHUNK_LIMITS,
): Promise<void> {
  const stream = new SseStream(reply, limits);
  const opening = setTimeout(() => {
    if (!stream.isOpen && !stream.gone.aborted) stream.open();
  }, limits.openMs);
  try {
    await sendAll(stream, chunks, source);
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

async function sendAll(stream: SseStream, chunks: Chunks, source: ChunkSource): Promise<void> {
  for await (const event of source.produce(stream.gone)) {
    if (event.type === 'attempt' && !stream.isOpen) stream.head(PROVIDER_HEADER, event.data.provider);
    await send(stream, chunks, chunks.of(event));
  }
  stream.gone.throwIfAborted();
  if (!chunks.ended) await send(stream, chunks, chunks.pause(source.unfinished()));
}

async function send(stream: SseStream, { ended }: Chunks, data: readonly object[]): Promise<void> {
  const frames = data.map(frame).join('');
  if (frames !== '') await stream.write(ended ? frames + DONE : frames);
}
