import { createHash } from 'node:crypto';

/** An answer, decided before it is sent. */
export interface Said {
  model: string;
  finish: 'stop' | 'length' | 'tool_calls';
  promptTokens: number;
  tokens: string[];
  /** What comes before the text, a word a token. */
  reasoning?: string[];
  reasoningField?: string;
  /** Fragments of calls of tools, as they go over the wire. */
  fragments?: object[];
  calls?: object[];
  /** How many alternatives of each token are told. */
  logprobs?: number;
  usageDetails?: boolean;
}

/** The text of a message's content, whether it is text, parts or nothing. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return (content as { text?: string }[]).map(({ text }) => text ?? '').join(' ');
}

export const words = (text: string): string[] => text.match(/\S+\s*/g) ?? [];

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

/** Numbers from 0 to below 1, the same for the same seed. */
export function generatorOf(seed: number): () => number {
  let count = 0;
  return () => createHash('sha256').update(`${seed} ${count++}`).digest().readUInt32LE(0) / 2 ** 32;
}
