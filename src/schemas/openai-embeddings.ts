import { z } from 'zod';
import type { EmbeddingsCall } from '../contracts/chat.js';
import type { RouteSubmission } from '../contracts/request.js';
import { beginningOf } from '../contracts/text.js';
import { about, maybe, present, strangersIn, submissionOf, words } from './openai-common.js';

const MOST_INPUTS = 256;
const INPUT = `input is a text, or a list of 1 to ${MOST_INPUTS} texts, none empty; ids of tokens cannot be sent`;
const inputText = words.pipe(z.string().min(1));
const input = z
  .union([inputText, z.array(inputText).min(1).max(MOST_INPUTS)], { error: INPUT })
  .transform((given) => [given].flat());

/** How much of the texts is kept beside them as what was asked, in UTF-16 units. */
const LONGEST_PROMPT = 16_384;

const fields = {
  ...about,
  input,
  encoding_format: maybe(z.enum(['float', 'base64'])),
  dimensions: maybe(z.int().min(1).max(65_536)),
};

/** Texts that were read, and how their vectors are to be written. */
export interface EmbeddingsRequest {
  submission: RouteSubmission;
  style: { model: string; base64: boolean; ignored: string[] };
}

/** Body of `POST /v1/embeddings`. */
export const EmbeddingsSchema = z.looseObject(fields).transform((body): EmbeddingsRequest => {
  const call: EmbeddingsCall = { kind: 'embeddings', input: body.input, ...present({ dimensions: body.dimensions }) };
  return {
    submission: { ...submissionOf(body, beginningOf(body.input.join('\n'), LONGEST_PROMPT)), call },
    style: {
      model: body.model,
      base64: body.encoding_format === 'base64',
      ignored: strangersIn(body, Object.keys(fields)),
    },
  };
});
