import { heldToContract } from './answer.js';
import { ModelChoice } from './model-choice.js';
import type { GenerateCall, GenerateChunk, KnownModel, LlmProvider, ProviderError } from './provider.js';
import type { FailureContext } from './translate.js';

export interface HostedOptions {
  name: string;
  /** Absent or empty: the first one that the host lists. */
  model?: string;
}

/** What providers have in common that are reached over HTTP and list their models. */
export abstract class HostedProvider<Options extends HostedOptions> implements LlmProvider {
  readonly name: string;
  protected readonly choice: ModelChoice;

  constructor(
    protected readonly options: Options,
    private readonly toProviderError: (error: unknown, context: FailureContext) => ProviderError,
  ) {
    this.name = options.name;
    this.choice = new ModelChoice(options.model ?? '', (signal) => this.firstListed(signal));
  }

  model(): Promise<string> {
    return this.choice.get();
  }

  generate(call: GenerateCall): AsyncIterable<GenerateChunk> {
    return heldToContract(this.chunks(call), {
      signal: call.signal,
      translate: (error, textYielded) => {
        const failure = this.translate(error, call.signal, textYielded);
        if (failure.type === 'ModelNotFound') this.choice.forget();
        return failure;
      },
    });
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.firstListed(signal);
  }

  facts(_signal: AbortSignal): Promise<KnownModel> {
    return Promise.resolve({ model: null, contextLength: null, capabilities: ['completion'], lacks: [] });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  protected translate(error: unknown, signal: AbortSignal, textYielded: boolean): ProviderError {
    return this.toProviderError(error, { provider: this.name, model: this.choice.label, signal, textYielded });
  }

  /** The first model that the host lists. */
  protected abstract firstListed(signal: AbortSignal): Promise<string>;

  /** The raw answer to a call. */
  protected abstract chunks(call: GenerateCall): AsyncIterable<GenerateChunk>;
}
