import type { ChatRequest, Options, Tool } from 'ollama';
import { z } from 'zod';
import type { CallOptions, ResponseFormat, ToolDefinition } from '../../contracts/chat.js';
import { ollamaMessages } from './ollama-messages.js';
import type { Think } from './ollama-think.js';
import type { GenerateCall } from './provider.js';

/** `truncate` and `shift` off: a prompt that does not fit must fail, not lose its beginning, the system prompt, unnoticed. */
export type OllamaChat = ChatRequest & { stream: true; truncate: boolean; shift: boolean };

/** Parameters on the wire that Ollama's own protocol does not have. Of `tool_choice` it knows what it does by itself. */
export const OLLAMA_LACKS = [
  ...['logit_bias', 'logprobs', 'top_logprobs', 'tool_choice', 'parallel_tool_calls'],
  ...['guided_json', 'guided_regex', 'guided_choice'],
] as const;

const number = z.number().optional().catch(undefined);

/** Fields of Ollama's own that a client may send. */
const Dialect = z.object({
  top_k: number,
  min_p: number,
  repeat_penalty: number,
  repetition_penalty: number,
});

type Given<T> = { [K in keyof T]?: T[K] | undefined };

/** What is there of something; the rest is left to the model's own settings. */
const present = <T extends object>(given: Given<T>): Partial<T> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;

function samplingOf({ stop, seed, presencePenalty, frequencyPenalty, dialect }: CallOptions): Partial<Options> {
  const { top_k, min_p, repeat_penalty, repetition_penalty } = Dialect.parse(dialect ?? {});
  return present<Options>({
    stop,
    seed,
    presence_penalty: presencePenalty,
    frequency_penalty: frequencyPenalty,
    top_k,
    min_p,
    repeat_penalty: repeat_penalty ?? repetition_penalty,
  });
}

const toolOf = ({ name, description, parameters }: ToolDefinition): Tool => ({
  type: 'function',
  function: {
    name,
    ...(description !== undefined && { description }),
    parameters: { type: 'object', properties: {}, ...parameters },
  },
});

/** With `none` the model is not told of any tools, which is the only way to keep it from them. */
const toolsOf = ({ tools = [], toolChoice }: CallOptions): Pick<ChatRequest, 'tools'> =>
  tools.length === 0 || toolChoice === 'none' ? {} : { tools: tools.map(toolOf) };

const formatOf = (format: ResponseFormat | undefined): Pick<ChatRequest, 'format'> => {
  if (!format) return {};
  return { format: format.type === 'json_object' ? 'json' : format.schema };
};

/**
 * Body of `POST /api/chat`. To be made anew for each try: the library writes into it.
 * @param contextTokens of every call alike
 * @throws ProviderError `ProviderRejected` for what cannot be sent
 */
export function ollamaChat(model: string, call: GenerateCall, contextTokens: number, think: Think): OllamaChat {
  const { maxTokens, temperature, topP, options = {} } = call;
  return {
    model,
    messages: ollamaMessages(call.messages),
    stream: true,
    truncate: false,
    shift: false,
    options: {
      num_predict: maxTokens,
      num_ctx: contextTokens,
      temperature,
      top_p: topP,
      ...samplingOf(options),
    },
    ...toolsOf(options),
    ...formatOf(options.responseFormat),
    ...(think !== undefined && { think }),
  };
}
