import type { ChatBody, Dialect, FakeSettings, Reply } from './fake-dialect.js';
import type { Said } from './fake-text.js';
import { WireFake } from './wire-fake.js';

const refusal = (status: number, message: string): Reply => ({ status, body: { error: message } });

interface Options {
  num_predict?: unknown;
  num_ctx?: unknown;
}

const optionsOf = (body: Partial<ChatBody>): Options => body.options ?? {};

function refuse(body: Partial<ChatBody>, settings: FakeSettings): Reply | undefined {
  const { model, messages } = body;
  if (typeof model !== 'string' || model === '') return refusal(400, 'model is required');
  if (!settings.models.includes(model)) return refusal(404, `model '${model}' not found`);
  if (!Array.isArray(messages) || messages.length === 0) return refusal(400, 'messages are missing');
  if (settings.refuseThink && 'think' in body) return refusal(400, `"${model}" does not support thinking`);
  return badOptions(optionsOf(body), settings) ?? tooLong(body, messages, settings);
}

function badOptions({ num_predict, num_ctx }: Options, { requireMaxTokens }: FakeSettings): Reply | undefined {
  for (const [name, value] of Object.entries({ num_predict, num_ctx })) {
    if (value !== undefined && typeof value !== 'number')
      return refusal(500, `option "${name}" must be of type integer`);
  }
  return requireMaxTokens && num_predict === undefined ? refusal(400, 'num_predict is required') : undefined;
}

function tooLong(body: Partial<ChatBody>, messages: ChatBody['messages'], settings: FakeSettings): Reply | undefined {
  const words = messages.reduce((sum, { content }) => sum + content.split(/\s+/).length, 0);
  const refused = words > settings.contextWords && body.truncate === false;
  return refused ? refusal(400, 'the input length exceeds the context length') : undefined;
}

const line = (data: unknown): string => `${JSON.stringify(data)}\n`;

const part = ({ model }: Said, message: object): object => ({
  model,
  created_at: '2026-11-24T00:00:00Z',
  message: { role: 'assistant', content: '', ...message },
  done: false,
});

const end = (said: Said, withUsage: boolean): object => ({
  ...part(said, {}),
  done: true,
  done_reason: said.finish,
  total_duration: 1,
  ...(withUsage && { prompt_eval_count: said.promptTokens, eval_count: said.tokens.length }),
});

/** What an Ollama host says and understands. */
export const OLLAMA: Dialect = {
  chatPath: '/api/chat',
  streamType: 'application/x-ndjson',
  streamsByDefault: true,
  refusal,
  refuse,
  maxTokens: (body) => {
    const { num_predict } = optionsOf(body);
    return typeof num_predict === 'number' && num_predict >= 0 ? num_predict : undefined;
  },
  // A blank line, which is legal between objects.
  head: () => '\n',
  token: (said, text) => line(part(said, { content: text })),
  thinking: (said, text) => line(part(said, { thinking: text })),
  tail: (said, _body, withUsage) => line(end(said, withUsage)),
  streamError: (message) => line({ error: message }),
  whole: (said) => ({ ...end(said, true), message: { role: 'assistant', content: said.tokens.join('') } }),
  other: (method, path, { models }) => {
    if (method === 'POST' && path === '/api/show') return { status: 200, body: { capabilities: ['completion'] } };
    if (method !== 'GET') return undefined;
    if (path === '/api/version') return { status: 200, body: { version: '0.17.4' } };
    if (path !== '/api/tags') return undefined;
    return { status: 200, body: { models: models.map((name) => ({ name, model: name, size: 1 })) } };
  },
};

/** An Ollama host. */
export const startFakeOllama = (settings: Partial<FakeSettings> = {}, port = 0): Promise<WireFake> =>
  WireFake.start(OLLAMA, settings, port);
