import type { ChatBody, Dialect, FakeSettings, Reply } from './fake-dialect.js';
import type { Said } from './fake-text.js';
import { WireFake } from './wire-fake.js';

const TYPES: Readonly<Record<number, string>> = { 429: 'rate_limit_error', 500: 'server_error', 503: 'server_error' };

const refusal = (status: number, message: string, code?: string, param?: string): Reply => {
  const type = TYPES[status] ?? 'invalid_request_error';
  return { status, body: { error: { message, type, param: param ?? null, code: code ?? null } } };
};

const unknownModel = (model: string): Reply =>
  refusal(404, `The model \`${model}\` does not exist or you do not have access to it.`, 'model_not_found');

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'];

function badMessages(messages: ChatBody['messages'] | undefined): Reply | undefined {
  if (!Array.isArray(messages)) return refusal(400, "Missing required parameter: 'messages'.", undefined, 'messages');
  if (messages.length === 0) return refusal(400, "Invalid 'messages': empty array.", 'empty_array', 'messages');
  const bad = messages.find(({ role, content }) => !ROLES.includes(role) || typeof content !== 'string');
  return bad && refusal(400, `Invalid value: '${bad.role}'.`, 'invalid_value', 'messages');
}

function refuse(body: Partial<ChatBody>, settings: FakeSettings): Reply | undefined {
  const { model, messages } = body;
  if (typeof model !== 'string') return refusal(400, 'you must provide a model parameter');
  if (!settings.models.includes(model)) return unknownModel(model);
  const bad = badMessages(messages);
  if (bad) return bad;
  const refused = settings.refuseParameters.find((name) => name in body);
  if (refused !== undefined) {
    return refusal(400, `Unsupported parameter: '${refused}'.`, 'unsupported_parameter', refused);
  }
  if (settings.requireMaxTokens && maxTokens(body) === undefined) return refusal(400, "'max_tokens' is required");
  const words = (messages ?? []).reduce((sum, { content }) => sum + content.split(/\s+/).length, 0);
  if (words <= settings.contextWords) return undefined;
  const message = `This model's maximum context length is ${settings.contextWords} tokens.`;
  return refusal(400, message, 'context_length_exceeded', 'messages');
}

function maxTokens(body: Partial<ChatBody>): number | undefined {
  const value = body.max_completion_tokens ?? body.max_tokens;
  return typeof value === 'number' ? value : undefined;
}

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

const chunk = ({ model }: Said, delta: object, finish_reason: string | null = null): object => ({
  id: 'chatcmpl-fake',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model,
  choices: [{ index: 0, delta, finish_reason }],
});

const usage = ({ promptTokens, tokens }: Said): object => ({
  prompt_tokens: promptTokens,
  completion_tokens: tokens.length,
  total_tokens: promptTokens + tokens.length,
});

function tail(said: Said, body: ChatBody, withUsage: boolean): string {
  const options = body.stream_options as { include_usage?: boolean } | undefined;
  const counted = withUsage && options?.include_usage === true;
  const last = counted ? event({ ...chunk(said, {}), choices: [], usage: usage(said) }) : '';
  return `${event(chunk(said, {}, said.finish))}${last}data: [DONE]\n\n`;
}

const OPENAI: Dialect = {
  chatPath: '/v1/chat/completions',
  streamType: 'text/event-stream',
  streamsByDefault: false,
  refusal,
  refuse,
  maxTokens,
  head: (said) => `: a comment\n\n${event(chunk(said, { role: 'assistant', content: '' }))}`,
  token: (said, text) => event(chunk(said, { content: text })),
  thinking: (said, text) => event(chunk(said, { content: null, reasoning_content: text })),
  tail,
  streamError: (message, code) => event(refusal(500, message, code).body),
  whole: (said) => ({
    ...chunk(said, {}),
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: said.tokens.join('') }, finish_reason: said.finish }],
    usage: usage(said),
  }),
  other: (method, path, { models }) => {
    if (method !== 'GET' || path !== '/v1/models') return undefined;
    return { status: 200, body: { object: 'list', data: models.map((id) => ({ id, object: 'model', created: 1 })) } };
  },
};

/** An OpenAI-compatible endpoint; its base URL is `<url>/v1`. */
export const startFakeOpenAi = (settings: Partial<FakeSettings> = {}, port = 0): Promise<WireFake> =>
  WireFake.start(OPENAI, settings, port);
