import type { Message, ToolCall as OllamaToolCall } from 'ollama';
import { messageText, type ChatMessage, type ContentPart, type ToolCall } from '../../contracts/chat.js';
import { ProviderError } from './provider.js';

const IMAGE = /^data:image\/[\w.+-]+;base64,/i;

/**
 * The bytes of an image. Never its text: the `ollama` library takes a text for the path of a file if there is one of
 * that name, and `/etc/profile` is good base64.
 */
function imageOf(url: string): Uint8Array {
  const head = IMAGE.exec(url)?.[0];
  const bytes = Buffer.from(head === undefined ? '' : url.slice(head.length), 'base64');
  if (bytes.length > 0) return bytes;
  const message = 'this model fetches no images: send each of them as a data: URI (data:image/png;base64,…)';
  throw new ProviderError('ProviderRejected', message, undefined, { parameter: 'messages' });
}

const imagesOf = (content: string | ContentPart[]): Uint8Array[] =>
  typeof content === 'string' ? [] : content.flatMap((part) => (part.type === 'image' ? [imageOf(part.url)] : []));

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Arguments are an object here. What a model wrote badly is kept: it is to see what it did. */
const argumentsOf = (text: string): Record<string, unknown> =>
  text.trim() === '' ? {} : (objectIn(text) ?? { arguments: text });

const callOf = ({ name, arguments: text }: ToolCall): OllamaToolCall => ({
  function: { name, arguments: argumentsOf(text) },
});

/**
 * A conversation as Ollama reads it. Results of tools go by the name of the tool, which is found by the call's id.
 * @throws ProviderError `ProviderRejected` for an image that is an address
 */
export function ollamaMessages(messages: readonly ChatMessage[]): Message[] {
  const names = new Map<string, string>();
  return messages.map((message) => {
    const { role } = message;
    if (role === 'tool') {
      const name = names.get(message.toolCallId);
      return { role, content: message.content, ...(name !== undefined && { tool_name: name }) };
    }
    const content = messageText(message);
    if (role !== 'assistant') {
      const images = imagesOf(message.content);
      return { role, content, ...(images.length > 0 && { images }) };
    }
    const calls = message.toolCalls ?? [];
    for (const { id, name } of calls) names.set(id, name);
    return { role, content, ...(calls.length > 0 && { tool_calls: calls.map(callOf) }) };
  });
}
