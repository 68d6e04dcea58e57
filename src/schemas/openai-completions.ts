import { z } from 'zod';
import type { ChatMessage } from '../contracts/chat.js';
import type { RouteSubmission } from '../contracts/request.js';
import { dialectIn, sampling, samplingOf, styleOf } from './openai-chat.js';
import { about, maybe, present, refuse, submissionOf, words, type AnswerStyle } from './openai-common.js';

const ONE_PROMPT = 'prompt is one text, or a list of exactly one; ids of tokens and several prompts cannot be sent';
const prompt = z
  .union([words, z.tuple([words])], { error: ONE_PROMPT })
  .transform((given) => (typeof given === 'string' ? given : given[0]));

const fields = {
  ...about,
  ...sampling,
  prompt,
  suffix: maybe(z.string()),
  echo: maybe(z.boolean()),
  best_of: maybe(z.int()),
  logprobs: maybe(z.int().min(0).max(5)),
};
const Wire = z.looseObject(fields);
type Body = z.output<typeof Wire>;

/** A prompt that was read, and how its answer is to be written. */
export interface CompletionRequest {
  submission: RouteSubmission;
  style: AnswerStyle;
}

/** What no chat can do. */
function refuseOthers({ suffix, echo, best_of: best }: Body, context: Parameters<typeof refuse>[0]): void {
  const unsupported = (field: string, message: string): void => {
    refuse(context, [field], message, 'unsupported_parameter');
  };
  if (suffix !== undefined && suffix !== '')
    unsupported('suffix', 'nothing is filled in before an end: leave suffix out');
  if (echo === true) unsupported('echo', 'the prompt is not given back: leave echo out');
  if (best !== undefined && best !== 1) unsupported('best_of', 'one answer is made: leave best_of out, or send 1');
}

/** Body of `POST /v1/completions`. The prompt is put to a model as what a user says. */
export const CompletionSchema = Wire.transform((body, context): CompletionRequest => {
  refuseOthers(body, context);
  const dialect = dialectIn(body, context);
  const messages: ChatMessage[] = [{ role: 'user', content: body.prompt }];
  const options = { ...samplingOf(body), ...present({ logprobs: body.logprobs, dialect }) };
  return {
    submission: { ...submissionOf(body, body.prompt), call: { kind: 'chat', messages, options } },
    style: styleOf(body, [...Object.keys(fields), ...Object.keys(dialect ?? {})]),
  };
});
