import type { ChatBody, EmbeddingsBody, FakeSettings, FakeTools, Reply } from './fake-dialect.js';
import { optionsOf, refusal, shownFields } from './fake-ollama-requests.js';
import { vectorOf } from './fake-openai-answers.js';
import { markerOf, textOf, words } from './fake-text.js';
import type { Said } from './fake-text.js';

export function maxTokens(body: ChatBody): number | undefined {
  const { num_predict } = optionsOf(body);
  return typeof num_predict === 'number' && num_predict >= 0 ? num_predict : undefined;
}

/** The script for this request: none where there are no tools, or where results are to be answered. */
function scriptFor(body: ChatBody, { toolCalls }: FakeSettings): FakeTools | undefined {
  const { tools } = body as { tools?: object[] };
  if (!toolCalls || !tools?.length) return undefined;
  return body.messages.at(-1)?.role === 'tool' && !toolCalls.always ? undefined : toolCalls;
}

/** Calls come whole, their arguments as an object; older hosts give them no ids. */
function callsFor(body: ChatBody, { calls, ids = 'never' }: FakeTools): object[] {
  const [first] = body.tools as { function: { name: string } }[];
  return calls.map(({ name = first?.function.name, arguments: given = {} }, index) => ({
    ...(ids !== 'never' && { id: `call_fake${index}` }),
    function: { index, name, arguments: typeof given === 'string' ? (JSON.parse(given) as object) : given },
  }));
}

/** JSON where it is asked for, cut at the cap like any text. */
function inJson(said: Said, body: ChatBody, { json }: FakeSettings): Said {
  if (body.format === undefined) return said;
  const marker = markerOf(textOf(body.messages.at(-1)?.content));
  const all = JSON.stringify(json ?? { marker }).match(/.{1,4}/gs) ?? [];
  const tokens = all.slice(0, maxTokens(body));
  return { ...said, tokens, finish: tokens.length < all.length ? 'length' : 'stop' };
}

/** What an Ollama host makes of a whole request, beyond an answer in text. Its models think unless told not to. */
export function enrich(said: Said, body: ChatBody, settings: FakeSettings): Said {
  const script = scriptFor(body, settings);
  const thinks = body.think !== false && shownFields(body.model, settings).capabilities.includes('thinking');
  const calls = script && callsFor(body, script);
  return {
    ...(calls ? { ...said, tokens: words(script.text ?? ''), finish: 'stop', calls } : inJson(said, body, settings)),
    reasoning: thinks ? words(settings.reasoning) : [],
  };
}

/** The answer to texts. */
export function embeddingsOf(body: EmbeddingsBody, { embeddings }: FakeSettings): unknown {
  const texts = [body.input].flat();
  return {
    model: body.model,
    embeddings: texts.map((text) => vectorOf(text, body.dimensions ?? embeddings.dimensions)),
    total_duration: 1,
    ...(embeddings.usage && { prompt_eval_count: texts.reduce((sum, text) => sum + words(text).length, 0) }),
  };
}

/** What is told of a model. */
export function show(text: string, settings: FakeSettings): Reply {
  const { model = '' } = JSON.parse(text || '{}') as { model?: string };
  if (!settings.models.includes(model)) return refusal(404, `model '${model}' not found`);
  const { capabilities, contextLength, architecture } = shownFields(model, settings);
  const model_info = { 'general.architecture': architecture, [`${architecture}.context_length`]: contextLength };
  return { status: 200, body: { details: { family: architecture }, model_info, capabilities } };
}
