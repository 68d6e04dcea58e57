import type { Capability } from '../../contracts/chat.js';
import { heldToContract } from './answer.js';
import { configuredCapabilities, type Told } from './hosted-facts.js';
import { orAborted } from '../or-aborted.js';
import { ModelChoice } from './model-choice.js';
import type { GenerateCall, GenerateChunk, KnownModel, LlmProvider, ProviderError } from './provider.js';
import type { FailureContext } from './translate.js';

export interface HostedOptions {
  name: string;
  /** Absent or empty: the first one that the host lists. */
  model?: string;
  /** Goes before what the endpoint tells: tokens of prompt and answer together. */
  contextLength?: number;
  /** The same of what the model can do. */
  capabilities?: readonly Capability[];
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
    call.onSent?.();
    return heldToContract(this.chunks(call), {
      signal: call.signal,
      options: call.options,
      translate: (error, textYielded) => this.failed(error, call.signal, textYielded),
    });
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.firstListed(signal);
  }

  async facts(signal: AbortSignal): Promise<KnownModel> {
    const model = await orAborted(this.choice.get(), signal).catch(() => null);
    const { contextLength, capabilities } = this.options;
    const given = configuredCapabilities(capabilities);
    const isKnown = given !== undefined && contextLength !== undefined;
    const told = model === null || isKnown ? {} : await this.told(model, signal);
    return {
      model,
      contextLength: contextLength ?? told.contextLength ?? null,
      capabilities: given ?? told.capabilities ?? this.usual(model),
      lacks: this.lacks(),
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  protected translate(error: unknown, signal: AbortSignal, textYielded: boolean): ProviderError {
    return this.toProviderError(error, { provider: this.name, model: this.choice.label, signal, textYielded });
  }

  /** The failure of a call; where the model is gone, the next call chooses anew. */
  protected failed(error: unknown, signal: AbortSignal, textYielded: boolean): ProviderError {
    const failure = this.translate(error, signal, textYielded);
    if (failure.type === 'ModelNotFound') this.choice.forget();
    return failure;
  }

  /** What the endpoint tells of a model, within the signal; never throws. */
  protected told(_model: string, _signal: AbortSignal): Promise<Told> {
    return Promise.resolve({});
  }

  /** What a model can do where nobody tells. */
  protected usual(_model: string | null): readonly Capability[] {
    return ['completion'];
  }

  /** Parameters on the wire that no model here can heed. */
  protected lacks(): readonly string[] {
    return [];
  }

  /** The first model that the host lists. */
  protected abstract firstListed(signal: AbortSignal): Promise<string>;

  /** The raw answer to a call. */
  protected abstract chunks(call: GenerateCall): AsyncIterable<GenerateChunk>;
}
