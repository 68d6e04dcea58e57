import { createHash } from 'node:crypto';

/** An answer, decided before it is sent. */
export interface Said {
  model: string;
  finish: 'stop' | 'length';
  promptTokens: number;
  tokens: string[];
}

const words = (text: string): string[] => text.match(/\S+\s*/g) ?? [];

/** Name of a prompt in the counters: its first `#word` if it has one, else the beginning of its hash. */
export function markerOf(prompt: string): string {
  const named = /#([\w-]+)/.exec(prompt)?.[1];
  return named ?? createHash('sha256').update(prompt).digest('hex').slice(0, 12);
}

/**
 * The answer to a conversation, a word a token: `echo #<marker> (<n> messages) <the last message>`, filled up with
 * `w<n>` or cut to `length` tokens if that is not 0, and cut at `maxTokens`.
 */
export function say(
  model: string,
  messages: readonly { content: string }[],
  length: number,
  maxTokens: number | undefined,
): Said {
  const prompt = messages.at(-1)?.content ?? '';
  const echo = words(`echo #${markerOf(prompt)} (${messages.length} messages) ${prompt}`);
  const padding = Array.from({ length: Math.max(0, length - echo.length) }, (_, index) => ` w${echo.length + index}`);
  const full = length > 0 ? [...echo, ...padding].slice(0, length) : echo;
  const tokens = full.slice(0, maxTokens);
  return {
    model,
    finish: tokens.length < full.length ? 'length' : 'stop',
    promptTokens: messages.reduce((sum, { content }) => sum + words(content).length, 0),
    tokens,
  };
}
