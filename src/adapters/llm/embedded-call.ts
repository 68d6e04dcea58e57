import { messageText, type CallOptions, type ChatMessage, type ResponseFormat } from '../../contracts/chat.js';
import type { GenerateMessage } from './embedded-protocol.js';
import { boundedSchema } from './embedded-schema.js';
import { ProviderError, type GenerateCall } from './provider.js';

/** Parameters on the wire that this model cannot heed. How long to think is no matter to one that never does. */
export const EMBEDDED_LACKS = [
  ...['tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call'],
  ...['logit_bias', 'logprobs', 'top_logprobs', 'guided_json', 'guided_regex', 'guided_choice'],
] as const;

const refused = (message: string, parameter: string): ProviderError =>
  new ProviderError('ProviderRejected', message, undefined, { parameter });

type PlainMessage = GenerateMessage['messages'][number];

function plainMessage(message: ChatMessage): PlainMessage {
  const { role, content } = message;
  if (role === 'tool' || (role === 'assistant' && (message.toolCalls?.length ?? 0) > 0)) {
    throw refused('the model of this machine knows no tools: leave their calls and results out', 'messages');
  }
  if (Array.isArray(content) && content.some(({ type }) => type !== 'text')) {
    throw refused('the model of this machine reads text alone: leave images out', 'messages');
  }
  return { role, content: messageText(message) };
}

const formatOf = (format: ResponseFormat): NonNullable<GenerateMessage['format']> =>
  format.type === 'json_object' ? { type: 'json' } : { type: 'schema', schema: boundedSchema(format.schema) };

type Wishes = Pick<GenerateMessage, 'stop' | 'seed' | 'presencePenalty' | 'frequencyPenalty' | 'format'>;

function wishesOf({ stop, seed, presencePenalty, frequencyPenalty, responseFormat }: CallOptions): Wishes {
  const triggers = stop?.filter((text) => text !== '');
  return {
    ...(triggers?.length && { stop: triggers }),
    // The library's seeds have 32 bits.
    ...(seed !== undefined && { seed: Number(BigInt.asUintN(32, BigInt(Math.trunc(seed)))) }),
    ...(presencePenalty !== undefined && { presencePenalty }),
    ...(frequencyPenalty !== undefined && { frequencyPenalty }),
    ...(responseFormat && { format: formatOf(responseFormat) }),
  };
}

/**
 * A call as the embedded model's process is told it.
 * @throws ProviderError `ProviderRejected`, with the parameter, for what this model cannot do
 */
export function embeddedCall(call: GenerateCall): Omit<GenerateMessage, 'type' | 'id'> {
  const { messages, maxTokens, temperature, topP, options = {} } = call;
  if (options.tools?.length && options.toolChoice !== 'none') {
    throw refused('the model of this machine cannot call tools', 'tools');
  }
  return { messages: messages.map(plainMessage), maxTokens, temperature, topP, ...wishesOf(options) };
}
