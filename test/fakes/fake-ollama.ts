import type { Dialect, FakeSettings } from './fake-dialect.js';
import { embeddingsOf, enrich, maxTokens, show } from './fake-ollama-answers.js';
import { refusal, refuse, refuseTexts } from './fake-ollama-requests.js';
import type { Said } from './fake-text.js';
import { WireFake } from './wire-fake.js';

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

const whole = (said: Said): object => {
  const { tokens, calls, reasoning = [] } = said;
  const message = {
    role: 'assistant',
    content: tokens.join(''),
    ...(reasoning.length > 0 && { thinking: reasoning.join('') }),
    ...(calls && { tool_calls: calls }),
  };
  return { ...end(said, true), message };
};

/** What an Ollama host says and understands. */
export const OLLAMA: Dialect = {
  chatPath: '/api/chat',
  streamType: 'application/x-ndjson',
  streamsByDefault: true,
  refusal,
  refuse,
  maxTokens,
  // A blank line, which is legal between objects.
  head: () => '\n',
  token: (said, text) => line(part(said, { content: text })),
  thinking: (said, text) => line(part(said, { thinking: text })),
  enrich,
  calls: (said) => (said.calls ?? []).map((call) => line(part(said, { tool_calls: [call] }))),
  tail: (said, _body, withUsage) => line(end(said, withUsage)),
  streamError: (message) => line({ error: message }),
  whole,
  embeddings: { path: '/api/embed', refuse: refuseTexts, answer: embeddingsOf },
  other: (method, path, settings, body) => {
    if (method === 'POST' && path === '/api/show') return show(body, settings);
    if (method !== 'GET') return undefined;
    if (path === '/api/version') return { status: 200, body: { version: '0.17.4' } };
    if (path !== '/api/tags') return undefined;
    return { status: 200, body: { models: settings.models.map((name) => ({ name, model: name, size: 1 })) } };
  },
};

/** An Ollama host. */
export const startFakeOllama = (settings: Partial<FakeSettings> = {}, port = 0): Promise<WireFake> =>
  WireFake.start(OLLAMA, settings, port);
