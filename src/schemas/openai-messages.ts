import { z } from 'zod';
import { messageText, type ChatMessage, type ContentPart, type ToolCall } from '../contracts/chat.js';
import { storable } from '../contracts/text.js';
import { maybe, present, refuse, words } from './openai-common.js';
import { isPublicAddress } from './public-address.js';

/** An image itself, or an address that the model's endpoint fetches; anything else would be fetched by nobody. */
const IMAGE = /^(?:data:image\/[\w.+-]+;base64,[\w+/-]+={0,2}|https?:\/\/\S+)$/i;
const NO_IMAGE = 'an image is a data: URI of an image, or an http or https address; audio and files cannot be sent';
const NO_HOST =
  'the address of an image leads to a host of the internet; of any other send the image itself, as a data: URI';
const address = words.pipe(
  z
    .string()
    .regex(IMAGE, NO_IMAGE)
    .refine((url) => /^data:/i.test(url) || isPublicAddress(url), NO_HOST),
);

const textPart = z.looseObject({ type: z.literal('text'), text: words });
const imagePart = z.looseObject({
  type: z.literal('image_url'),
  image_url: z.union(
    [
      z.looseObject({ url: address, detail: maybe(z.enum(['auto', 'low', 'high'])) }),
      address.transform((url) => ({ url, detail: undefined })),
    ],
    { error: NO_IMAGE },
  ),
});
const refusalPart = z.looseObject({ type: z.literal('refusal'), refusal: words });

/** Says of a part what it is that cannot be sent. */
const unknownPart =
  (possible: string) =>
  ({ input }: { input?: unknown }): string => {
    const type = typeof input === 'object' && input !== null && 'type' in input ? input.type : undefined;
    const named = typeof type === 'string' && /^\w{1,40}$/.test(type) ? `a part of type ${type}` : 'such a part';
    return `${named} cannot be sent here; ${possible} can`;
  };

const textParts = z.array(z.discriminatedUnion('type', [textPart], { error: unknownPart('text') })).min(1);
const userParts = z
  .array(z.discriminatedUnion('type', [textPart, imagePart], { error: unknownPart('text and image_url') }))
  .min(1);
const assistantParts = z.array(z.discriminatedUnion('type', [textPart, refusalPart], { error: unknownPart('text') }));

const CONTENT = 'content is a text or a list of parts';

/** Of a union zod tells only that nothing fits; what is wrong with a list of parts is known. */
function whatIsWrong({ input, ...issue }: { input?: unknown }): string {
  const tried: unknown = 'errors' in issue ? issue.errors : undefined;
  const [first] = Array.isArray(input) && Array.isArray(tried) ? (tried.at(-1) as { message: string }[]) : [];
  return first?.message ?? CONTENT;
}
const CONTENT_ERROR = { error: whatIsWrong };

const joined = (parts: ({ text: string } | { refusal: string })[]): string =>
  parts.map((part) => ('text' in part ? part.text : part.refusal)).join('\n');
/** Text, or parts of text that are put together. */
const plain = z.union([words, textParts.transform(joined)], CONTENT_ERROR);

const name = maybe(words.pipe(z.string().max(256)));
const call = z.looseObject({ name: words.pipe(z.string().min(1)), arguments: written() });
const callId = words.pipe(z.string().min(1).max(256));
const toolCall = z.looseObject({
  id: callId,
  type: z.literal('function', 'calls of functions can be sent, and no others').nullish(),
  function: call,
});

/** The text that a model wrote; some clients parse it for themselves and send that. */
function written() {
  const parsed = z.record(z.string(), z.unknown()).transform((value) => storable(JSON.stringify(value)));
  return z.union([words, parsed], { error: 'arguments are the text of a JSON object' });
}

const system = { content: plain, name };
const Wire = z.discriminatedUnion(
  'role',
  [
    z.looseObject({ role: z.literal('system'), ...system }),
    z.looseObject({ role: z.literal('developer'), ...system }),
    z.looseObject({ role: z.literal('user'), content: z.union([words, userParts], CONTENT_ERROR), name }),
    z.looseObject({
      role: z.literal('assistant'),
      content: maybe(z.union([words, assistantParts.transform(joined)], CONTENT_ERROR)),
      refusal: maybe(words),
      name,
      tool_calls: maybe(z.array(toolCall)),
      function_call: maybe(call),
    }),
    z.looseObject({ role: z.literal('tool'), tool_call_id: callId, content: plain }),
    z.looseObject({ role: z.literal('function'), name: words.pipe(z.string().min(1)), content: maybe(plain) }),
  ],
  { error: 'role is one of system, developer, user, assistant, tool, function' },
);
type WireMessage = z.output<typeof Wire>;

const partOf = (part: z.output<typeof userParts>[number]): ContentPart =>
  part.type === 'text'
    ? { type: 'text', text: part.text }
    : { type: 'image', url: part.image_url.url, ...present({ detail: part.image_url.detail }) };

/** Parts, if they are more than text: not every endpoint can read a list. */
function saidIn(parts: ContentPart[]): string | ContentPart[] {
  const texts = parts.filter((part) => part.type === 'text');
  return texts.length === parts.length ? joined(texts) : parts;
}

const named = (who: string | undefined): { name?: string } => (who === undefined || who === '' ? {} : { name: who });

type Assistant = Extract<WireMessage, { role: 'assistant' }>;

/** Id of a call in the form that had none, by the place of its message. */
const idOfCall = (at: number): string => `call_${at}`;

function assistantOf({ content, refusal, ...rest }: Assistant, at: number): ChatMessage {
  const old = rest.function_call ? [{ id: idOfCall(at), ...callOf(rest.function_call) }] : [];
  const calls = [...(rest.tool_calls ?? []).map((one) => ({ id: one.id, ...callOf(one.function) })), ...old];
  const said = content ?? refusal ?? (calls.length > 0 ? null : '');
  return { role: 'assistant', content: said, ...named(rest.name), ...(calls.length > 0 && { toolCalls: calls }) };
}

const callOf = (of: z.output<typeof call>): Omit<ToolCall, 'id'> => ({ name: of.name, arguments: of.arguments });

/** A message in the shape of the contracts. Of an answer of a function, the call is the last one of its name. */
function messageOf(message: WireMessage, at: number, all: WireMessage[]): ChatMessage | undefined {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: message.content, ...named(message.name) };
    case 'user': {
      const { content } = message;
      const said = typeof content === 'string' ? content : saidIn(content.map(partOf));
      return { role: 'user', content: said, ...named(message.name) };
    }
    case 'assistant':
      return assistantOf(message, at);
    case 'tool':
      return { role: 'tool', toolCallId: message.tool_call_id, content: message.content };
    case 'function': {
      const asked = all.findLastIndex(
        (one, place) => place < at && one.role === 'assistant' && one.function_call?.name === message.name,
      );
      return asked < 0 ? undefined : { role: 'tool', toolCallId: idOfCall(asked), content: message.content ?? '' };
    }
  }
}

const NOBODY_ASKED = 'an answer of a function follows the function_call that asked for it';

/** A conversation: at least one message. What an assistant reasoned in earlier turns is left out. */
export const messages = z
  .array(Wire, { error: 'messages is a list of messages' })
  .min(1, 'at least one message is needed')
  .transform((all, context): ChatMessage[] => {
    const read = all.map(messageOf);
    read.forEach((message, at) => {
      if (!message) refuse(context, [at, 'name'], NOBODY_ASKED, 'invalid_value');
    });
    return read.filter((message) => message !== undefined);
  });

/** What rules look at: the last thing that a user said; where none said anything, the last message. */
export function promptOf(all: readonly ChatMessage[]): string {
  const last = all.findLast(({ role }) => role === 'user') ?? all.at(-1);
  return last ? messageText(last) : '';
}
