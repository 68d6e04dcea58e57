import { createHash } from 'node:crypto';
import type { ChatBody, EmbeddingsBody, FakeSettings, FakeTools } from './fake-dialect.js';
import { markerOf, textOf, words } from './fake-text.js';
import type { Said } from './fake-text.js';
import { obey } from './obedience.js';

interface Call {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

interface Choice {
  function?: { name?: string };
}

/** The script for this request: none where no tool may be called, or where results are to be answered. */
function scriptFor(body: ChatBody, { toolCalls }: FakeSettings): FakeTools | undefined {
  const { tools, tool_choice: choice } = body as { tools?: object[]; tool_choice?: string | Choice };
  if (!tools?.length || choice === 'none') return undefined;
  const insists = choice === 'required' || typeof choice === 'object';
  if (body.messages.at(-1)?.role === 'tool' && !insists && !toolCalls?.always) return undefined;
  return toolCalls ?? (insists ? { calls: [{}] } : undefined);
}

function callsFor(body: ChatBody, script: FakeTools): Call[] {
  const tools = body.tools as { function: { name: string } }[];
  const choice = body.tool_choice as Choice | undefined;
  const first = choice?.function?.name ?? tools[0]?.function.name ?? '';
  const wanted = body.parallel_tool_calls === false ? script.calls.slice(0, 1) : script.calls;
  return wanted.map(({ name = first, arguments: given = {} }, index) => ({
    id: `call_fake${index}`,
    type: 'function',
    function: { name, arguments: typeof given === 'string' ? given : JSON.stringify(given) },
  }));
}

const PIECE_LENGTH = 8;

/** The fragments of one call: name first, then its arguments bit by bit. */
function fragmentsOf(call: Call, index: number, script: FakeTools): object[] {
  const { ids = 'once', names = 'once', pieceLength = PIECE_LENGTH } = script;
  const { name, arguments: given } = call.function;
  const count = Math.ceil(given.length / pieceLength);
  const pieces = [
    '',
    ...Array.from({ length: count }, (_, at) => given.slice(at * pieceLength, (at + 1) * pieceLength)),
  ];
  return pieces.map((piece, at) => ({
    index,
    ...((ids === 'always' || (ids === 'once' && at === 0)) && { id: call.id }),
    ...(ids === 'null' && { id: null }),
    ...(at === 0 && { type: 'function' }),
    function: { ...((names === 'always' || at === 0) && { name }), arguments: piece },
  }));
}

/** One from each list in turns, until all are empty. */
function inTurns(lists: object[][]): object[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat();
}

function withCalls(said: Said, body: ChatBody, script: FakeTools): Said {
  const calls = callsFor(body, script);
  const lists = calls.map((call, index) => fragmentsOf(call, index, script));
  return {
    ...said,
    tokens: words(script.text ?? ''),
    finish: script.finish ?? 'tool_calls',
    calls,
    fragments: script.interleaved ? inTurns(lists) : lists.flat(),
  };
}

/** JSON where it is asked for, cut at the cap like any text. */
function inJson(said: Said, body: ChatBody, { json }: FakeSettings): Said {
  const format = body.response_format as { type?: string } | undefined;
  if (!format?.type?.startsWith('json')) return said;
  const marker = markerOf(textOf(body.messages.at(-1)?.content));
  const all = JSON.stringify(json ?? { marker }).match(/.{1,4}/gs) ?? [];
  const cap = body.max_completion_tokens ?? body.max_tokens;
  const tokens = all.slice(0, typeof cap === 'number' ? cap : undefined);
  return { ...said, tokens, finish: tokens.length < all.length ? 'length' : 'stop' };
}

/** The answer that was scripted for a conversation; the model has spoken in it as often as it was answered before. */
function scripted(said: Said, body: ChatBody, { scripts }: FakeSettings): Said | undefined {
  const whole = body.messages.map(({ content }) => textOf(content)).join('\n');
  const [, answers] = Object.entries(scripts).find(([words]) => whole.includes(words)) ?? [];
  const turn = body.messages.filter(({ role }) => role === 'assistant').length;
  const answer = answers?.[Math.min(turn, answers.length - 1)];
  if (answer === undefined) return undefined;
  if (typeof answer === 'string') return spoken(said, answer);
  const { tools, cut } = answer as { tools?: FakeTools['calls']; cut?: string };
  if (Array.isArray(tools)) return withCalls(said, { ...body, tools: body.tools ?? [] }, { calls: tools });
  return cut === undefined ? spoken(said, JSON.stringify(answer)) : spoken(said, cut, 'length');
}

/** What is said to whoever gave the model an order, if it obeys. */
function obeyed(said: Said, body: ChatBody, { obeys }: FakeSettings): Said | undefined {
  const wanted = obeys ? obey(body, obeys) : undefined;
  if (!wanted) return undefined;
  if ('calls' in wanted) return withCalls(said, { ...body, tools: body.tools ?? [] }, wanted);
  return spoken(said, wanted.text);
}

const spoken = (said: Said, text: string, finish: Said['finish'] = 'stop'): Said => ({
  ...said,
  tokens: text.match(/.{1,12}/gs) ?? [],
  finish,
});

/** What OpenAI makes of a whole request, beyond an answer in text. */
export function enrich(said: Said, body: ChatBody, settings: FakeSettings): Said {
  const script = scriptFor(body, settings);
  const { reasoning, reasoningField, usageDetails } = settings;
  const own = obeyed(said, body, settings) ?? scripted(said, body, settings);
  return {
    ...(own ?? (script ? withCalls(said, body, script) : inJson(said, body, settings))),
    reasoning: words(reasoning),
    reasoningField,
    usageDetails,
    ...(body.logprobs === true && { logprobs: Number(body.top_logprobs ?? 0) }),
  };
}

/** The probability of a token, and of so many others: the same for the same token. */
export function logprobOf(token: string, alternatives: number): object {
  const one = (text: string, at: number): object => ({
    token: text,
    logprob: -(at + 1) / 10,
    bytes: [...Buffer.from(text)],
  });
  const others = Array.from({ length: alternatives }, (_, at) => one(at === 0 ? token : `${token}~${at}`, at));
  return { ...one(token, 0), top_logprobs: others };
}

/** A vector of length 1, the same for the same text. */
export function vectorOf(text: string, dimensions: number): number[] {
  const numbers = Array.from(
    { length: dimensions },
    (_, at) => createHash('sha256').update(`${at} ${text}`).digest().readInt32LE(0) / 2 ** 31,
  );
  const norm = Math.hypot(...numbers) || 1;
  return numbers.map((value) => Math.fround(value / norm));
}

const inBase64 = (vector: number[]): string => Buffer.from(Float32Array.from(vector).buffer).toString('base64');

/** The answer to texts. */
export function embeddingsOf(body: EmbeddingsBody, { embeddings }: FakeSettings): unknown {
  const texts = [body.input].flat();
  const isText = body.encoding_format === 'base64' && embeddings.as === 'asked';
  const data = texts.map((text, index) => {
    const vector = vectorOf(text, body.dimensions ?? embeddings.dimensions);
    return { object: 'embedding', index, embedding: isText ? inBase64(vector) : vector };
  });
  const tokens = texts.reduce((sum, text) => sum + words(text).length, 0);
  return {
    object: 'list',
    data: embeddings.reversed ? data.toReversed() : data,
    model: body.model,
    ...(embeddings.usage && { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
  };
}
