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
  maxTokens: number;
  temperature: number;
  topP: number;
  /** Longest time of one call, in milliseconds; the caller's signal enforces it. */
  timeoutMs: number;
  maxAttempts: number;
  retryDelayMs: number;
}
