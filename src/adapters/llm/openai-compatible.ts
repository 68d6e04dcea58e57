import type OpenAI from 'openai';
import type { Capability } from '../../contracts/chat.js';
import type { Usage } from '../../contracts/request.js';
import { finishReasonOf } from './answer.js';
import { BrokenAnswer } from './faults.js';
import { Remembered, type Told } from './hosted-facts.js';
import { HostedProvider, type HostedOptions } from './hosted.js';
import { orAborted } from '../or-aborted.js';
import { costing, readChunk } from './openai-chunk.js';
import { readEmbeddings } from './openai-embeddings.js';
import { LACKS, readEntry, usualCapabilities, type OpenAiKind } from './openai-facts.js';
import { chatBody, embeddingsBody, isAsked, optionalOf, type Optional } from './openai-request.js';
import { type EmbedCall, type Embedded, type GenerateCall, type GenerateChunk, ProviderError } from './provider.js';
import { translateOpenAiError } from './translate.js';
import { countedUsage, countTokens } from './usage-count.js';
import { usageOf } from './usage.js';

export interface OpenAiCompatibleOptions extends HostedOptions {
  /** With its version prefix, for example `http://host/v1`. */
  baseUrl: string;
  apiKey?: string;
  /** Whose endpoint it is, for what is usual there; any by default. */
  kind?: OpenAiKind;
}

/** DeepSeek's word for "we stopped because we are overloaded": the answer is not complete. */
const OVERLOADED = 'insufficient_system_resource';

/** The client's own limit is out of the way: the caller's signal ends calls. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** OpenAI, DeepSeek and every endpoint that speaks `POST /chat/completions`. Always streams. */
export class OpenAiCompatibleProvider extends HostedProvider<OpenAiCompatibleOptions> {
  private readonly refused = new Set<Optional>();
  private readonly listed = new Remembered((signal) => this.list(signal));
  private loading: Promise<OpenAI> | undefined;

  constructor(options: OpenAiCompatibleOptions) {
    super(options, translateOpenAiError);
  }

  /** Loads the client library, which takes a noticeable part of a second, before the first caller waits for it. */
  async warmUp(): Promise<void> {
    await this.client();
  }

  /** Vectors of texts; throws as `generate` does. */
  async embed(call: EmbedCall): Promise<Embedded> {
    const { input, signal } = call;
    try {
      const model = await orAborted(this.choice.get(), signal);
      const client = await this.client();
      const raw = await this.asking(() =>
        client.embeddings.create(embeddingsBody(model, call, this.refused), { signal }),
      );
      const { embeddings, usage } = readEmbeddings(raw, input.length);
      return { embeddings, usage: usage ?? (await estimatedFor(input)) };
    } catch (error) {
      throw this.failed(error, signal, false);
    }
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

  private get kind(): OpenAiKind {
    return this.options.kind ?? 'openai-compatible';
  }

  protected override async told(model: string, signal: AbortSignal): Promise<Told> {
    const entry = (await this.listed.get(signal))?.find(({ id }) => id === model);
    return readEntry(entry, this.usual(model));
  }

  protected override usual(model: string | null): readonly Capability[] {
    return usualCapabilities(this.kind, model);
  }

  protected override lacks(): readonly string[] {
    return LACKS[this.kind];
  }

  protected async firstListed(signal: AbortSignal): Promise<string> {
    const models = await this.list(signal);
    this.listed.take(models);
    const [first] = models;
    if (first) return first.id;
    throw new ProviderError('ModelNotFound', `${this.name} lists no model`);
  }

  private async list(signal: AbortSignal): Promise<OpenAI.Model[]> {
    try {
      const client = await this.client();
      const models: OpenAI.Model[] = [];
      for await (const model of client.models.list({ signal })) models.push(model);
      return models;
    } catch (error) {
      throw this.translate(error, signal, false);
    }
  }

  protected async *chunks(call: GenerateCall): AsyncGenerator<GenerateChunk> {
    const model = await orAborted(this.choice.get(), call.signal);
    const stream = await this.open(await this.client(), model, call);
    let finishReason: string | undefined;
    let usage: Usage | undefined;
    let answer = '';
    try {
      for await (const raw of stream) {
        const chunk = readChunk(raw);
        for (const piece of chunk.pieces) answer += costing(piece);
        yield* chunk.pieces;
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
      usage: usage ?? (await countedUsage(call, answer)),
    };
  }

  private open(client: OpenAI, model: string, call: GenerateCall): Promise<AsyncIterable<unknown>> {
    const { options, signal } = call;
    return this.asking(() => client.chat.completions.create(chatBody(model, call, this.refused), { signal }), {
      isFixed: (parameter) => isAsked(parameter, options),
    });
  }

  /** Asks, and asks again without a parameter of ours that is refused. Nothing was bought by what was refused. */
  private async asking<T>(
    ask: () => Promise<T>,
    { isFixed }: { isFixed: (parameter: Optional) => boolean } = { isFixed: () => false },
  ): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        const parameter = refusedOptional(error);
        if (parameter === undefined || isFixed(parameter) || this.refused.has(parameter)) throw error;
        this.refused.add(parameter);
      }
    }
  }
}

async function estimatedFor(input: readonly string[]): Promise<Usage> {
  return { ...usageOf(await countTokens(input.join('\n')), 0), estimated: true };
}

/** The parameter that an endpoint refuses, if it is one that need not be sent. */
function refusedOptional(error: unknown): Optional | undefined {
  if (!(error instanceof Error) || !('status' in error) || !('param' in error)) return undefined;
  return error.status === 400 || error.status === 422 ? optionalOf(error.param) : undefined;
}
