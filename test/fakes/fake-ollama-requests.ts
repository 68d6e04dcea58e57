import type { ChatBody, EmbeddingsBody, FakeSettings, Reply } from './fake-dialect.js';

/** An error as Ollama writes it. */
export const refusal = (status: number, message: string): Reply => ({ status, body: { error: message } });

/** What a fake model is; `modelFields` says otherwise by model. */
export interface ShownFields {
  capabilities: string[];
  contextLength: number;
  architecture: string;
}

export function shownFields(model: string, { modelFields, vision, refuseThink }: FakeSettings): ShownFields {
  const usual = ['completion', 'tools', ...(vision ? ['vision'] : []), ...(refuseThink ? [] : ['thinking'])];
  const capabilities = model.includes('embed') ? ['embedding'] : usual;
  return { capabilities, contextLength: 40_960, architecture: 'qwen3', ...modelFields[model] };
}

interface Message {
  role?: unknown;
  content?: unknown;
  images?: unknown;
  tool_calls?: { function?: { name?: unknown; arguments?: unknown } }[];
  tool_name?: unknown;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

const ROLES = ['system', 'user', 'assistant', 'tool'];
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const isImages = (images: unknown): boolean =>
  Array.isArray(images) && images.every((one) => typeof one === 'string' && BASE64.test(one));

const isCalls = (calls: Message['tool_calls']): boolean =>
  Array.isArray(calls) &&
  calls.every(({ function: called }) => typeof called?.name === 'string' && isObject(called.arguments));

function badMessage({ role, content, images, tool_calls, tool_name }: Message): Reply | undefined {
  if (!ROLES.includes(String(role))) return refusal(400, 'invalid role');
  if (typeof content !== 'string')
    return refusal(400, 'json: cannot unmarshal into field Message.content of type string');
  if (images !== undefined && !isImages(images)) return refusal(400, 'illegal base64 data at input byte 0');
  if (tool_calls !== undefined && !isCalls(tool_calls))
    return refusal(400, "Value looks like object, but can't find closing '}' symbol");
  return tool_name === undefined || typeof tool_name === 'string' ? undefined : refusal(400, 'json: tool_name');
}

interface Tool {
  type?: unknown;
  function?: { name?: unknown; parameters?: { type?: unknown; properties?: unknown } };
}

const isTool = ({ type, function: named }: Tool): boolean =>
  type === 'function' &&
  typeof named?.name === 'string' &&
  typeof named.parameters?.type === 'string' &&
  isObject(named.parameters.properties);

const LEVELS = ['low', 'medium', 'high'];

/** What a chat asks of its model beyond an answer, with Ollama's word for it. */
function askedFor({ think, tools, messages = [] }: Partial<ChatBody>): [string, string][] {
  const wanted: [boolean, string, string][] = [
    [true, 'completion', 'chat'],
    [Array.isArray(tools) && tools.length > 0, 'tools', 'tools'],
    [think !== undefined && think !== false, 'thinking', 'thinking'],
    [messages.some((message) => 'images' in message), 'vision', 'images'],
  ];
  return wanted.flatMap(([isAsked, what, word]) => (isAsked ? [[what, word] as [string, string]] : []));
}

/** What a model is asked for that it cannot do. */
function beyond(body: Partial<ChatBody>, settings: FakeSettings): Reply | undefined {
  const { model = '', think } = body;
  const { capabilities, architecture } = shownFields(model, settings);
  if (settings.refuseThink && 'think' in body) return refusal(400, `"${model}" does not support thinking`);
  const lacking = askedFor(body).find(([what]) => !capabilities.includes(what));
  if (lacking) return refusal(400, `"${model}" does not support ${lacking[1]}`);
  const isLevel = typeof think === 'string' && architecture !== 'gptoss';
  return isLevel ? refusal(400, `think value "${think}" is not supported for this model`) : undefined;
}

const isThink = (think: unknown): boolean =>
  think === undefined || typeof think === 'boolean' || (typeof think === 'string' && LEVELS.includes(think));

const isTime = (value: unknown): boolean =>
  value === undefined ||
  typeof value === 'number' ||
  (typeof value === 'string' && /^-?\d+(\.\d+)?(ms|s|m|h)$/.test(value));

function badShape({ think, tools = [], format = 'json', keep_alive }: Partial<ChatBody>): Reply | undefined {
  if (!isThink(think)) return refusal(400, `invalid think value: ${JSON.stringify(think)}`);
  if (!Array.isArray(tools) || !(tools as Tool[]).every(isTool)) {
    return refusal(400, 'json: cannot unmarshal into field ChatRequest.tools');
  }
  if (format !== 'json' && !isObject(format)) return refusal(500, 'invalid format');
  return isTime(keep_alive) ? undefined : refusal(400, 'time: invalid duration');
}

const NUMBERS = [
  ...['num_predict', 'num_ctx', 'temperature', 'top_p', 'seed', 'top_k', 'min_p', 'repeat_penalty'],
  ...['presence_penalty', 'frequency_penalty'],
];

function badOptions(options: Record<string, unknown>, { requireMaxTokens }: FakeSettings): Reply | undefined {
  for (const [name, value] of Object.entries(options)) {
    const isStop = name === 'stop' && Array.isArray(value) && value.every((one) => typeof one === 'string');
    const isNumber = NUMBERS.includes(name) && typeof value === 'number';
    if (!isStop && !isNumber) return refusal(500, `option "${name}" must be of another type`);
  }
  const isCapped = !requireMaxTokens || options.num_predict !== undefined;
  return isCapped ? undefined : refusal(400, 'num_predict is required');
}

function tooLong(body: Partial<ChatBody>, settings: FakeSettings): Reply | undefined {
  const words = (body.messages ?? []).reduce((sum, { content }) => sum + content.split(/\s+/).length, 0);
  const refused = words > settings.contextWords && body.truncate === false;
  return refused ? refusal(400, 'the input length exceeds the context length') : undefined;
}

export const optionsOf = (body: Partial<ChatBody>): Record<string, unknown> =>
  isObject(body.options) ? { ...(body.options as object) } : {};

function badModel(model: unknown, { models }: FakeSettings): Reply | undefined {
  if (typeof model !== 'string' || model === '') return refusal(400, 'model is required');
  return models.includes(model) ? undefined : refusal(404, `model '${model}' not found`);
}

/** Why an Ollama host would refuse a chat. */
export function refuse(body: Partial<ChatBody>, settings: FakeSettings): Reply | undefined {
  const { model, messages } = body;
  const unknown = badModel(model, settings);
  if (unknown) return unknown;
  if (!Array.isArray(messages) || messages.length === 0) return refusal(400, 'messages are missing');
  const bad = messages.map(badMessage).find((reply) => reply !== undefined);
  if (bad) return bad;
  return badShape(body) ?? beyond(body, settings) ?? badOptions(optionsOf(body), settings) ?? tooLong(body, settings);
}

/** Why it would refuse texts. */
export function refuseTexts(body: Partial<EmbeddingsBody>, settings: FakeSettings): Reply | undefined {
  const { model, input } = body;
  const unknown = badModel(model, settings);
  if (unknown) return unknown;
  const texts = [input].flat();
  if (texts.some((text) => typeof text !== 'string')) return refusal(400, 'invalid input type');
  const { capabilities } = shownFields(model ?? '', settings);
  if (!capabilities.includes('embedding')) return refusal(501, 'this model does not support embeddings');
  const isLong = texts.some((text) => String(text).split(/\s+/).length > settings.contextWords);
  return isLong && body.truncate === false ? refusal(400, 'the input length exceeds the context length') : undefined;
}
