import type { ChatData } from '../../contracts/bodies.js';
import type { ToolCall } from '../../contracts/chat.js';
import { finishReasonOf, openAiUsage, type Answer } from './outcome.js';

/** What all pieces of an answer say of it. */
export interface Head {
  id: string;
  /** Unix time in seconds. */
  created: number;
  model: string;
}

/** What a client of chats wants of the form. */
export interface ChatForm {
  /** It speaks of functions, as tools were called before. */
  functions: boolean;
}

const callOf = ({ id, name, arguments: text }: ToolCall): object => ({
  id,
  type: 'function',
  function: { name, arguments: text },
});

function callsIn(calls: readonly ToolCall[], { functions }: ChatForm): object {
  const [first] = calls;
  if (!first) return {};
  if (functions) return { function_call: { name: first.name, arguments: first.arguments } };
  return { tool_calls: calls.map(callOf) };
}

function messageOf({ text, reasoning, tool_calls: calls = [] }: ChatData, form: ChatForm): object {
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...callsIn(calls, form),
    ...(reasoning !== undefined && reasoning !== '' && { reasoning_content: reasoning }),
  };
}

/** The body of a conversation's answer, whole. */
export function chatCompletion(head: Head, { data, usage }: Answer, form: ChatForm): object {
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    choices: [
      {
        index: 0,
        message: messageOf(data, form),
        logprobs: data.logprobs ? { content: data.logprobs, refusal: null } : null,
        finish_reason: finishReasonOf(data, form.functions),
      },
    ],
    usage: openAiUsage(usage),
  };
}
