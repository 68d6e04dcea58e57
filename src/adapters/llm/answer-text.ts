import type { TokenLogprob } from '../../contracts/chat.js';
import { storable } from '../../contracts/text.js';
import type { GenerateChunk } from './provider.js';

type Fragment = Extract<GenerateChunk, { type: 'tool_call' }>;

/** A text in pieces, made storable. A surrogate pair may come in two pieces: the first half waits for what follows. */
class StorableText {
  private half = '';

  /** As much of the text as can be told now. */
  push(piece: string): string {
    const text = this.half + piece;
    this.half = /[\uD800-\uDBFF]$/.exec(text)?.[0] ?? '';
    return storable(text.slice(0, text.length - this.half.length));
  }

  /** What still waits when nothing follows. */
  rest(): string {
    const rest = storable(this.half);
    this.half = '';
    return rest;
  }
}

const storableLogprobs = (logprobs: TokenLogprob[]): TokenLogprob[] =>
  logprobs.map((one) => ({
    ...one,
    token: storable(one.token),
    top_logprobs: one.top_logprobs.map((other) => ({ ...other, token: storable(other.token) })),
  }));

/** The texts of one answer: what is said, what is thought, and the arguments of the call that is being told. */
class StorableAnswer {
  private readonly text = new StorableText();
  private readonly reasoning = new StorableText();
  private readonly given = new StorableText();
  private call = 0;

  *push(chunk: GenerateChunk): Generator<GenerateChunk> {
    if (chunk.type === 'text') yield* this.saying(chunk);
    else if (chunk.type === 'reasoning') {
      const text = this.reasoning.push(chunk.text);
      if (text !== '') yield { type: 'reasoning', text };
    } else if (chunk.type === 'tool_call') yield* this.calling(chunk);
    else {
      yield* this.rest();
      yield chunk;
    }
  }

  private *saying({ text: piece, logprobs }: Extract<GenerateChunk, { type: 'text' }>): Generator<GenerateChunk> {
    const text = this.text.push(piece);
    if (logprobs) yield { type: 'text', text, logprobs: storableLogprobs(logprobs) };
    else if (text !== '') yield { type: 'text', text };
  }

  private *calling({ type, index, id, name, arguments: piece }: Fragment): Generator<GenerateChunk> {
    if (index !== this.call) yield* this.restOfCall();
    this.call = index;
    const given = this.given.push(piece);
    const begins = id !== undefined && name !== undefined;
    if (begins) yield { type, index, id: storable(id), name: storable(name), arguments: given };
    else if (given !== '') yield { type, index, arguments: given };
  }

  private *restOfCall(): Generator<GenerateChunk> {
    const rest = this.given.rest();
    if (rest !== '') yield { type: 'tool_call', index: this.call, arguments: rest };
  }

  private *rest(): Generator<GenerateChunk> {
    const [reasoning, text] = [this.reasoning.rest(), this.text.rest()];
    if (reasoning !== '') yield { type: 'reasoning', text: reasoning };
    if (text !== '') yield { type: 'text', text };
    yield* this.restOfCall();
  }
}

/**
 * An answer whose texts the database can keep, so that what a reader sees is what is recorded. Calls of tools come in
 * order already.
 */
export async function* storableChunks(chunks: AsyncIterable<GenerateChunk>): AsyncGenerator<GenerateChunk> {
  const answer = new StorableAnswer();
  for await (const chunk of chunks) yield* answer.push(chunk);
}
