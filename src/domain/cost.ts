import { messageText, type AnswerParts, type CallOptions, type ChatMessage } from '../contracts/chat.js';
import type { Price, Usage } from '../contracts/request.js';
import { estimateTokens } from '../contracts/text.js';

/** Parts of a dollar that are told and stored: eight decimals, like the column `usage_daily.cost_usd`. */
const UNITS_PER_DOLLAR = 1e8;
const TOKENS_PER_PRICE = 1_000_000;

/** Whole units of 1e-8 dollars, without what binary fractions leave behind. */
const roundUsd = (usd: number): number => Math.round(usd * UNITS_PER_DOLLAR) / UNITS_PER_DOLLAR;

/** What an answer cost, in US dollars, to 1e-8; 0 for a free provider. */
export function costOf(usage: Pick<Usage, 'prompt_tokens' | 'completion_tokens'>, price: Price): number {
  // Divided last: prices are decimal numbers of a few digits, their products with counts nearly exact.
  return roundUsd((usage.prompt_tokens * price.prompt + usage.completion_tokens * price.completion) / TOKENS_PER_PRICE);
}

/** What was sent to a model. */
export interface Sent {
  messages: readonly ChatMessage[];
  /** Definitions of tools and the schema of the answer are read by the model too. */
  options?: CallOptions | undefined;
}

/** What an image takes at most vendors, in tokens. */
const IMAGE_TOKENS = 800;

/**
 * What an answer used that broke off before its provider could count it: upper estimates of what was sent and of what had
 * come, so that breaking off is not cheaper than waiting for the end.
 */
export function estimatedUsage({ messages, options }: Sent, text: string, parts: AnswerParts = {}): Usage {
  const prompt_tokens = messages.reduce((sum, message) => sum + tokensOf(message), 0) + tokensBeside(options);
  const calls = (parts.toolCalls ?? []).map(({ name, arguments: given }) => name + given);
  const completion_tokens = estimateTokens([text, parts.reasoning ?? '', ...calls].join(''));
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens, estimated: true };
}

function tokensOf(message: ChatMessage): number {
  const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : [];
  const images = Array.isArray(message.content) ? message.content.filter(({ type }) => type === 'image').length : 0;
  const asked = calls.reduce((sum, { id, name, arguments: given }) => sum + estimateTokens(id + name + given), 0);
  const answered = message.role === 'tool' ? message.toolCallId : '';
  const who = estimateTokens(`${'name' in message ? (message.name ?? '') : ''}${answered}`);
  return estimateTokens(messageText(message)) + asked + who + images * IMAGE_TOKENS;
}

const tokensBeside = ({ tools, responseFormat, dialect }: CallOptions = {}): number =>
  [tools, responseFormat, dialect].reduce<number>(
    (sum, part) => sum + (part ? estimateTokens(JSON.stringify(part)) : 0),
    0,
  );

/** The same use with what it cost, where the provider has a price. */
export const priced = (usage: Usage, price: Price | undefined): Usage =>
  price ? { ...usage, cost_usd: costOf(usage, price) } : usage;

/** A sum of amounts in US dollars, to 1e-8. */
export const sumUsd = (amounts: readonly number[]): number =>
  roundUsd(amounts.reduce((sum, amount) => roundUsd(sum + amount), 0));
