import type { AnswerParts, CallOptions, ChatMessage, ModelCall } from '../../contracts/chat.js';
import type { PositionedEvent } from '../../contracts/events.js';
import type { CallEnd, RunningCall } from '../../contracts/running-call.js';
import { AnswerStream } from '../token-bus/answer-stream.js';
import { ProviderError, type GenerateCall, type LlmProvider } from './provider.js';

/** What is asked of a provider, and where what it says goes. */
export interface CallOrder {
  /** Name of the provider in the profile. */
  provider: string;
  endpoint: LlmProvider;
  generation: number;
  /** The conversation, whoever put it together. */
  messages: ChatMessage[];
  /** What the client wants, where the conversation is its own. */
  call: ModelCall | null;
  /** What the provider may, and its own way to sample. */
  limits: { maxTokens: number; temperature: number; topP: number };
  publish: (event: PositionedEvent) => void;
}

/** A call to a provider from its first moment on. It begins when this is made; nothing is published before `release`. */
export class ProviderCall implements RunningCall {
  readonly generation: number;
  readonly calledAt = Date.now();
  readonly ended: Promise<CallEnd>;
  private readonly stream: AnswerStream;
  private readonly stopping = new AbortController();
  private released = false;
  sent = false;

  constructor(private readonly order: CallOrder) {
    this.generation = order.generation;
    this.stream = new AnswerStream(order.generation, order.publish);
    this.ended = this.run();
    // Whoever is to take it over may come later than its failure.
    this.ended.catch(() => undefined);
  }

  get messages(): readonly ChatMessage[] {
    const { call, messages } = this.order;
    return call?.kind === 'embeddings' ? call.input.map((content) => ({ role: 'user', content })) : messages;
  }

  get options(): CallOptions | undefined {
    return this.order.call?.kind === 'chat' ? this.order.call.options : undefined;
  }

  get text(): string {
    return this.stream.text;
  }

  get parts(): AnswerParts {
    return this.stream.parts;
  }

  get said(): boolean {
    return this.stream.said;
  }

  get seen(): boolean {
    return this.stream.seen;
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    const { provider, publish, generation } = this.order;
    publish({ type: 'attempt', data: { provider, generation }, position: { generation, offset: 0 } });
    this.stream.release();
  }

  stop(reason: Error): void {
    this.stopping.abort(reason);
  }

  private async run(): Promise<CallEnd> {
    try {
      const { call } = this.order;
      return call?.kind === 'embeddings' ? await this.embed(call) : await this.generate();
    } catch (error) {
      this.stream.stop();
      throw error;
    }
  }

  private async generate(): Promise<CallEnd> {
    for await (const chunk of this.order.endpoint.generate(this.asked())) {
      if (chunk.type === 'end') {
        this.stream.end();
        const { finishReason, usage } = chunk;
        return { finishReason, usage, ms: Date.now() - this.calledAt };
      }
      this.stream.push(chunk);
    }
    throw new TypeError(`provider ${this.order.provider} ended without an end`);
  }

  private async embed({ input, dimensions }: Extract<ModelCall, { kind: 'embeddings' }>): Promise<CallEnd> {
    const { endpoint, provider } = this.order;
    if (!endpoint.embed) throw new ProviderError('Unsupported', `${provider} has no embeddings`);
    const { signal } = this.stopping;
    this.sent = true;
    const { embeddings, usage } = await endpoint.embed({ input, signal, ...(dimensions && { dimensions }) });
    this.stream.parts.embeddings = embeddings;
    return { finishReason: 'stop', usage, ms: Date.now() - this.calledAt };
  }

  private asked(): GenerateCall {
    const { call, limits, messages } = this.order;
    const { signal } = this.stopping;
    const onSent = (): void => {
      this.sent = true;
    };
    if (call?.kind !== 'chat') return { messages, ...limits, signal, onSent };
    const { options } = call;
    return {
      messages,
      // A client may want less than the provider may, and not more.
      maxTokens: Math.min(options.maxTokens ?? limits.maxTokens, limits.maxTokens),
      temperature: options.temperature ?? limits.temperature,
      topP: options.topP ?? limits.topP,
      options,
      signal,
      onSent,
    };
  }
}
