import type { ProviderHealth } from '../../contracts/health.js';
import { VENDOR_URLS, type ProviderConfig } from '../../contracts/provider-config.js';
import { AppError } from '../../errors/app-error.js';
import { EmbeddedProvider } from './embedded.js';
import { OllamaProvider } from './ollama.js';
import { OpenAiCompatibleProvider } from './openai-compatible.js';
import type { LlmProvider } from './provider.js';

/** What every class of ours offers beside the interface: to get ready before the first call. */
type WarmProvider = LlmProvider & { warmUp(signal: AbortSignal): Promise<void> };

/** Most time that a provider gets to show that it is there, in milliseconds. */
const CHECK_MS = 2_000;

/** All configured providers by name. Each is built when it is first asked for, so that one bad entry harms no other. */
export class LlmRegistry {
  private readonly configs: ReadonlyMap<string, ProviderConfig>;
  private readonly built = new Map<string, WarmProvider>();

  constructor(configs: readonly ProviderConfig[]) {
    this.configs = new Map(configs.map((config) => [config.name, config]));
  }

  /** @throws AppError `CONFIG_INVALID` for a name that is not configured, or a configuration that names no endpoint */
  get(name: string): LlmProvider {
    return this.provider(name);
  }

  /** How a provider is to be asked. */
  sampling(name: string): { temperature: number; topP: number } {
    const { temperature, topP } = this.config(name);
    return { temperature, topP };
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
    await Promise.all([...this.built.values()].map((provider) => provider.close()));
  }

  private config(name: string): ProviderConfig {
    const config = this.configs.get(name);
    if (config) return config;
    const known = [...this.configs.keys()].join(', ') || 'none';
    throw new AppError('CONFIG_INVALID', `There is no provider "${name}". Configured: ${known}.`);
  }

  private provider(name: string): WarmProvider {
    const built = this.built.get(name) ?? build(this.config(name));
    this.built.set(name, built);
    return built;
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

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'failed');

function build(config: ProviderConfig): WarmProvider {
  const { name, type, modelPath, apiKey, model } = config;
  if (type === 'embedded') return new EmbeddedProvider({ name, modelPath: needed(modelPath, name, 'model file') });
  const own = type === 'openai-compatible' ? undefined : VENDOR_URLS[type];
  const options = {
    name,
    baseUrl: needed(config.baseUrl ?? own, name, 'base_url'),
    ...(apiKey !== undefined && { apiKey }),
    ...(model !== undefined && { model }),
  };
  return type === 'ollama' ? new OllamaProvider(options) : new OpenAiCompatibleProvider(options);
}

function needed(value: string | undefined, provider: string, part: string): string {
  if (value) return value;
  throw new AppError('CONFIG_INVALID', `Provider "${provider}" needs a ${part}.`);
}
