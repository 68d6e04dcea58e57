import type { ModelFacts } from '../../src/contracts/chat.js';
import type { PoolPolicy } from '../../src/contracts/request.js';
import type { LlmProvider } from '../../src/adapters/llm/provider.js';

/** What the activity needs of a provider: the endpoint, and how it is to be asked. */
export interface ProviderAccess {
  get(name: string): LlmProvider;
  sampling(name: string): { temperature: number; topP: number };
  /** Longest time of one call, whatever rule leads there, in milliseconds. */
  timeoutMs(name: string): number;
  /** What is known of the model; undefined: nothing. */
  facts(name: string): Promise<ModelFacts | undefined>;
  /** The pool of the endpoint that `get` gives at this moment; undefined: any number of calls at once. */
  pool(name: string): PoolPolicy | undefined;
}
