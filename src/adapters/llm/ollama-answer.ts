import { z } from 'zod';
import { finishReasonOf } from './answer.js';
import { BrokenAnswer } from './faults.js';
import type { Embedded, GenerateChunk } from './provider.js';
import { usageOf } from './usage.js';
import { base64Of } from './vectors.js';

const Call = z.object({
  id: z.string().nullish(),
  function: z.object({ name: z.string(), arguments: z.unknown() }),
});
type Call = z.output<typeof Call>;

/** As much of a line as we read. */
const Part = z.object({
  message: z
    .object({ content: z.string().nullish(), thinking: z.string().nullish(), tool_calls: z.array(Call).nullish() })
    .nullish(),
  done: z.boolean().nullish(),
  done_reason: z.string().nullish(),
  prompt_eval_count: z.number().nullish(),
  eval_count: z.number().nullish(),
});

/** Arguments come as an object, from some proxies as text. */
const argumentsOf = ({ function: { arguments: given } }: Call): string =>
  typeof given === 'string' ? given : JSON.stringify(given ?? {});

/** Turns the lines of one answer into pieces. Calls of tools come whole, each in a line. */
export class OllamaAnswer {
  private calls = 0;

  /** @throws ZodError for a line of another protocol */
  read(line: unknown): GenerateChunk[] {
    const { message, ...part } = Part.parse(line);
    const pieces: GenerateChunk[] = [];
    if (message?.thinking) pieces.push({ type: 'reasoning', text: message.thinking });
    if (message?.content) pieces.push({ type: 'text', text: message.content });
    for (const call of message?.tool_calls ?? []) pieces.push(this.called(call));
    if (!part.done) return pieces;
    const usage = usageOf(part.prompt_eval_count, part.eval_count);
    const finishReason = this.calls > 0 ? 'tool_calls' : finishReasonOf(part.done_reason);
    return [...pieces, { type: 'end', finishReason, usage }];
  }

  private called(call: Call): GenerateChunk {
    const { name } = call.function;
    const index = this.calls++;
    return { type: 'tool_call', index, ...(call.id && { id: call.id }), name, arguments: argumentsOf(call) };
  }
}

const Vectors = z.object({
  embeddings: z.array(z.array(z.number()).min(1)),
  prompt_eval_count: z.number().nullish(),
});

/**
 * Reads the answer to `POST /api/embed`.
 * @param count how many texts were sent
 * @throws BrokenAnswer where there is not exactly one vector for each of them
 */
export function readVectors(raw: unknown, count: number): Embedded {
  const read = Vectors.safeParse(raw);
  if (!read.success || read.data.embeddings.length !== count) throw new BrokenAnswer('not the protocol');
  const { embeddings, prompt_eval_count } = read.data;
  return { embeddings: embeddings.map(base64Of), usage: usageOf(prompt_eval_count, 0) };
}
