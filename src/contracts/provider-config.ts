import type { Capability } from './chat.js';

/** Where the vendors are, unless the environment or the profile says otherwise. */
export const VENDOR_URLS = {
  ollama: 'http://127.0.0.1:11434',
  openai: 'https://api.openai.com/v1',
  deepseek: 'https://api.deepseek.com/v1',
} as const;

/** A provider as configured: plain data, resolved from profile and environment. */
export interface ProviderConfig {
  /** Name in the profile: what rules, attempts and answers call it. */
  name: string;
  type: 'ollama' | 'openai' | 'deepseek' | 'openai-compatible' | 'embedded';
  /** Where the endpoint is, with its version prefix (`…/v1`) where it has one. Absent: the vendor's own. */
  baseUrl?: string;
  apiKey?: string;
  /** Absent or empty: the first one that the endpoint lists. */
  model?: string;
  /** Weights of the `embedded` provider: a .gguf file. */
  modelPath?: string;
  /** Where the endpoint does not tell, or tells wrongly: tokens of prompt and answer together. */
  contextLength?: number;
  /** The same of what the model can do. */
  capabilities?: Capability[];
  maxTokens: number;
  temperature: number;
  topP: number;
  /** Longest time of one call, in milliseconds; the caller's signal enforces it. */
  timeoutMs: number;
  maxAttempts: number;
  retryDelayMs: number;
}
