import type { ChatBody, EmbeddingsBody, FakeSettings, Reply } from './fake-dialect.js';
import { textOf } from './fake-text.js';

const TYPES: Readonly<Record<number, string>> = { 429: 'rate_limit_error', 500: 'server_error', 503: 'server_error' };

/** An error as OpenAI writes it. */
export const refusal = (status: number, message: string, code?: string, param?: string): Reply => {
  const type = TYPES[status] ?? 'invalid_request_error';
  return { status, body: { error: { message, type, param: param ?? null, code: code ?? null } } };
};

const bad = (param: string, message: string, code = 'invalid_value'): Reply => refusal(400, message, code, param);

const unknownModel = (model: string): Reply =>
  refusal(404, `The model \`${model}\` does not exist or you do not have access to it.`, 'model_not_found');

const KNOWN = [
  ...['model', 'messages', 'stream', 'stream_options', 'max_tokens', 'max_completion_tokens', 'temperature', 'top_p'],
  ...['n', 'stop', 'seed', 'presence_penalty', 'frequency_penalty', 'logit_bias', 'logprobs', 'top_logprobs', 'tools'],
  ...['tool_choice', 'parallel_tool_calls', 'response_format', 'reasoning_effort', 'user', 'metadata', 'store'],
  ...['safety_identifier', 'prompt_cache_key', 'service_tier', 'verbosity', 'prediction', 'modalities'],
];

interface Part {
  type?: unknown;
  text?: unknown;
  image_url?: { url?: unknown; detail?: unknown };
}
interface Message {
  role?: unknown;
  content?: unknown;
  tool_calls?: { id?: unknown; type?: unknown; function?: { name?: unknown; arguments?: unknown } }[];
  tool_call_id?: unknown;
}

function badPart(part: Part, at: string, isUser: boolean, { vision }: FakeSettings): Reply | undefined {
  if (part.type === 'text') return typeof part.text === 'string' ? undefined : bad(at, 'text is missing');
  if (part.type !== 'image_url' || !isUser) return bad(`${at}.type`, `Invalid value: '${String(part.type)}'.`);
  if (!vision) return bad(`${at}.type`, 'Invalid content type. image_url is only supported by certain models.');
  const { url, detail } = part.image_url ?? {};
  if (typeof url !== 'string') return bad(`${at}.image_url`, 'image_url.url is missing', 'missing_required_parameter');
  const isDetail = detail === undefined || ['auto', 'low', 'high'].some((one) => one === detail);
  return isDetail ? undefined : bad(`${at}.image_url.detail`, 'Invalid detail.');
}

function badContent({ role, content, tool_calls }: Message, at: string, settings: FakeSettings): Reply | undefined {
  if (typeof content === 'string') return undefined;
  if (role === 'assistant' && (content ?? null) === null && tool_calls) return undefined;
  if (!Array.isArray(content)) return bad(`${at}.content`, "Invalid value for 'content': expected a string.");
  const parts = content as Part[];
  const replies = parts.map((part, index) => badPart(part, `${at}.content.[${index}]`, role === 'user', settings));
  return replies.find((reply) => reply !== undefined);
}

const isCall = ({ id, type, function: called }: NonNullable<Message['tool_calls']>[number]): boolean =>
  typeof id === 'string' &&
  type === 'function' &&
  typeof called?.name === 'string' &&
  typeof called.arguments === 'string';

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'];

/** A tool's result answers a call that the model made before. */
function badMessage(message: Message, at: string, before: readonly Message[], settings: FakeSettings) {
  const { role, tool_calls, tool_call_id } = message;
  if (!ROLES.includes(String(role))) return bad(`${at}.role`, `Invalid value: '${String(role)}'.`);
  if (tool_calls && !tool_calls.every(isCall)) return bad(`${at}.tool_calls`, 'Invalid tool_calls.');
  const made = before.flatMap((earlier) => earlier.tool_calls ?? []).map(({ id }) => id);
  if (role === 'tool' && !made.includes(tool_call_id)) {
    return bad(at, "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.");
  }
  return badContent(message, at, settings);
}

function badMessages(messages: unknown, settings: FakeSettings): Reply | undefined {
  if (!Array.isArray(messages)) return refusal(400, "Missing required parameter: 'messages'.", undefined, 'messages');
  if (messages.length === 0) return bad('messages', "Invalid 'messages': empty array.", 'empty_array');
  const all = messages as Message[];
  const replies = all.map((message, at) => badMessage(message, `messages.[${at}]`, all.slice(0, at), settings));
  return replies.find((reply) => reply !== undefined);
}

/** A parameter that makes sense only beside another. */
const PAIRS = [
  ['stream_options', 'stream'],
  ['tool_choice', 'tools'],
  ['parallel_tool_calls', 'tools'],
  ['top_logprobs', 'logprobs'],
] as const;

function badTools({ tools }: Partial<ChatBody>): Reply | undefined {
  const named = (tools ?? []) as { type?: string; function?: { name?: unknown } }[];
  const isTool = named.every((tool) => tool.type === 'function' && typeof tool.function?.name === 'string');
  return isTool ? undefined : bad('tools[0].function.name', 'Missing required parameter.');
}

function badFormat({ response_format }: Partial<ChatBody>): Reply | undefined {
  const format = response_format as { type?: string; json_schema?: { name?: string; schema?: object } } | undefined;
  if (format?.type !== 'json_schema') return undefined;
  const { name, schema } = format.json_schema ?? {};
  if (name && schema) return undefined;
  return bad('response_format', "Missing required parameter: 'response_format.json_schema'.");
}

function badParameters(body: Partial<ChatBody>): Reply | undefined {
  const alone = PAIRS.find(([name, other]) => body[name] !== undefined && !body[other]);
  if (alone) return bad(alone[0], `'${alone[0]}' is only allowed when '${alone[1]}' is specified.`);
  return badTools(body) ?? badFormat(body);
}

function refusedParameter(body: object, { refuseParameters, refuseUnknown }: FakeSettings): Reply | undefined {
  const refused = refuseParameters.find((name) => name in body);
  if (refused !== undefined) return bad(refused, `Unsupported parameter: '${refused}'.`, 'unsupported_parameter');
  const unknown = refuseUnknown ? Object.keys(body).find((name) => !KNOWN.includes(name)) : undefined;
  return unknown === undefined ? undefined : bad(unknown, `Unknown parameter: '${unknown}'.`, 'unknown_parameter');
}

export function maxTokens(body: Partial<ChatBody>): number | undefined {
  const value = body.max_completion_tokens ?? body.max_tokens;
  return typeof value === 'number' ? value : undefined;
}

/** Why OpenAI would refuse a chat. */
export function refuse(body: Partial<ChatBody>, settings: FakeSettings): Reply | undefined {
  const { model, messages } = body;
  if (typeof model !== 'string') return refusal(400, 'you must provide a model parameter');
  if (!settings.models.includes(model)) return unknownModel(model);
  const wrong = badMessages(messages, settings) ?? refusedParameter(body, settings) ?? badParameters(body);
  if (wrong) return wrong;
  if (settings.requireMaxTokens && maxTokens(body) === undefined) return refusal(400, "'max_tokens' is required");
  const words = (messages ?? []).reduce((sum, { content }) => sum + textOf(content).split(/\s+/).length, 0);
  if (words <= settings.contextWords) return undefined;
  const message = `This model's maximum context length is ${settings.contextWords} tokens.`;
  return bad('messages', message, 'context_length_exceeded');
}

/** Why OpenAI would refuse texts. */
export function refuseTexts(body: Partial<EmbeddingsBody>, settings: FakeSettings): Reply | undefined {
  const { model, input } = body;
  if (typeof model !== 'string') return refusal(400, 'you must provide a model parameter');
  if (!settings.models.includes(model)) return unknownModel(model);
  const texts = [input].flat();
  if (texts.length === 0 || texts.some((text) => typeof text !== 'string' || text === '')) {
    return bad('input', "'$.input' is invalid.");
  }
  const refused = settings.refuseParameters.find(
    (name) => name in body && (name !== 'encoding_format' || body[name] === 'base64'),
  );
  return refused === undefined
    ? undefined
    : bad(refused, `Unsupported parameter: '${refused}'.`, 'unsupported_parameter');
}
