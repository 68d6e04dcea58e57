import type OpenAI from 'openai';
import {
  messageText,
  type CallOptions,
  type ChatMessage,
  type ContentPart,
  type ResponseFormat,
  type ToolCall,
  type ToolChoice,
  type ToolDefinition,
} from '../../contracts/chat.js';
import type { EmbedCall, GenerateCall } from './provider.js';

/**
 * Parameters that we send of our own accord and some models refuse, by the name under which the refusal comes. Each is
 * given up at most once, and only where no client asked for it.
 */
const OPTIONAL = ['max_tokens', 'temperature', 'top_p', 'stream_options', 'encoding_format'] as const;
export type Optional = (typeof OPTIONAL)[number];
export const optionalOf = (name: unknown): Optional | undefined => OPTIONAL.find((one) => one === name);

/**
 * Whether a client asked for a parameter itself, so that it is not ours to give up. The cap may always come under its
 * new name.
 */
export const isAsked = (parameter: Optional, options: CallOptions | undefined): boolean =>
  (parameter === 'temperature' && options?.temperature !== undefined) ||
  (parameter === 'top_p' && options?.topP !== undefined);

type Wire = OpenAI.ChatCompletionCreateParamsStreaming;

const partOf = (part: ContentPart): OpenAI.ChatCompletionContentPart =>
  part.type === 'text'
    ? { type: 'text', text: part.text }
    : { type: 'image_url', image_url: { url: part.url, ...(part.detail && { detail: part.detail }) } };

const callOf = ({ id, name, arguments: given }: ToolCall): OpenAI.ChatCompletionMessageToolCall => ({
  id,
  type: 'function',
  function: { name, arguments: given },
});

function messageOf(message: ChatMessage): OpenAI.ChatCompletionMessageParam {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.toolCallId, content: message.content };
  const named = message.name === undefined ? {} : { name: message.name };
  if (message.role === 'assistant') {
    const { content, toolCalls = [] } = message;
    return { role: 'assistant', content, ...named, ...(toolCalls.length > 0 && { tool_calls: toolCalls.map(callOf) }) };
  }
  const { role, content } = message;
  // Instructions are text at every endpoint, and at most of them not in parts.
  if (role === 'system') return { role, content: messageText(message), ...named };
  return { role, content: typeof content === 'string' ? content : content.map(partOf), ...named };
}

const toolOf = ({ name, description, parameters, strict }: ToolDefinition): OpenAI.ChatCompletionTool => ({
  type: 'function',
  function: {
    name,
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
    ...(strict !== undefined && { strict }),
  },
});

const choiceOf = (choice: ToolChoice): OpenAI.ChatCompletionToolChoiceOption =>
  typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } };

function formatOf(format: ResponseFormat): NonNullable<Wire['response_format']> {
  if (format.type === 'json_object') return format;
  const { type, ...json_schema } = format;
  return { type, json_schema };
}

const toolsOf = ({ tools, toolChoice, parallelToolCalls }: CallOptions): Partial<Wire> => ({
  ...(tools && { tools: tools.map(toolOf) }),
  ...(toolChoice !== undefined && { tool_choice: choiceOf(toolChoice) }),
  ...(parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
});

/** What a client wants beside sampling and length. */
function optionsOf(options: CallOptions): Partial<Wire> {
  const { stop, seed, presencePenalty, frequencyPenalty, logitBias, logprobs, responseFormat } = options;
  return {
    ...(stop && { stop }),
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- by OpenAI alone, which still heeds it
    ...(seed !== undefined && { seed }),
    ...(presencePenalty !== undefined && { presence_penalty: presencePenalty }),
    ...(frequencyPenalty !== undefined && { frequency_penalty: frequencyPenalty }),
    ...(logitBias && { logit_bias: logitBias }),
    ...(logprobs !== undefined && { logprobs: true, ...(logprobs > 0 && { top_logprobs: logprobs }) }),
    ...toolsOf(options),
    ...(responseFormat && { response_format: formatOf(responseFormat) }),
    // Which words there are differs between models; one that is unknown is the endpoint's to refuse.
    ...(options.reasoningEffort !== undefined && {
      reasoning_effort: options.reasoningEffort as NonNullable<OpenAI.ReasoningEffort>,
    }),
  };
}

/**
 * Body of `POST /chat/completions`.
 * @param refused what the model is known not to take
 */
export function chatBody(model: string, call: GenerateCall, refused: ReadonlySet<Optional>): Wire {
  const { options = {} } = call;
  const sends = (parameter: Optional): boolean => !refused.has(parameter) || isAsked(parameter, options);
  return {
    ...options.dialect,
    model,
    messages: call.messages.map(messageOf),
    stream: true,
    ...(sends('stream_options') && { stream_options: { include_usage: true } }),
    ...(sends('temperature') && { temperature: call.temperature }),
    ...(sends('top_p') && { top_p: call.topP }),
    // A cap is always sent. Reasoning models refuse its old name; most other endpoints know only that one.
    [sends('max_tokens') ? 'max_tokens' : 'max_completion_tokens']: call.maxTokens,
    ...optionsOf(options),
  };
}

/** Body of `POST /embeddings`. Floats as text are three times as long, but some endpoints know nothing else. */
export const embeddingsBody = (
  model: string,
  { input, dimensions }: EmbedCall,
  refused: ReadonlySet<Optional>,
): OpenAI.EmbeddingCreateParams => ({
  model,
  input,
  encoding_format: refused.has('encoding_format') ? 'float' : 'base64',
  ...(dimensions !== undefined && { dimensions }),
});
