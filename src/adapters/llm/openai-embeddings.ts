import { z } from 'zod';
import type { Usage } from '../../contracts/request.js';
import { BrokenAnswer } from './faults.js';
import { usageOf } from './usage.js';
import { base64Of, BYTES_PER_FLOAT } from './vectors.js';

const isVector = (base64: string): boolean => {
  const { length } = Buffer.from(base64, 'base64');
  return length > 0 && length % BYTES_PER_FLOAT === 0;
};

const vector = z.union([z.string().refine(isVector), z.array(z.number()).min(1).transform(base64Of)]);

const Answer = z.object({
  data: z.array(z.object({ index: z.number().nullish(), embedding: vector })),
  usage: z.object({ prompt_tokens: z.number().nullish(), total_tokens: z.number().nullish() }).nullish(),
});

/** Vectors in the order of the input, and what they cost where the endpoint says so. */
export interface EmbeddingsRead {
  embeddings: string[];
  usage: Usage | undefined;
}

/**
 * Reads the answer to `POST /embeddings`. Some endpoints send base64, as they were asked to, some numbers.
 * @param count how many texts were sent
 * @throws BrokenAnswer where there is not exactly one vector for each of them
 */
export function readEmbeddings(raw: unknown, count: number): EmbeddingsRead {
  const read = Answer.safeParse(raw);
  if (!read.success) throw new BrokenAnswer('not the protocol');
  const { data, usage } = read.data;
  const byIndex = new Map(data.map(({ index, embedding }, position) => [index ?? position, embedding]));
  const embeddings = Array.from({ length: count }, (_, index) => byIndex.get(index) ?? '');
  if (data.length !== count || embeddings.includes('')) throw new BrokenAnswer('not the protocol');
  const tokens = usage?.prompt_tokens ?? usage?.total_tokens;
  return { embeddings, usage: typeof tokens === 'number' ? usageOf(tokens, 0) : undefined };
}
