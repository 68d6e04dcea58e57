import type { ChatData } from '../../contracts/bodies.js';
import type { ToolCall } from '../../contracts/chat.js';
import { AppError } from '../../errors/app-error.js';
import type { ChatForm, Head } from './chat-answer.js';
import type { ChunkForm } from './chunks.js';
import { finishReasonOf, Unanswered, type Answer } from './outcome.js';

/** A piece of a call of a tool. */
interface Piece {
  index: number;
  id?: string;
  name?: string;
  arguments: string;
}

/**
 * What was told of the calls of tools. They are told one after the other, each begun with its id and name, since clients
 * merge a piece into the last call that they know. What was lost on the way comes from the record at the end.
 */
class ToldCalls {
  private readonly told: string[] = [];
  private gap = false;

  /** The piece, if it is the next one; else nothing. */
  next(piece: Piece): Piece[] {
    const { index, arguments: text } = piece;
    const begins = piece.id !== undefined && index === this.told.length;
    const goesOn = index >= 0 && index === this.told.length - 1;
    if (this.gap || !(begins || goesOn)) {
      this.gap = true;
      return [];
    }
    this.told[index] = (this.told[index] ?? '') + text;
    return [begins ? piece : { index, arguments: text }];
  }

  /**
   * What is lacking of the recorded calls.
   * @throws Unanswered where what was told is not how they begin
   */
  rest(calls: readonly ToolCall[]): Piece[] {
    const fits = this.told.every((text, index) => calls[index]?.arguments.startsWith(text));
    const older = calls.slice(0, Math.max(0, this.told.length - 1));
    if (!fits || older.some((call, index) => call.arguments !== this.told[index])) {
      throw new Unanswered(new AppError('STREAM_INTERRUPTED'));
    }
    return calls.flatMap((call, index): Piece[] => {
      const told = this.told[index];
      if (told === undefined) return [{ index, ...call }];
      return told === call.arguments ? [] : [{ index, arguments: call.arguments.slice(told.length) }];
    });
  }
}

/** Chunks of `/v1/chat/completions`. */
export class ChatChunks implements ChunkForm {
  private readonly calls = new ToldCalls();
  /** What was told at all: a reader who joins late, or reads from the record, has the text alone from the events. */
  private readonly told = { text: false, reasoning: false, logprobs: false };

  constructor(
    private readonly head: Head,
    private readonly form: ChatForm,
  ) {}

  first(): object[] {
    return [this.chunk({ role: 'assistant', content: '' })];
  }

  token({ text, logprobs }: { text: string; logprobs?: object[] }): object[] {
    this.told.text = true;
    this.told.logprobs ||= logprobs !== undefined;
    return [this.chunk({ content: text }, null, logprobs)];
  }

  reasoning({ text }: { text: string }): object[] {
    this.told.reasoning = true;
    return [this.chunk({ reasoning_content: text })];
  }

  toolCall(piece: Piece): object[] {
    return this.calls.next(piece).flatMap((next) => this.pieceOf(next));
  }

  last({ data }: Answer): object[] {
    const rest = this.calls.rest(data.tool_calls ?? []).flatMap((piece) => this.pieceOf(piece));
    return [...this.untold(data), ...rest, this.chunk({}, finishReasonOf(data, this.form.functions))];
  }

  /** What of the record goes before the calls of tools, and was not told at all. */
  private untold({ text, reasoning = '', logprobs }: ChatData): object[] {
    const { told } = this;
    const thought = told.reasoning || reasoning === '' ? [] : this.reasoning({ text: reasoning });
    if (told.logprobs || !logprobs) return thought;
    // Where the text was told without its probabilities, they follow alone.
    return [...thought, ...this.token({ text: told.text ? '' : text, logprobs })];
  }

  usage(usage: object): object {
    return { ...this.base(), choices: [], usage };
  }

  private pieceOf({ index, id, name, arguments: text }: Piece): object[] {
    const called = { ...(name !== undefined && { name }), arguments: text };
    if (!this.form.functions) {
      const begun = id === undefined ? {} : { id, type: 'function' };
      return [this.chunk({ tool_calls: [{ index, ...begun, function: called }] })];
    }
    // Clients of that form know of one call.
    return index === 0 ? [this.chunk({ function_call: called })] : [];
  }

  private base(): object {
    const { id, created, model } = this.head;
    return { id, object: 'chat.completion.chunk', created, model };
  }

  private chunk(delta: object, finish: string | null = null, logprobs?: object[]): object {
    const told = logprobs ? { content: logprobs, refusal: null } : null;
    return { ...this.base(), choices: [{ index: 0, delta, logprobs: told, finish_reason: finish }] };
  }
}
