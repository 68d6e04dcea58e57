import { messageText, type ChatMessage } from '../../contracts/chat.js';
import type { Usage } from '../../contracts/request.js';

/** Characters that a token stands for on average: the usual rule of thumb for English; other scripts take more tokens. */
const CHARS_PER_TOKEN = 4;
/** What a chat template adds around each message. */
const TOKENS_PER_MESSAGE = 4;

const countOf = (value: number | null | undefined): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;

/** Usage from two counts. A count that an endpoint leaves out (Ollama does so for a cached prompt) is 0. */
export function usageOf(prompt: number | null | undefined, completion: number | null | undefined): Usage {
  const prompt_tokens = countOf(prompt);
  const completion_tokens = countOf(completion);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

/**
 * Usage of a call whose endpoint did not count: four characters a token and four tokens a message, marked as
 * `estimated`. We do not know the endpoint's tokenizer, so this is an order of magnitude and no bill.
 */
export function estimateUsage(messages: readonly ChatMessage[], answer: string): Usage {
  const tokens = (text: string): number => Math.ceil(text.length / CHARS_PER_TOKEN);
  const prompt = messages.reduce((sum, message) => sum + tokens(messageText(message)) + TOKENS_PER_MESSAGE, 0);
  return { ...usageOf(prompt, tokens(answer)), estimated: true };
}
