import { z } from 'zod';
import type { TokenLogprob } from '../../contracts/chat.js';
import type { Usage } from '../../contracts/request.js';
import type { GenerateChunk } from './provider.js';
import { usageOf } from './usage.js';

/** As little as it can be: what a probability of 0 is to OpenAI, since JSON has no infinity. */
const LEAST_LOGPROB = -9_999;

const alternative = z.object({
  token: z.string(),
  logprob: z
    .number()
    .nullish()
    .transform((value) => value ?? LEAST_LOGPROB),
  bytes: z
    .array(z.number())
    .nullish()
    .transform((value) => value ?? null),
});
const logprob = alternative.extend({
  top_logprobs: z
    .array(alternative)
    .nullish()
    .transform((value) => value ?? []),
});

const toolCall = z.object({
  index: z.number().int().min(0).nullish(),
  id: z.string().nullish(),
  function: z
    .object({
      name: z.string().nullish(),
      // A few endpoints send the object itself, in one piece.
      arguments: z
        .union([z.string(), z.record(z.string(), z.unknown()).transform((it) => JSON.stringify(it))])
        .nullish(),
    })
    .nullish(),
});

const delta = z.object({
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  tool_calls: z.array(toolCall).nullish(),
});

/** Counts as OpenAI tells them, and DeepSeek's own word for what it had read before. */
const usage = z.object({
  prompt_tokens: z.number().nullish(),
  completion_tokens: z.number().nullish(),
  prompt_tokens_details: z.object({ cached_tokens: z.number().nullish() }).nullish(),
  prompt_cache_hit_tokens: z.number().nullish(),
  completion_tokens_details: z.object({ reasoning_tokens: z.number().nullish() }).nullish(),
});

/** As much of a chunk as we read. Endpoints differ in what they send as null, as [] and not at all. */
const Chunk = z.object({
  choices: z
    .array(
      z.object({
        delta: delta.nullish(),
        logprobs: z.object({ content: z.array(logprob).nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: usage.nullish(),
});
type Choice = NonNullable<z.output<typeof Chunk>['choices']>[number];
type Delta = z.output<typeof delta>;

type Piece = Exclude<GenerateChunk, { type: 'end' }>;

export interface ChunkRead {
  pieces: Piece[];
  finishReason: string | undefined;
  usage: Usage | undefined;
}

/** A refusal is what the model has to say, and the client has no other place to read it. */
function textOf({ content, refusal }: Delta, logprobs: TokenLogprob[] | null | undefined): Piece[] {
  const text = (content ?? '') + (refusal ?? '');
  if (logprobs && logprobs.length > 0) return [{ type: 'text', text, logprobs }];
  return text === '' ? [] : [{ type: 'text', text }];
}

function reasoningOf({ reasoning_content, reasoning }: Delta): Piece[] {
  const text = reasoning_content || reasoning;
  return text ? [{ type: 'reasoning', text }] : [];
}

const callsOf = ({ tool_calls }: Delta): Piece[] =>
  (tool_calls ?? []).map(({ index, id, function: called }, position) => ({
    type: 'tool_call',
    index: index ?? position,
    ...(id && { id }),
    ...(called?.name && { name: called.name }),
    arguments: called?.arguments ?? '',
  }));

const piecesOf = ({ delta, logprobs }: Choice): Piece[] => [
  ...(delta ? reasoningOf(delta) : []),
  ...textOf(delta ?? {}, logprobs?.content),
  ...(delta ? callsOf(delta) : []),
];

/** Usage as an endpoint counted it. */
export function usageIn(counted: z.output<typeof usage> | null | undefined): Usage | undefined {
  if (!counted) return undefined;
  return usageOf(counted.prompt_tokens, counted.completion_tokens, {
    cached: counted.prompt_tokens_details?.cached_tokens ?? counted.prompt_cache_hit_tokens,
    reasoning: counted.completion_tokens_details?.reasoning_tokens,
  });
}

/** Reads one event of a streamed answer; throws what zod throws on what is no such event. */
export function readChunk(raw: unknown): ChunkRead {
  const { choices, usage: counted } = Chunk.parse(raw);
  const choice = choices?.[0];
  return {
    pieces: choice ? piecesOf(choice) : [],
    finishReason: choice?.finish_reason ?? undefined,
    usage: usageIn(counted),
  };
}

/** What was said, as it costs tokens. */
export const costing = (piece: Piece): string =>
  piece.type === 'tool_call' ? (piece.name ?? '') + piece.arguments : piece.text;
