import { z } from 'zod';
import { CAPABILITIES, type Capability } from '../../contracts/chat.js';
import type { ProviderConfig } from '../../contracts/provider-config.js';
import type { Told } from './hosted-facts.js';

export type OpenAiKind = Extract<ProviderConfig['type'], 'openai' | 'deepseek' | 'openai-compatible'>;

/** What models can do as a rule. DeepSeek's knows JSON, but no schema. */
const USUAL: Readonly<Record<OpenAiKind, readonly Capability[]>> = {
  openai: ['completion', 'tools', 'json_schema', 'vision'],
  deepseek: ['completion', 'tools'],
  'openai-compatible': ['completion', 'tools', 'json_schema'],
};

/** What of vLLM's dialect binds an answer. It is refused by OpenAI, and passed over by DeepSeek. */
const GUIDED = ['guided_json', 'guided_regex', 'guided_choice'];

/** Of the parameters that can be sent, those that the vendor's reference does not have: they would be passed over in silence. */
export const LACKS: Readonly<Record<OpenAiKind, readonly string[]>> = {
  openai: GUIDED,
  deepseek: ['logit_bias', 'parallel_tool_calls', ...GUIDED],
  'openai-compatible': [],
};

/** A model for vectors says so in its name, at every vendor. */
const FOR_VECTORS = /(^|[^a-z])embed(ding)?s?([^a-z]|$)/i;

/** What a model can do where nobody tells. */
export const usualCapabilities = (kind: OpenAiKind, model: string | null): readonly Capability[] =>
  model !== null && FOR_VECTORS.test(model) ? ['embeddings'] : USUAL[kind];

const length = z.number().positive().nullish().catch(undefined);
const words = z.array(z.string()).nullish().catch(undefined);

/** An entry of `GET /models`, as far as we read it. Nobody agrees on these names, and none of them is needed. */
const Entry = z.object({
  id: z.string(),
  loaded_context_length: length,
  context_length: length,
  context_window: length,
  max_model_len: length,
  max_context_length: length,
  meta: z.object({ n_ctx_train: length }).nullish().catch(undefined),
  capabilities: z
    .union([z.array(z.string()), z.record(z.string(), z.unknown())])
    .nullish()
    .catch(undefined),
  supported_parameters: words,
  architecture: z.object({ input_modalities: words }).nullish().catch(undefined),
});
type Entry = z.output<typeof Entry>;

/** What is in memory goes before what could be, and what can be used before what it was trained for. */
const contextOf = (entry: Entry): number | undefined =>
  [
    entry.loaded_context_length,
    entry.context_length,
    entry.context_window,
    entry.max_model_len,
    entry.max_context_length,
    entry.meta?.n_ctx_train,
  ].find((found) => typeof found === 'number');

const isOurs = (word: string): word is Capability => CAPABILITIES.some((one) => one === word);

/** Words of others for what we know. */
const SYNONYMS: Readonly<Record<string, Capability>> = {
  chat: 'completion',
  completion_chat: 'completion',
  tool_use: 'tools',
  trained_for_tool_use: 'tools',
  function_calling: 'tools',
  structured_output: 'json_schema',
  structured_outputs: 'json_schema',
  image: 'vision',
  reasoning: 'thinking',
  embedding: 'embeddings',
};

function ourWord(word: string): Capability | undefined {
  const plain = word.toLowerCase().replaceAll(/[\s-]/g, '_');
  if (isOurs(plain)) return plain;
  return Object.hasOwn(SYNONYMS, plain) ? SYNONYMS[plain] : undefined;
}

/** What an entry says that a model can do (true) and cannot (false). */
type Said = Map<Capability, boolean>;

/** A list in others' words names what is special: tools and images are missing where a model has none. */
function fromWords(given: readonly string[]): Said {
  const known = given.flatMap((word) => ourWord(word) ?? []);
  if (known.length === 0) return new Map();
  const said: Said = new Map([
    ['tools', false],
    ['vision', false],
  ]);
  for (const word of known) said.set(word, true);
  if (known.includes('embeddings') && !known.includes('completion')) said.set('completion', false);
  return said;
}

function fromFlags(flags: Record<string, unknown>): Said {
  const said: Said = new Map();
  for (const [name, value] of Object.entries(flags)) {
    const word = ourWord(name);
    if (word && typeof value === 'boolean') said.set(word, value || said.get(word) === true);
  }
  return said;
}

/** OpenRouter's way: the parameters that it passes on to a model. */
const fromParameters = (given: readonly string[]): Said =>
  new Map([
    ['tools', given.includes('tools')],
    ['json_schema', given.includes('structured_outputs') || given.includes('response_format')],
    ['thinking', given.includes('reasoning')],
  ]);

function saidOf({ capabilities, supported_parameters, architecture }: Entry): Said {
  const own = Array.isArray(capabilities) ? fromWords(capabilities) : fromFlags(capabilities ?? {});
  return new Map([
    ...own,
    ...(supported_parameters ? fromParameters(supported_parameters) : []),
    ...(architecture?.input_modalities ? [['vision', architecture.input_modalities.includes('image')] as const] : []),
  ]);
}

/** What is said in our own words is all that there is; otherwise the rest is as usual. */
function capabilitiesOf(entry: Entry, usual: readonly Capability[]): readonly Capability[] | undefined {
  const { capabilities } = entry;
  if (Array.isArray(capabilities) && capabilities.length > 0 && capabilities.every(isOurs)) return capabilities;
  const said = saidOf(entry);
  if (said.size === 0) return undefined;
  const isForVectors = said.get('embeddings') === true && said.get('completion') !== true;
  return CAPABILITIES.filter((one) => said.get(one) ?? (!isForVectors && usual.includes(one)));
}

/** Reads an entry of `GET /models`; nothing is told by one that is not what it should be. */
export function readEntry(raw: unknown, usual: readonly Capability[]): Told {
  const read = Entry.safeParse(raw);
  if (!read.success) return {};
  const contextLength = contextOf(read.data);
  const capabilities = capabilitiesOf(read.data, usual);
  return { ...(contextLength !== undefined && { contextLength }), ...(capabilities && { capabilities }) };
}
