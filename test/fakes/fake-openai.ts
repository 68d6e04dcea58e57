import type { ChatBody, Dialect, FakeSettings } from './fake-dialect.js';
import { embeddingsOf, enrich, logprobOf } from './fake-openai-answers.js';
import { maxTokens, refusal, refuse, refuseTexts } from './fake-openai-requests.js';
import type { Said } from './fake-text.js';
import { WireFake } from './wire-fake.js';

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

interface ChunkFacts {
  finish_reason?: string | null;
  logprobs?: object;
}

const chunk = ({ model }: Said, delta: object, { finish_reason = null, logprobs }: ChunkFacts = {}): object => ({
  id: 'chatcmpl-fake',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model,
  choices: [{ index: 0, delta, ...(logprobs && { logprobs }), finish_reason }],
});

const tokensOf = ({ tokens, reasoning = [], fragments = [] }: Said): number =>
  tokens.length + reasoning.length + fragments.length;

const details = ({ promptTokens, reasoning = [] }: Said): object => ({
  prompt_tokens_details: { cached_tokens: Math.floor(promptTokens / 2), audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: reasoning.length, audio_tokens: 0 },
});

const usage = (said: Said): object => ({
  prompt_tokens: said.promptTokens,
  completion_tokens: tokensOf(said),
  total_tokens: said.promptTokens + tokensOf(said),
  ...(said.usageDetails && details(said)),
});

const logprobsOf = ({ logprobs }: Said, tokens: string[]): ChunkFacts =>
  logprobs === undefined
    ? {}
    : { logprobs: { content: tokens.map((token) => logprobOf(token, logprobs)), refusal: null } };

function tail(said: Said, body: ChatBody, withUsage: boolean): string {
  const options = body.stream_options as { include_usage?: boolean } | undefined;
  const counted = withUsage && options?.include_usage === true;
  const last = counted ? event({ ...chunk(said, {}), choices: [], usage: usage(said) }) : '';
  return `${event(chunk(said, {}, { finish_reason: said.finish }))}${last}data: [DONE]\n\n`;
}

const thought = ({ reasoningField = 'reasoning_content' }: Said, text: string): object => ({ [reasoningField]: text });

function whole(said: Said): object {
  const { tokens, calls, finish, reasoning = [] } = said;
  const message = {
    role: 'assistant',
    content: calls && tokens.length === 0 ? null : tokens.join(''),
    refusal: null,
    ...(reasoning.length > 0 && thought(said, reasoning.join(''))),
    ...(calls && { tool_calls: calls }),
  };
  return {
    ...chunk(said, {}),
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, ...logprobsOf(said, tokens), finish_reason: finish }],
    usage: usage(said),
  };
}

const listed = ({ models, modelFields }: FakeSettings): object[] =>
  models.map((id) => ({ id, object: 'model', created: 1, owned_by: 'fake', ...modelFields[id] }));

const OPENAI: Dialect = {
  chatPath: '/v1/chat/completions',
  streamType: 'text/event-stream',
  streamsByDefault: false,
  refusal,
  refuse,
  maxTokens,
  head: (said) => `: a comment\n\n${event(chunk(said, { role: 'assistant', content: '' }))}`,
  token: (said, text) => event(chunk(said, { content: text }, logprobsOf(said, [text]))),
  thinking: (said, text) => event(chunk(said, { content: null, ...thought(said, text) })),
  enrich,
  calls: (said) => (said.fragments ?? []).map((fragment) => event(chunk(said, { tool_calls: [fragment] }))),
  tail,
  streamError: (message, code) => event(refusal(500, message, code).body),
  whole,
  embeddings: { path: '/v1/embeddings', refuse: refuseTexts, answer: embeddingsOf },
  other: (method, path, settings) => {
    if (method !== 'GET' || path !== '/v1/models') return undefined;
    return { status: 200, body: { object: 'list', data: listed(settings) } };
  },
};

/** An OpenAI-compatible endpoint; its base URL is `<url>/v1`. */
export const startFakeOpenAi = (settings: Partial<FakeSettings> = {}, port = 0): Promise<WireFake> =>
  WireFake.start(OPENAI, settings, port);
