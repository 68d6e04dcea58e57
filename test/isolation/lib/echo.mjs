// A model that says all that it was told, so that whatever reached it is seen by who asked.
import crypto from 'node:crypto';

const digest = (text) => crypto.createHash('sha256').update(text).digest('hex');

/** How much less what agents are told counts than what members are: a run has many turns, and a month one budget. */
const OF_AGENTS = 0.1;

/** Tokens of a text, as this model counts them. */
function usageOf(told, said, share = 1) {
  const [prompt, answer] = [told, said].map((text) => Math.ceil(share * text.length));
  return { prompt_tokens: prompt, completion_tokens: answer, total_tokens: prompt + answer };
}

/** A text that another one stands behind: 64 letters and digits, or as many as fit. */
const textOf = ({ minLength = 0, maxLength = 64 }, told) =>
  digest(told).slice(0, Math.max(minLength, Math.min(64, maxLength)));

/** What fits a schema; whatever is free in it follows from what was told. @param n of a list's entry */
function fitting(schema, told, n = 0) {
  const { type, enum: values, properties = {}, items = {}, minItems = 0, minimum = 1 } = schema;
  if (values) return values[n % values.length];
  if (type === 'object') {
    const parts = Object.entries(properties).map(([name, part]) => [name, fitting(part, `${name} of ${told}`, n)]);
    return Object.fromEntries(parts);
  }
  if (type === 'array') return Array.from({ length: minItems }, (_, at) => fitting(items, `${at} of ${told}`, at));
  return type === 'string' ? textOf(schema, told) : minimum;
}

/** An agent's turn: its tool once, then what was asked for, as JSON. */
function* turn(told, { messages, options: { tools = [], responseFormat } }) {
  if (tools.length > 0 && messages.at(-1).role !== 'tool') {
    const [{ name, parameters }] = tools;
    yield { type: 'tool_call', index: 0, id: 'call_1', name, arguments: JSON.stringify(fitting(parameters, told)) };
    return yield { type: 'end', finishReason: 'tool_calls', usage: usageOf(told, '', OF_AGENTS) };
  }
  const text = JSON.stringify(responseFormat ? fitting(responseFormat.schema, told) : { text: textOf({}, told) });
  yield { type: 'text', text };
  yield { type: 'end', finishReason: 'stop', usage: usageOf(told, text, OF_AGENTS) };
}

const ECHO = {
  name: 'echo',
  model: () => Promise.resolve('echo'),
  async *generate({ messages, maxTokens, temperature, topP, options = {} }) {
    const text = JSON.stringify({ messages, maxTokens, temperature, topP });
    if (options.tools || options.responseFormat) return yield* turn(text, { messages, options });
    yield { type: 'text', text };
    yield { type: 'end', finishReason: 'stop', usage: usageOf(text, text) };
  },
  embed: ({ input }) => {
    const usage = usageOf(input.join(''), '');
    return Promise.resolve({ embeddings: input.map((text) => Buffer.from(text).toString('base64')), usage });
  },
  check: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** What the product's registry is asked of providers: there is one, without limits. */
export const ECHOES = {
  get: () => ECHO,
  sampling: () => ({ temperature: 0, topP: 1 }),
  timeoutMs: () => 60_000,
  pool: () => undefined,
  facts: () =>
    Promise.resolve({
      ...{ model: 'echo', contextLength: 4_096, maxTokens: 512, lacks: [] },
      capabilities: ['completion', 'tools', 'json_schema', 'vision', 'embeddings'],
    }),
};
