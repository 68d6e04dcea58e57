import type { CallOptions } from '../contracts/chat.js';
import type { RouteSubmission } from '../contracts/request.js';
import { storableRecord, type refuse } from './openai-common.js';

type Context = Parameters<typeof refuse>[0];

/** The object that a text is; undefined: it is words. */
function objectIn(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A conversation with a crew: its last words are what the crew is to do, or its inputs where they are a JSON object. What
 * was said before is not told to the crew.
 */
export function crewSubmission(submission: RouteSubmission, crew: string, context: Context): RouteSubmission {
  const { prompt } = submission;
  const given = objectIn(prompt);
  const inputs = given ? storableRecord(given, context, ['messages']) : {};
  return { ...submission, mode: 'crew', prompt: given ? '' : prompt, crew: { id: crew, inputs } };
}

/** What is asked of a model, by OpenAI's names: a crew's agents have their own. */
const NAMES: Readonly<Partial<Record<keyof CallOptions, string>>> = {
  maxTokens: 'max_tokens',
  temperature: 'temperature',
  topP: 'top_p',
  stop: 'stop',
  seed: 'seed',
  presencePenalty: 'presence_penalty',
  frequencyPenalty: 'frequency_penalty',
  logitBias: 'logit_bias',
  tools: 'tools',
  toolChoice: 'tool_choice',
  parallelToolCalls: 'parallel_tool_calls',
  logprobs: 'logprobs',
  responseFormat: 'response_format',
  reasoningEffort: 'reasoning_effort',
};

/** Names of parameters that mean nothing to a crew. */
export const ignoredByCrews = (options: CallOptions): string[] => [
  ...Object.entries(NAMES).flatMap(([name, told]) => (options[name as keyof CallOptions] === undefined ? [] : [told])),
  ...Object.keys(options.dialect ?? {}),
];
