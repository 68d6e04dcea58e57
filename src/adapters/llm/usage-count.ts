import { setImmediate } from 'node:timers/promises';
import type { CallOptions, ChatMessage, ContentPart } from '../../contracts/chat.js';
import type { Usage } from '../../contracts/request.js';
import { usageOf } from './usage.js';

/** What OpenAI's template adds around each message, and around the whole. */
const TOKENS_PER_MESSAGE = 3;
const TOKENS_PER_PROMPT = 3;
/** An image as OpenAI counts it: small, or of four tiles. */
const TOKENS_PER_IMAGE = { low: 85, auto: 765, high: 765 };

/**
 * The tokenizer takes quadratic time for long runs of letters, so it gets slices, and other work its turn between them.
 * A cut costs a token at most.
 */
const SLICE = 1_024;
const SLICES_PER_TURN = 16;
/** Texts longer than this are estimated by a sample, in UTF-16 units. */
const LONGEST = 200_000;
const SAMPLES = 40;

type Count = (text: string) => number;
let loading: Promise<Count> | undefined;

/** Its tables are 75 MB and take half a second to load, so that only those pay for them who need them. */
function tokenizer(): Promise<Count> {
  // Names of special tokens are plain text here: by default the library throws on them.
  const options = { disallowedSpecial: new Set<string>() };
  loading ??= import('gpt-tokenizer/encoding/o200k_base').then(
    ({ countTokens }) =>
      (text) =>
        countTokens(text, options),
  );
  return loading;
}

/** The slices of a text; of a long one so many as are counted for all. */
function slicesOf(text: string): string[] {
  const all = Math.ceil(text.length / SLICE);
  const taken = text.length > LONGEST ? SAMPLES : all;
  return Array.from({ length: taken }, (_, index) => {
    const at = Math.floor((index * all) / taken) * SLICE;
    return text.slice(at, at + SLICE);
  });
}

/** Tokens of a text by the tokenizer of OpenAI's current models: exact for those, near for others. */
export async function countTokens(text: string): Promise<number> {
  if (text === '') return 0;
  const count = await tokenizer();
  let [tokens, read] = [0, 0];
  for (const [index, slice] of slicesOf(text).entries()) {
    if (index > 0 && index % SLICES_PER_TURN === 0) await setImmediate();
    tokens += count(slice);
    read += slice.length;
  }
  return Math.round((tokens * text.length) / read);
}

const textOf = (part: ContentPart): string => (part.type === 'text' ? part.text : '');

/** What of a message is text to a model. */
function textsOf(message: ChatMessage): string[] {
  const { content } = message;
  const said = typeof content === 'string' ? [content] : (content ?? []).map(textOf);
  if (message.role === 'tool') return said;
  const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : [];
  return [message.name ?? '', ...said, ...calls.flatMap(({ name, arguments: given }) => [name, given])];
}

const imageTokens = ({ content }: ChatMessage): number =>
  (Array.isArray(content) ? content : []).reduce(
    (sum, part) => sum + (part.type === 'image' ? TOKENS_PER_IMAGE[part.detail ?? 'auto'] : 0),
    0,
  );

/** What was asked, as far as it costs tokens. */
export interface Asked {
  messages: readonly ChatMessage[];
  options?: CallOptions | undefined;
}

async function promptTokens({ messages, options }: Asked): Promise<number> {
  const texts = messages.flatMap(textsOf);
  if (options?.tools) texts.push(JSON.stringify(options.tools));
  if (options?.responseFormat?.type === 'json_schema') texts.push(JSON.stringify(options.responseFormat.schema));
  const around = messages.reduce((sum, message) => sum + TOKENS_PER_MESSAGE + imageTokens(message), TOKENS_PER_PROMPT);
  return around + (await countTokens(texts.filter((text) => text !== '').join('\n')));
}

/**
 * Usage of a call whose endpoint did not count, marked as `estimated`: we do not know its tokenizer.
 * @param answer everything that the model wrote: text, what it thought, names and arguments of calls
 */
export async function countedUsage(asked: Asked, answer: string): Promise<Usage> {
  return { ...usageOf(await promptTokens(asked), await countTokens(answer)), estimated: true };
}
