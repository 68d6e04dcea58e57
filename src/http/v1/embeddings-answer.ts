import { openAiUsage, type Answer } from './outcome.js';

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** The numbers of a vector that is kept as little-endian 32-bit floats in base64. */
export function numbersOf(base64: string): number[] {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: Math.floor(bytes.length / BYTES) }, (_, at) => bytes.readFloatLE(at * BYTES));
}

/** The body of `/v1/embeddings`. */
export function embeddingList({ data, usage }: Answer, form: { model: string; base64: boolean }): object {
  const { prompt_tokens, total_tokens } = { prompt_tokens: 0, total_tokens: 0, ...openAiUsage(usage) };
  return {
    object: 'list',
    data: (data.embeddings ?? []).map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: form.base64 ? vector : numbersOf(vector),
    })),
    model: form.model,
    usage: { prompt_tokens, total_tokens, ...(usage?.estimated && { estimated: true }) },
  };
}
