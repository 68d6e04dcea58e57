import { storable } from '../../contracts/text.js';
import { BrokenAnswer, NothingSaid } from './faults.js';
import type { GenerateChunk, ProviderError } from './provider.js';

export interface AnswerContext {
  signal: AbortSignal;
  /** Translates whatever was thrown; itself throws the signal's reason. */
  translate: (error: unknown, textYielded: boolean) => ProviderError;
}

/**
 * An answer whose text the database can keep, so that what a reader sees is what is recorded. A surrogate pair may come
 * in two pieces: the first half waits for what follows.
 */
async function* storableChunks(chunks: AsyncIterable<GenerateChunk>): AsyncGenerator<GenerateChunk> {
  let half = '';
  for await (const chunk of chunks) {
    if (chunk.type !== 'text') {
      if (half !== '') yield { type: 'text', text: storable(half) };
      half = '';
      yield chunk;
      continue;
    }
    const text = half + chunk.text;
    half = /[\uD800-\uDBFF]$/.exec(text)?.[0] ?? '';
    yield { type: 'text', text: storable(text.slice(0, text.length - half.length)) };
  }
}

/**
 * Passes a raw answer on and holds it to the contract of `generate`: an end or a failure, never a silent stop, and
 * failures in our own words. White space before the first word is kept back, so that an answer of nothing else can
 * still fail as `EmptyAnswer`, and be tried elsewhere.
 */
export async function* heldToContract(
  chunks: AsyncIterable<GenerateChunk>,
  { signal, translate }: AnswerContext,
): AsyncGenerator<GenerateChunk, void, undefined> {
  let heldBack = '';
  let textYielded = false;
  try {
    for await (const chunk of storableChunks(chunks)) {
      signal.throwIfAborted();
      if (chunk.type === 'end') {
        if (!textYielded) throw new NothingSaid(chunk.finishReason);
        yield chunk;
        return;
      }
      if (chunk.type !== 'text') continue;
      const text = heldBack + chunk.text;
      heldBack = textYielded || text.trim() !== '' ? '' : text;
      if (heldBack !== '' || text === '') continue;
      textYielded = true;
      yield { type: 'text', text };
    }
    // Libraries end quietly on an abort, and some when the connection does.
    throw new BrokenAnswer('ended early');
  } catch (error) {
    throw translate(error, textYielded);
  }
}

const FINISH_REASONS = ['stop', 'length', 'content_filter', 'tool_calls', 'function_call'];

/** Only the conventional reasons pass: the word is stored and shown, so it must not be an endpoint's free text. */
export const finishReasonOf = (word: string | null | undefined): string =>
  word !== null && word !== undefined && FINISH_REASONS.includes(word) ? word : 'stop';
