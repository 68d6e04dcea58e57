import { isDeepStrictEqual } from 'node:util';
import type { ModelFacts } from '../../contracts/chat.js';
import type { ProviderHealth } from '../../contracts/health.js';
import { VENDOR_URLS, type ProviderConfig } from '../../contracts/provider-config.js';
import type { PoolPolicy } from '../../contracts/request.js';
import { AppError } from '../../errors/app-error.js';
import { EmbeddedProvider } from './embedded.js';
import { orAborted } from '../or-aborted.js';
import { OllamaProvider } from './ollama.js';
import { OpenAiCompatibleProvider } from './openai-compatible.js';
import type { LlmProvider } from './provider.js';

/** What every class of ours offers beside the interface: to get ready before the first call. */
type WarmProvider = LlmProvider & { warmUp(signal: AbortSignal): Promise<void> };

/** Most time that a provider gets to show that it is there, in milliseconds. */
const CHECK_MS = 2_000;

/** How long whoever looks at the providers waits for an endpoint to name its model, in milliseconds. */
const MODEL_MS = 250;

/** The pool of each provider that has one, by the provider's name. */
export type Pools = Readonly<Record<string, PoolPolicy | undefined>>;

/** A provider as whoever watches may see it: neither address nor key. */
export interface ProviderDescription {
  name: string;
  type: ProviderConfig['type'];
  /** Null: the endpoint chooses it, and has not said in time which. */
  model: string | null;
}

/**
 * All configured providers by name. Each is built when it is first asked for, so that one bad entry harms no other.
 * Requests that were decided before a change of the configuration may still ask for providers that it took away.
 */
export class LlmRegistry {
  private configs: ReadonlyMap<string, ProviderConfig>;
  /** Those that are configured no longer, as they last were. */
  private readonly former = new Map<string, ProviderConfig>();
  private readonly built = new Map<string, WarmProvider>();
  /** Instances of providers that were configured anew; calls may still run at them. */
  private readonly replaced: WarmProvider[] = [];
  /** Pools of all that were ever configured, as they last were. */
  private readonly pools = new Map<string, PoolPolicy | undefined>();

  /** @param pools of the same configuration; nobody who calls the providers for requests may leave them out */
  constructor(configs: readonly ProviderConfig[], pools: Pools = {}) {
    this.configs = byName(configs);
    this.takePools(pools);
  }

  /**
   * Takes another configuration, endpoints and their pools at one moment. What did not change keeps its instance, and
   * with it what it knows.
   */
  configure(configs: readonly ProviderConfig[], pools: Pools = {}): void {
    const next = byName(configs);
    for (const [name, config] of this.configs) if (!next.has(name)) this.former.set(name, config);
    for (const [name, config] of next) {
      const before = this.configs.get(name) ?? this.former.get(name);
      this.former.delete(name);
      if (before && !isDeepStrictEqual(before, config)) this.retire(name);
    }
    this.configs = next;
    this.takePools(pools);
  }

  /** What is configured, in the order of the configuration. */
  describe(): Promise<ProviderDescription[]> {
    return Promise.all(
      [...this.configs.values()].map(async ({ name, type, model }) => ({
        name,
        type,
        model: model ? model : await this.modelOf(name),
      })),
    );
  }

  /** @throws AppError `CONFIG_INVALID` for a name that is not configured, or a configuration that names no endpoint */
  get(name: string): LlmProvider {
    return this.provider(name);
  }

  /**
   * What is known of a provider's model, within a moment. Undefined: nothing, since it is not configured, or no longer,
   * or leads nowhere. Never throws.
   */
  async facts(name: string): Promise<ModelFacts | undefined> {
    const config = this.configs.get(name);
    if (!config) return undefined;
    try {
      const known = await this.provider(name).facts(AbortSignal.timeout(MODEL_MS));
      return { ...known, maxTokens: config.maxTokens };
    } catch {
      return undefined;
    }
  }

  /** How a provider is to be asked. */
  sampling(name: string): { temperature: number; topP: number } {
    const { temperature, topP } = this.config(name);
    return { temperature, topP };
  }

  /** Longest time of one call at a provider, whatever rule leads there, in milliseconds. */
  timeoutMs(name: string): number {
    return this.config(name).timeoutMs;
  }

  /** The pool of the endpoint that a provider leads to at this moment; undefined: any number of calls at once. */
  pool(name: string): PoolPolicy | undefined {
    return this.pools.get(name);
  }

  /** Asks every provider for a sign of life, all at once. */
  checkAll(timeoutMs?: number): Promise<ProviderHealth[]> {
    return this.check([...this.configs.keys()], timeoutMs);
  }

  /** Asks some providers for a sign of life, all at once. */
  check(names: readonly string[], timeoutMs: number = CHECK_MS): Promise<ProviderHealth[]> {
    return Promise.all(names.map((name) => this.checkOne(name, timeoutMs)));
  }

  /** Gets a provider ready for its first call: loads its library, or its model. */
  async warmUp(name: string, signal: AbortSignal): Promise<void> {
    await this.provider(name).warmUp(signal);
  }

  async close(): Promise<void> {
    await Promise.all([...this.built.values(), ...this.replaced].map((provider) => provider.close()));
  }

  private takePools(pools: Pools): void {
    for (const name of this.configs.keys()) {
      this.pools.set(name, Object.hasOwn(pools, name) ? pools[name] : undefined);
    }
  }

  private config(name: string): ProviderConfig {
    const config = this.configs.get(name) ?? this.former.get(name);
    if (config) return config;
    const known = [...this.configs.keys()].join(', ') || 'none';
    throw new AppError('CONFIG_INVALID', `There is no provider "${name}". Configured: ${known}.`);
  }

  private provider(name: string): WarmProvider {
    const built = this.built.get(name) ?? build(this.config(name));
    this.built.set(name, built);
    return built;
  }

  private retire(name: string): void {
    const provider = this.built.get(name);
    if (provider) this.replaced.push(provider);
    this.built.delete(name);
  }

  /** The model that an endpoint chooses, if it says so soon; a name that comes later is known the next time. */
  private async modelOf(name: string): Promise<string | null> {
    try {
      return await orAborted(this.provider(name).model(), AbortSignal.timeout(MODEL_MS));
    } catch {
      return null;
    }
  }

  private async checkOne(name: string, timeoutMs: number): Promise<ProviderHealth> {
    const began = Date.now();
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      await this.provider(name).check(signal);
      return { name, ok: true, ms: Date.now() - began };
    } catch (error) {
      const late = signal.aborted && error === signal.reason;
      const reason = late ? `${name} did not answer within ${timeoutMs} ms` : messageOf(error);
      return { name, ok: false, ms: Date.now() - began, reason };
    }
  }
}

const byName = (configs: readonly ProviderConfig[]): ReadonlyMap<string, ProviderConfig> =>
  new Map(configs.map((config) => [config.name, config]));

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'failed');

function build(config: ProviderConfig): WarmProvider {
  const { name, type, modelPath, apiKey, model, contextLength, capabilities } = config;
  const known = { ...(contextLength !== undefined && { contextLength }), ...(capabilities && { capabilities }) };
  if (type === 'embedded') {
    return new EmbeddedProvider({ name, modelPath: needed(modelPath, name, 'model file'), ...known });
  }
  const own = type === 'openai-compatible' ? undefined : VENDOR_URLS[type];
  const options = {
    name,
    baseUrl: needed(config.baseUrl ?? own, name, 'base_url'),
    ...(apiKey !== undefined && { apiKey }),
    ...(model !== undefined && { model }),
    ...known,
  };
  return type === 'ollama' ? new OllamaProvider(options) : new OpenAiCompatibleProvider({ ...options, kind: type });
}

function needed(value: string | undefined, provider: string, part: string): string {
  if (value) return value;
  throw new AppError('CONFIG_INVALID', `Provider "${provider}" needs a ${part}.`);
}
