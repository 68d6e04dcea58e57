import type { CallOptions } from '../../contracts/chat.js';
import { storableChunks } from './answer-text.js';
import { orderedToolCalls } from './answer-tool-calls.js';
import { BrokenAnswer, NothingSaid } from './faults.js';
import type { GenerateChunk, ProviderError } from './provider.js';

export interface AnswerContext {
  signal: AbortSignal;
  /** Of the call, where a client's program reads the answer; absent: people read it. */
  options?: CallOptions | undefined;
  /** Translates whatever was thrown; itself throws the signal's reason. */
  translate: (error: unknown, textYielded: boolean) => ProviderError;
}

/**
 * An answer for people: without what the model thought, and never empty. White space before the first word is kept
 * back, so that an answer of nothing else can still fail as `EmptyAnswer`, and be tried elsewhere.
 */
async function* forPeople(chunks: AsyncIterable<GenerateChunk>): AsyncGenerator<GenerateChunk> {
  let heldBack = '';
  let said = false;
  for await (const chunk of chunks) {
    if (chunk.type === 'reasoning') continue;
    if (chunk.type === 'end' && !said) throw new NothingSaid(chunk.finishReason);
    if (chunk.type !== 'text') {
      said = true;
      yield chunk;
      continue;
    }
    const text = heldBack + chunk.text;
    heldBack = said || text.trim() !== '' ? '' : text;
    if (heldBack !== '' || text === '') continue;
    said = true;
    yield { ...chunk, text };
  }
}

/** Some endpoints say `stop` where they mean that their tools are to be called. */
const called = (end: GenerateChunk): GenerateChunk =>
  end.type === 'end' && end.finishReason === 'stop' ? { ...end, finishReason: 'tool_calls' } : end;

/**
 * Passes a raw answer on and holds it to the contract of `generate`: calls of tools one after the other, an end or a
 * failure, never a silent stop, and failures in our own words.
 */
export async function* heldToContract(
  chunks: AsyncIterable<GenerateChunk>,
  { signal, options, translate }: AnswerContext,
): AsyncGenerator<GenerateChunk, void, undefined> {
  const whole = storableChunks(orderedToolCalls(chunks));
  let yielded = false;
  let hasCalls = false;
  try {
    for await (const chunk of options === undefined ? forPeople(whole) : whole) {
      signal.throwIfAborted();
      if (chunk.type === 'end') {
        yield hasCalls ? called(chunk) : chunk;
        return;
      }
      hasCalls ||= chunk.type === 'tool_call';
      yielded = true;
      yield chunk;
    }
    // Libraries end quietly on an abort, and some when the connection does.
    throw new BrokenAnswer('ended early');
  } catch (error) {
    throw translate(error, yielded);
  }
}

const FINISH_REASONS = ['stop', 'length', 'content_filter', 'tool_calls', 'function_call'];

/** Only the conventional reasons pass: the word is stored and shown, so it must not be an endpoint's free text. */
export const finishReasonOf = (word: string | null | undefined): string =>
  word !== null && word !== undefined && FINISH_REASONS.includes(word) ? word : 'stop';
