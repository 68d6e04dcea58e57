import type { Ollama } from 'ollama';
import type { Capability } from '../../contracts/chat.js';
import { HttpRefusal } from './faults.js';
import { configuredCapabilities, Remembered, type Told } from './hosted-facts.js';
import { HostedProvider, type HostedOptions } from './hosted.js';
import { orAborted } from '../or-aborted.js';
import { OllamaAnswer, readVectors } from './ollama-answer.js';
import { readShown, usualAtOllama, type ShownModel } from './ollama-facts.js';
import { signalledFetch } from './ollama-fetch.js';
import { OLLAMA_LACKS, ollamaChat } from './ollama-request.js';
import { thinkAttempts, wantsThinking, type Think } from './ollama-think.js';
import { type EmbedCall, type Embedded, type GenerateCall, type GenerateChunk, ProviderError } from './provider.js';
import { refusesThink, translateOllamaError } from './translate.js';

/**
 * Context of every call. One value for all callers: Ollama loads the model anew when it changes. It is also Ollama's
 * own default on small machines, so that other programs on the same host do not make it reload either.
 */
export const OLLAMA_CONTEXT_TOKENS = 4_096;

/** Longest wait of a call for what its model can do, where it needs to know. */
const SHOW_MS = 1_000;

/** The configured `contextLength` is asked for: it goes before our own. */
export interface OllamaOptions extends HostedOptions {
  baseUrl: string;
  /** For a proxy in front of Ollama that wants one. */
  apiKey?: string;
}

/** A host that speaks Ollama's own protocol. Always streams. */
export class OllamaProvider extends HostedProvider<OllamaOptions> {
  private thinkRefused = false;
  private readonly shown = new Map<string, Remembered<ShownModel>>();

  constructor(options: OllamaOptions) {
    super(options, translateOllamaError);
  }

  /** Loads the client library before the first caller waits for it. */
  async warmUp(): Promise<void> {
    await import('ollama');
  }

  async embed({ input, dimensions, signal }: EmbedCall): Promise<Embedded> {
    try {
      const model = await orAborted(this.choice.get(), signal);
      const client = await this.client(signal);
      const raw: unknown = await client.embed({
        model,
        input,
        truncate: false,
        options: { num_ctx: this.contextTokens },
        ...(dimensions !== undefined && { dimensions }),
      });
      return readVectors(raw, input.length);
    } catch (error) {
      throw this.failed(error, signal, false);
    }
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

  protected override async told(model: string, signal: AbortSignal): Promise<Told> {
    const shown = await this.show(model, signal);
    const contextLength = Math.min(shown?.contextLength ?? Infinity, this.contextTokens);
    return { contextLength, ...(shown?.capabilities && { capabilities: shown.capabilities }) };
  }

  protected override usual(model: string | null): readonly Capability[] {
    return usualAtOllama(model);
  }

  protected override lacks(): readonly string[] {
    return OLLAMA_LACKS;
  }

  protected async *chunks(call: GenerateCall): AsyncGenerator<GenerateChunk> {
    const model = await orAborted(this.choice.get(), call.signal);
    const done = new AbortController();
    const answer = new OllamaAnswer();
    try {
      const client = await this.client(AbortSignal.any([call.signal, done.signal]));
      for await (const line of await this.open(client, model, call)) {
        for (const piece of answer.read(line)) {
          yield piece;
          if (piece.type === 'end') return;
        }
      }
    } finally {
      // A reader that goes away early must not leave the model at work; the library would leave the socket open.
      done.abort();
    }
  }

  private get contextTokens(): number {
    return this.options.contextLength ?? OLLAMA_CONTEXT_TOKENS;
  }

  /** A client of one call: the library takes no signal, so its `fetch` carries it. */
  private async client(signal: AbortSignal): Promise<Ollama> {
    const { Ollama: Client } = await import('ollama');
    const { baseUrl, apiKey } = this.options;
    const headers = apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` };
    return new Client({ host: baseUrl, headers, fetch: signalledFetch(signal) });
  }

  private show(model: string, signal: AbortSignal): Promise<ShownModel | undefined> {
    const known =
      this.shown.get(model) ??
      new Remembered<ShownModel>(async (limit) => readShown(await (await this.client(limit)).show({ model })));
    // One model at a time: which is the first listed changes seldom.
    if (!this.shown.has(model)) this.shown.clear();
    this.shown.set(model, known);
    return known.get(signal);
  }

  private async open(client: Ollama, model: string, call: GenerateCall): Promise<AsyncIterable<unknown>> {
    const attempts = this.thinkRefused ? [undefined] : await this.attempts(model, call);
    for (const think of attempts) {
      try {
        return await client.chat(ollamaChat(model, call, this.contextTokens, think));
      } catch (error) {
        if (think === undefined || !refusesThink(error)) throw this.about(error);
        if (think === false) this.thinkRefused = true;
      }
    }
    throw new TypeError('no attempt was the last');
  }

  /** A refusal that names what of the request it is about. */
  private about(error: unknown): unknown {
    const isTools = error instanceof HttpRefusal && error.status === 400 && /does not support tools/i.test(error.text);
    if (!isTools) return error;
    const message = `${this.name}'s model "${this.choice.label}" cannot call tools (HTTP 400)`;
    return new ProviderError('ProviderRejected', message, undefined, { parameter: 'tools' });
  }

  private async attempts(model: string, { options, signal }: GenerateCall): Promise<Think[]> {
    if (!wantsThinking(options)) return thinkAttempts(options, { thinks: false, levels: false });
    const shown = await this.show(model, AbortSignal.any([signal, AbortSignal.timeout(SHOW_MS)]));
    const able = configuredCapabilities(this.options.capabilities) ?? shown?.capabilities ?? ['thinking'];
    return thinkAttempts(options, { thinks: able.includes('thinking'), levels: shown?.levels ?? false });
  }
}
