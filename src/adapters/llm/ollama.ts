import type { ChatRequest, Ollama } from 'ollama';
import { z } from 'zod';
import { finishReasonOf } from './answer.js';
import { HostedProvider, type HostedOptions } from './hosted.js';
import { orAborted } from './model-choice.js';
import { signalledFetch } from './ollama-fetch.js';
import { type GenerateCall, type GenerateChunk, ProviderError } from './provider.js';
import { refusesThink, translateOllamaError } from './translate.js';
import { usageOf } from './usage.js';

/**
 * Context of every call. One value for all callers: Ollama loads the model anew when it changes. It is also Ollama's
 * own default on small machines, so that other programs on the same host do not make it reload either.
 */
export const OLLAMA_CONTEXT_TOKENS = 4_096;

export interface OllamaOptions extends HostedOptions {
  baseUrl: string;
  /** For a proxy in front of Ollama that wants one. */
  apiKey?: string;
  contextTokens?: number;
}

/** As much of a line as we read. Thinking comes in a field of its own and never becomes part of the answer. */
const PartSchema = z.object({
  message: z.object({ content: z.string().nullish() }).nullish(),
  done: z.boolean().nullish(),
  done_reason: z.string().nullish(),
  prompt_eval_count: z.number().nullish(),
  eval_count: z.number().nullish(),
});

/** `truncate` and `shift` off: a prompt that does not fit must fail, not lose its beginning, the system prompt, unnoticed. */
type FullChatRequest = ChatRequest & { stream: true; truncate: boolean; shift: boolean };

/** A host that speaks Ollama's own protocol. Always streams. */
export class OllamaProvider extends HostedProvider<OllamaOptions> {
  private thinkRefused = false;

  constructor(options: OllamaOptions) {
    super(options, translateOllamaError);
  }

  /** Loads the client library before the first caller waits for it. */
  async warmUp(): Promise<void> {
    await import('ollama');
  }

  /** A client of one call: the library takes no signal, so its `fetch` carries it. */
  private async client(signal: AbortSignal): Promise<Ollama> {
    const { Ollama: Client } = await import('ollama');
    const { baseUrl, apiKey } = this.options;
    const headers = apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` };
    return new Client({ host: baseUrl, headers, fetch: signalledFetch(signal) });
  }

  protected async firstListed(signal: AbortSignal): Promise<string> {
    try {
      const { models } = await (await this.client(signal)).list();
      const first = models[0];
      if (first) return first.name;
    } catch (error) {
      throw this.translate(error, signal, false);
    }
    throw new ProviderError('ModelNotFound', `${this.name} has no model: pull one with "ollama pull"`);
  }

  protected async *chunks(call: GenerateCall): AsyncGenerator<GenerateChunk> {
    const model = await orAborted(this.choice.get(), call.signal);
    const done = new AbortController();
    try {
      const client = await this.client(AbortSignal.any([call.signal, done.signal]));
      for await (const raw of await this.open(client, model, call)) {
        const part = PartSchema.parse(raw);
        const text = part.message?.content ?? '';
        if (text !== '') yield { type: 'text', text };
        if (part.done) {
          const usage = usageOf(part.prompt_eval_count, part.eval_count);
          yield { type: 'end', finishReason: finishReasonOf(part.done_reason), usage };
          return;
        }
      }
    } finally {
      // A reader that goes away early must not leave the model at work; the library would leave the socket open.
      done.abort();
    }
  }

  private async open(client: Ollama, model: string, call: GenerateCall): Promise<AsyncIterable<unknown>> {
    if (this.thinkRefused) return client.chat(this.request(model, call));
    try {
      return await client.chat({ ...this.request(model, call), think: false });
    } catch (error) {
      if (!refusesThink(error)) throw error;
      this.thinkRefused = true;
      return client.chat(this.request(model, call));
    }
  }

  private request(model: string, { messages, maxTokens, temperature, topP }: GenerateCall): FullChatRequest {
    return {
      model,
      messages: messages as never,
      stream: true,
      truncate: false,
      shift: false,
      options: {
        num_predict: maxTokens,
        num_ctx: this.options.contextTokens ?? OLLAMA_CONTEXT_TOKENS,
        temperature,
        top_p: topP,
      },
    };
  }
}
