import type { PositionedEvent, RequestEvent } from '../../contracts/events.js';
import { AppError } from '../../errors/app-error.js';
import { answerOf, openAiUsage, progressWords, Unanswered, type Answer } from './outcome.js';

type EventOf<Type extends RequestEvent['type']> = Extract<RequestEvent, { type: Type }>['data'];

/** How the events of a request become the chunks of one kind of stream. */
export interface ChunkForm {
  /** What comes before all else. */
  first(): object[];
  token(data: EventOf<'token'>): object[];
  reasoning(data: EventOf<'reasoning'>): object[];
  toolCall(data: EventOf<'tool_call'>): object[];
  /** What the stream still lacks of an answer, and the chunk that says why it ended. */
  last(answer: Answer): object[];
  /** A chunk with the usage alone. */
  usage(usage: object): object;
}

/** The chunks of a stream, in order: the first once, the pieces as they come, the end once. */
export class Chunks {
  /** Which run of the model is being told; undefined: nothing was told yet. */
  private told: number | undefined;
  /** Whether the stream has all of the answer. */
  ended = false;
  /** Whether the request has ended, well or not. */
  settled = false;
  /** Of a run of a crew: tasks as they were told last. */
  private readonly states = new Map<string, string>();

  constructor(
    private readonly form: ChunkForm,
    private readonly includeUsage: boolean,
  ) {}

  /**
   * What an event adds to the stream.
   * @throws Unanswered where the request failed, or another run of the model began after something was told of the first
   */
  of(event: PositionedEvent): object[] {
    const { generation } = event.position;
    switch (event.type) {
      case 'attempt':
        this.sameRun(event.data.generation);
        return [];
      case 'token':
        return event.data.text === '' ? [] : this.tell(generation, this.form.token(event.data));
      case 'reasoning':
        return event.data.text === '' ? [] : this.tell(generation, this.form.reasoning(event.data));
      case 'tool_call':
        return this.tell(generation, this.form.toolCall(event.data));
      case 'crew':
        return this.progress(generation, event.data);
      case 'done':
      case 'error':
        this.settled = true;
        if (event.data.mode === 'crew') return this.pause(answerOf(event.data));
        return this.end(generation, answerOf(event.data));
      default:
        return [];
    }
  }

  /** The end of a stream with an answer of which nothing was told. */
  pause(answer: Answer): object[] {
    this.settled = true;
    const generation = this.told ?? 0;
    return [...this.tell(generation, this.form.token({ text: answer.data.text })), ...this.end(generation, answer)];
  }

  /** Each task as it comes to stand, once: further turns at it would fill the reader's page. */
  private progress(generation: number, data: EventOf<'crew'>): object[] {
    if (this.states.get(data.task) === data.state) return [];
    this.states.set(data.task, data.state);
    return this.tell(generation, this.form.reasoning({ text: progressWords(data) }));
  }

  private end(generation: number, answer: Answer): object[] {
    const last = this.tell(generation, this.form.last(answer));
    this.ended = true;
    return [...last, ...(this.includeUsage ? [this.form.usage(openAiUsage(answer.usage))] : [])];
  }

  /** Chunks of a run, and before the first of them what comes before all else. */
  private tell(generation: number, chunks: object[]): object[] {
    this.sameRun(generation);
    if (chunks.length === 0) return [];
    const first = this.told === undefined ? this.form.first() : [];
    this.told = generation;
    return [...first, ...chunks];
  }

  private sameRun(generation: number): void {
    if (this.told !== undefined && generation !== this.told) throw new Unanswered(new AppError('STREAM_INTERRUPTED'));
  }
}
