import type OpenAI from 'openai';
import { z } from 'zod';
import type { Usage } from '../../contracts/request.js';
import { finishReasonOf } from './answer.js';
import { BrokenAnswer } from './faults.js';
import { HostedProvider, type HostedOptions } from './hosted.js';
import { orAborted } from './model-choice.js';
import { type GenerateCall, type GenerateChunk, ProviderError } from './provider.js';
import { translateOpenAiError } from './translate.js';
import { estimateUsage, usageOf } from './usage.js';

export interface OpenAiCompatibleOptions extends HostedOptions {
  /** With its version prefix, for example `http://host/v1`. */
  baseUrl: string;
  apiKey?: string;
}

/** As much of a chunk as we read. Endpoints differ in what they send as null, as [] and not at all. */
const Chunk = z
  .object({
    choices: z
      .array(
        z.object({
          delta: z.object({ content: z.string().nullish() }).nullish(),
          finish_reason: z.string().nullish(),
        }),
      )
      .nullish(),
    usage: z.object({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() }).nullish(),
  })
  .transform(({ choices, usage }) => ({
    text: choices?.[0]?.delta?.content ?? '',
    finishReason: choices?.[0]?.finish_reason ?? undefined,
    usage: usage ? usageOf(usage.prompt_tokens, usage.completion_tokens) : undefined,
  }));

/** DeepSeek's word for "we stopped because we are overloaded": the answer is not complete. */
const OVERLOADED = 'insufficient_system_resource';

/** Parameters that some models refuse, by the name under which the refusal comes. Each is given up at most once. */
const OPTIONAL = ['max_tokens', 'temperature', 'top_p', 'stream_options'] as const;
type Optional = (typeof OPTIONAL)[number];

/** The client's own limit is out of the way: the caller's signal ends calls. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** OpenAI, DeepSeek and every endpoint that speaks `POST /chat/completions`. Always streams. */
export class OpenAiCompatibleProvider extends HostedProvider<OpenAiCompatibleOptions> {
  private readonly refused = new Set<Optional>();
  private loading: Promise<OpenAI> | undefined;

  constructor(options: OpenAiCompatibleOptions) {
    super(options, translateOpenAiError);
  }

  /** Loads the client library, which takes a noticeable part of a second, before the first caller waits for it. */
  async warmUp(): Promise<void> {
    await this.client();
  }

  private client(): Promise<OpenAI> {
    this.loading ??= import('openai').then(({ default: Client }) => {
      const { baseUrl, apiKey } = this.options;
      return new Client({
        baseURL: baseUrl,
        apiKey: apiKey ?? 'none',
        // The client takes what is absent here from variables of its own, which would be a second configuration.
        organization: null,
        project: null,
        defaultHeaders: apiKey === undefined ? { Authorization: null } : {},
        maxRetries: 0,
        timeout: NO_TIMEOUT_MS,
        logLevel: 'off',
      });
    });
    return this.loading;
  }

  protected async firstListed(signal: AbortSignal): Promise<string> {
    try {
      const client = await this.client();
      for await (const { id } of client.models.list({ signal })) return id;
    } catch (error) {
      throw this.translate(error, signal, false);
    }
    throw new ProviderError('ModelNotFound', `${this.name} lists no model`);
  }

  protected async *chunks(call: GenerateCall): AsyncGenerator<GenerateChunk> {
    const model = await orAborted(this.choice.get(), call.signal);
    const stream = await this.open(await this.client(), model, call);
    let finishReason: string | undefined;
    let usage: Usage | undefined;
    let answer = '';
    try {
      for await (const raw of stream) {
        const chunk = Chunk.parse(raw);
        answer += chunk.text;
        if (chunk.text !== '') yield { type: 'text', text: chunk.text };
        finishReason = chunk.finishReason ?? finishReason;
        usage = chunk.usage ?? usage;
      }
    } catch (error) {
      // With its finish reason the answer is whole; what broke after that cost at most the count of tokens.
      if (finishReason === undefined || call.signal.aborted) throw error;
    }
    if (finishReason === undefined || finishReason === OVERLOADED) throw new BrokenAnswer('ended early');
    yield {
      type: 'end',
      finishReason: finishReasonOf(finishReason),
      usage: usage ?? estimateUsage(call.messages, answer),
    };
  }

  private async open(client: OpenAI, model: string, call: GenerateCall): Promise<AsyncIterable<unknown>> {
    for (;;) {
      try {
        return await client.chat.completions.create(this.parameters(model, call), { signal: call.signal });
      } catch (error) {
        if (!this.learns(error)) throw error;
      }
    }
  }

  private parameters(model: string, call: GenerateCall): OpenAI.ChatCompletionCreateParamsStreaming {
    const sends = (parameter: Optional): boolean => !this.refused.has(parameter);
    return {
      model,
      messages: call.messages.map(({ role, content }) => ({ role, content })) as never,
      stream: true,
      ...(sends('stream_options') && { stream_options: { include_usage: true } }),
      ...(sends('temperature') && { temperature: call.temperature }),
      ...(sends('top_p') && { top_p: call.topP }),
      // A cap is always sent. Reasoning models refuse its old name; most other endpoints know only that one.
      [sends('max_tokens') ? 'max_tokens' : 'max_completion_tokens']: call.maxTokens,
    };
  }

  /** Remembers a parameter that this model does not take. Nothing was generated, so asking again buys nothing twice. */
  private learns(error: unknown): boolean {
    if (!(error instanceof Error) || !('status' in error) || !('param' in error)) return false;
    if (error.status !== 400 && error.status !== 422) return false;
    const parameter = OPTIONAL.find((name) => name === error.param);
    if (parameter === undefined || this.refused.has(parameter)) return false;
    this.refused.add(parameter);
    return true;
  }
}
