import { VENDOR_URLS, type ProviderConfig } from '../src/contracts/provider-config.js';
import { QUEUES } from '../src/contracts/ids.js';
import type { CallShape, ProviderPolicy } from '../src/contracts/request.js';
import type { Env } from './env.js';
import type { ProfileProvider } from './profile-schema.js';

/** A provider as configured: how to reach it, and what a call to it may cost. */
export interface ConfiguredProvider {
  config: ProviderConfig;
  policy: ProviderPolicy;
  /** Things an operator should know that are no reason to refuse it, each with what of the provider it is about. */
  warnings: { path: string[]; reason: string }[];
}

type Kind = ProviderConfig['type'];

/** Where calls to a kind of provider run unless the profile says otherwise; measured in docs/adr/0003. */
const DEFAULT_SHAPE: Readonly<Record<Kind, CallShape>> = {
  ollama: 'queue',
  openai: 'eager',
  deepseek: 'eager',
  'openai-compatible': 'eager',
  embedded: 'eager',
};

/** Longest wait for a free worker on another queue, in milliseconds. */
const QUEUE_TIMEOUT_MS = 15_000;

const DEFAULTS = { maxTokens: 512, temperature: 0.7, topP: 1, timeoutMs: 60_000, maxAttempts: 2, retryDelayMs: 1_000 };
type Limits = typeof DEFAULTS;
/** The small local model: short answers, little invention. */
const EMBEDDED_DEFAULTS = { maxTokens: 160, temperature: 0.2 };

/** Providers that the environment offers by itself, in the order in which `auto` tries them. */
export function environmentProviders(env: Env): ProfileProvider[] {
  const providers: ProfileProvider[] = [];
  if (env.OLLAMA_BASE_URL) providers.push({ name: 'ollama', type: 'ollama', config: {} });
  if (env.OPENAI_API_KEY ?? env.OPENAI_BASE_URL) providers.push({ name: 'openai', type: 'openai', config: {} });
  if (env.DEEPSEEK_API_KEY) providers.push({ name: 'deepseek', type: 'deepseek', config: {} });
  providers.push({ name: 'embedded', type: 'embedded', config: {} });
  return providers;
}

interface Endpoint {
  baseUrl: string | undefined;
  apiKey: string | undefined;
  model: string | undefined;
}

function endpoint(kind: Kind, env: Env): Endpoint {
  switch (kind) {
    case 'ollama':
      return { baseUrl: env.OLLAMA_BASE_URL ?? VENDOR_URLS.ollama, apiKey: undefined, model: env.OLLAMA_MODEL };
    case 'openai':
      return {
        baseUrl: env.OPENAI_BASE_URL ?? VENDOR_URLS.openai,
        apiKey: env.OPENAI_API_KEY,
        model: env.OPENAI_MODEL,
      };
    case 'deepseek':
      return {
        baseUrl: env.DEEPSEEK_BASE_URL ?? VENDOR_URLS.deepseek,
        apiKey: env.DEEPSEEK_API_KEY,
        model: undefined,
      };
    default:
      return { baseUrl: undefined, apiKey: undefined, model: undefined };
  }
}

const defined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

/** What a call may cost, as the profile says, or as is usual for the kind. */
function limitsOf({ type, config }: ProfileProvider): Limits {
  const base = type === 'embedded' ? { ...DEFAULTS, ...EMBEDDED_DEFAULTS } : DEFAULTS;
  return {
    maxTokens: config.max_tokens ?? base.maxTokens,
    temperature: config.temperature ?? base.temperature,
    topP: config.top_p ?? base.topP,
    timeoutMs: config.timeout_ms ?? base.timeoutMs,
    maxAttempts: config.max_attempts ?? base.maxAttempts,
    retryDelayMs: config.retry_delay_ms ?? base.retryDelayMs,
  };
}

/** The key for a provider: the one that the profile names, else the vendor's, which goes nowhere but to its own address. */
function keyOf(
  provider: ProfileProvider,
  offered: Endpoint,
  secrets: NodeJS.ProcessEnv,
): { apiKey?: string | undefined; warning?: ConfiguredProvider['warnings'][number] } {
  const { base_url: baseUrl, api_key_env: variable } = provider.config;
  if (variable !== undefined) {
    const named = secrets[variable];
    const reason = `the variable ${variable} is not set: no key is sent`;
    return named ? { apiKey: named } : { warning: { path: ['config', 'api_key_env'], reason } };
  }
  if (offered.apiKey === undefined || baseUrl === undefined || sameOrigin(baseUrl, offered.baseUrl)) {
    return { apiKey: offered.apiKey };
  }
  const reason = `this is not where the key of ${provider.type} belongs, so none is sent: name one with api_key_env`;
  return { warning: { path: ['config', 'base_url'], reason } };
}

const sameOrigin = (one: string, other: string | undefined): boolean =>
  other !== undefined && new URL(one).origin === new URL(other).origin;

/** Joins what the profile says with what the environment offers. */
export function configureProvider(provider: ProfileProvider, env: Env, secrets: NodeJS.ProcessEnv): ConfiguredProvider {
  const { name, type, config } = provider;
  const offered = endpoint(type, env);
  const { apiKey, warning } = keyOf(provider, offered, secrets);
  const { temperature, topP, ...policy } = limitsOf(provider);
  const shape = config.shape ?? DEFAULT_SHAPE[type];
  return {
    config: defined({
      name,
      type,
      baseUrl: config.base_url ?? offered.baseUrl,
      apiKey,
      model: config.model ?? offered.model,
      modelPath: type === 'embedded' ? env.EMBEDDED_MODEL : undefined,
      contextLength: config.context_length,
      capabilities: config.capabilities,
      temperature,
      topP,
      ...policy,
    }),
    policy: {
      ...policy,
      queueTimeoutMs: QUEUE_TIMEOUT_MS,
      shape,
      queue: shape === 'queue' ? QUEUES.ollama : QUEUES.orchestrator,
      ...(config.price === undefined ? {} : { price: config.price }),
    },
    warnings: warning === undefined ? [] : [warning],
  };
}
