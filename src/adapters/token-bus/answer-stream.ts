import type { AnswerParts, ToolCall } from '../../contracts/chat.js';
import type { PositionedEvent, RequestEvent } from '../../contracts/events.js';
import type { GenerateChunk } from '../llm/provider.js';

/** Pieces are sent this far apart at least: what comes sooner is gathered, what comes later goes at once, in milliseconds. */
const FLUSH_MS = 25;

type Piece = Exclude<GenerateChunk, { type: 'end' }>;
type Spoken = Extract<RequestEvent, { type: 'token' | 'reasoning' | 'tool_call' }>;

/** Gathers what one run of a model says, and publishes it in order: held back until it is let out, then in lumps. */
export class AnswerStream {
  text = '';
  /** What is said beside the text; what is absent was not said. */
  readonly parts: AnswerParts = {};
  private readonly waiting: Spoken[] = [];
  private sent = 0;
  private released = false;
  /** Whether somebody may have seen a part of it. */
  seen = false;
  private stopped = false;
  /** By the monotonic clock. */
  private flushedAt = -Infinity;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly generation: number,
    private readonly publish: (event: PositionedEvent) => void,
  ) {}

  /** Whether anything was said. */
  get said(): boolean {
    return this.text !== '' || Object.keys(this.parts).length > 0;
  }

  push(piece: Piece): void {
    if (piece.type === 'text') this.addText(piece);
    else if (piece.type === 'reasoning') this.addReasoning(piece.text);
    else this.addToolCall(piece);
    if (!this.released || this.stopped) return;
    const dueInMs = this.flushedAt + FLUSH_MS - performance.now();
    if (dueInMs <= 0) this.flush();
    else {
      this.timer ??= setTimeout(() => {
        this.flush();
      }, dueInMs);
    }
  }

  /** Lets out what was said so far, and what follows. */
  release(): void {
    this.released = true;
    this.flush();
  }

  /** Sends what is left, if it may go. */
  end(): void {
    if (this.released) this.flush();
  }

  /** Drops what is left: nobody is to see it. */
  stop(): void {
    this.stopped = true;
    this.clearTimer();
  }

  private addText({ text, logprobs }: Extract<Piece, { type: 'text' }>): void {
    if (text === '' && !logprobs) return;
    this.text += text;
    if (logprobs) (this.parts.logprobs ??= []).push(...logprobs);
    const last = this.waiting.at(-1);
    if (last?.type === 'token') {
      last.data.text += text;
      if (logprobs) last.data.logprobs = [...(last.data.logprobs ?? []), ...logprobs];
    } else this.waiting.push({ type: 'token', data: { text, ...(logprobs && { logprobs: [...logprobs] }) } });
  }

  private addReasoning(text: string): void {
    this.parts.reasoning = (this.parts.reasoning ?? '') + text;
    const last = this.waiting.at(-1);
    if (last?.type === 'reasoning') last.data.text += text;
    else this.waiting.push({ type: 'reasoning', data: { text } });
  }

  private addToolCall({ type, ...data }: Extract<Piece, { type: 'tool_call' }>): void {
    const calls: ToolCall[] = (this.parts.toolCalls ??= []);
    const call = (calls[data.index] ??= { id: data.id ?? '', name: data.name ?? '', arguments: '' });
    call.arguments += data.arguments;
    const last = this.waiting.at(-1);
    if (last?.type === 'tool_call' && last.data.index === data.index) last.data.arguments += data.arguments;
    else this.waiting.push({ type, data });
  }

  private flush(): void {
    this.clearTimer();
    if (this.stopped || this.waiting.length === 0) return;
    this.flushedAt = performance.now();
    for (const piece of this.waiting.splice(0)) {
      this.seen = true;
      if (piece.type === 'token') this.sent += piece.data.text.length;
      this.publish({ ...piece, position: { generation: this.generation, offset: this.sent } });
    }
  }

  private clearTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
