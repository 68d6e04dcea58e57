import { z } from 'zod';
import { namedCrew } from '../contracts/virtual-models.js';
import type { CallOptions } from '../contracts/chat.js';
import type { RouteSubmission } from '../contracts/request.js';
import {
  about,
  isGiven,
  maybe,
  present,
  refuse,
  storableRecord,
  strangersIn,
  streamOptions,
  submissionOf,
  words,
  type AnswerStyle,
} from './openai-common.js';
import { crewSubmission } from './openai-crew.js';
import { messages, promptOf } from './openai-messages.js';
import { responseFormat, speaksOfFunctions, toolFields, toolingOf } from './openai-tools.js';

const tokens = maybe(
  z
    .int()
    .min(1)
    .max(2 ** 31 - 1),
);
const penalty = maybe(z.number().min(-2).max(2));
const [MOST_STOPS, LONGEST_STOP, MOST_BIASES, MOST_LOGPROBS] = [16, 1_000, 2_048, 20];
const stopText = words.pipe(z.string().max(LONGEST_STOP, `a text of stop has at most ${LONGEST_STOP} letters`));

/** Texts that end an answer; an empty one ends nothing. */
const stop = maybe(
  z
    .union([stopText, z.array(stopText).max(MOST_STOPS)], {
      error: `stop is a text, or a list of at most ${MOST_STOPS}`,
    })
    .transform((given) => {
      const texts = [given].flat().filter((text) => text !== '');
      return texts.length > 0 ? texts : undefined;
    }),
);

const logitBias = maybe(
  z
    .record(z.string().regex(/^\d{1,9}$/, 'keys are ids of tokens'), z.number().min(-100).max(100))
    .refine((bias) => Object.keys(bias).length <= MOST_BIASES, `at most ${MOST_BIASES} tokens`)
    .transform((bias) => (Object.keys(bias).length > 0 ? bias : undefined)),
);

const ONE_ANSWER = 'one answer is given to a request: leave n out, or send 1';
const one = maybe(
  z.number().superRefine((n, context) => {
    if (n !== 1) refuse(context, [], ONE_ANSWER, 'unsupported_value');
  }),
);

/** Parameters of sampling and length that `/v1/chat/completions` and `/v1/completions` share. */
export const sampling = {
  max_tokens: tokens,
  temperature: maybe(z.number().min(0).max(2)),
  top_p: maybe(z.number().min(0).max(1)),
  stop,
  n: one,
  seed: maybe(z.int()),
  presence_penalty: penalty,
  frequency_penalty: penalty,
  logit_bias: logitBias,
  stream: maybe(z.boolean()),
  stream_options: maybe(streamOptions),
};

type Sampling = z.output<z.ZodObject<typeof sampling>>;

/** What of the sampling goes into a call. */
export const samplingOf = (body: Omit<Sampling, 'n' | 'stream' | 'stream_options'>): CallOptions =>
  present({
    maxTokens: body.max_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    stop: body.stop,
    seed: body.seed,
    presencePenalty: body.presence_penalty,
    frequencyPenalty: body.frequency_penalty,
    logitBias: body.logit_bias,
  });

/** Names of endpoints' own dialects that are passed on as they are, whatever they hold. */
const DIALECT = [
  ...['chat_template_kwargs', 'enable_thinking', 'thinking', 'think', 'reasoning', 'include_reasoning'],
  ...['top_k', 'min_p', 'top_a', 'repetition_penalty', 'repeat_penalty'],
  ...['guided_json', 'guided_regex', 'guided_choice'],
  ...['safety_identifier', 'prompt_cache_key', 'verbosity', 'prediction'],
];
/** Most bytes of JSON that all of them may have. */
const MOST_DIALECT = 65_536;

/** The fields of a body that are passed on. */
export function dialectIn(body: object, context: Parameters<typeof refuse>[0]): Record<string, unknown> | undefined {
  const given = Object.entries(body).filter(([name, value]) => DIALECT.includes(name) && isGiven(value));
  const [first] = given;
  if (!first) return undefined;
  const dialect = storableRecord(Object.fromEntries(given), context, [first[0]]);
  if (Buffer.byteLength(JSON.stringify(dialect)) > MOST_DIALECT) {
    const [largest] = given.toSorted(([, a], [, b]) => JSON.stringify(b).length - JSON.stringify(a).length);
    refuse(context, [(largest ?? first)[0]], `holds more than ${MOST_DIALECT} bytes`, 'invalid_value');
  }
  return dialect;
}

/** What is refused by its name, since an answer without it would not be what was asked for. */
const absent = (message: string) =>
  z
    .unknown()
    .superRefine((value, context) => {
      if (isGiven(value)) refuse(context, [], message, 'unsupported_parameter');
    })
    .optional();

const fields = {
  ...about,
  ...sampling,
  ...toolFields,
  messages,
  max_completion_tokens: tokens,
  logprobs: maybe(z.boolean()),
  top_logprobs: maybe(z.int().min(0).max(MOST_LOGPROBS)),
  response_format: maybe(responseFormat),
  reasoning_effort: maybe(z.string().regex(/^[a-z]{1,16}$/, 'is a word such as low, medium or high')),
  modalities: maybe(z.array(z.string())),
  audio: absent('answers are text here: leave audio out'),
  web_search_options: absent('nothing is searched in the web here: leave web_search_options out'),
};

const Wire = z.looseObject(fields);
type Body = z.output<typeof Wire>;

/** All names that have a meaning. */
const KNOWN: readonly string[] = [...Object.keys(fields), ...DIALECT];

/** Those of a crew, whose agents have their own. */
const KNOWN_OF_CREWS: readonly string[] = [...Object.keys(about), 'messages', 'n', 'stream', 'stream_options'];

/** A conversation that was read, and how its answer is to be written. */
export interface ChatRequest {
  submission: RouteSubmission;
  style: AnswerStyle & {
    /** The client speaks of functions, as tools were called before. */
    functions: boolean;
  };
}

function logprobsOf({ logprobs, top_logprobs: top }: Body, context: Parameters<typeof refuse>[0]): number | undefined {
  if (logprobs) return top ?? 0;
  if (top !== undefined && top > 0) refuse(context, ['top_logprobs'], 'needs logprobs to be true', 'invalid_value');
  return undefined;
}

function optionsOf(body: Body, context: Parameters<typeof refuse>[0]): CallOptions {
  if (body.modalities?.some((kind) => kind !== 'text')) {
    refuse(context, ['modalities'], 'answers are text here: leave modalities out', 'unsupported_value');
  }
  return {
    ...samplingOf({ ...body, max_tokens: body.max_completion_tokens ?? body.max_tokens }),
    ...toolingOf(body, context),
    ...present({
      logprobs: logprobsOf(body, context),
      responseFormat: body.response_format,
      reasoningEffort: body.reasoning_effort,
      dialect: dialectIn(body, context),
    }),
  };
}

/** How the answer to a body that may be streamed is to be written. */
export const styleOf = (
  body: Pick<Body, 'model' | 'stream' | 'stream_options'>,
  known: readonly string[],
): AnswerStyle => ({
  model: body.model,
  stream: body.stream ?? false,
  includeUsage: body.stream_options?.include_usage ?? false,
  ignored: strangersIn(body, known),
});

/** Body of `POST /v1/chat/completions`. */
export const ChatCompletionSchema = Wire.transform((body, context): ChatRequest => {
  const options = optionsOf(body, context);
  const submission = submissionOf(body, promptOf(body.messages));
  const crew = namedCrew(body.model);
  return {
    submission:
      crew === undefined
        ? { ...submission, call: { kind: 'chat', messages: body.messages, options } }
        : crewSubmission(submission, crew, context),
    style: {
      ...styleOf(body, crew === undefined ? KNOWN : KNOWN_OF_CREWS),
      functions: speaksOfFunctions(body),
    },
  };
});
