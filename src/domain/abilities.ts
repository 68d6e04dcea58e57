import type { CallOptions, Capability, ChatMessage, ModelCall, ModelFacts } from '../contracts/chat.js';

/** Something that a call asks for: a parameter on the wire, and the capability that it takes, if it takes one. */
interface Need {
  parameter: string;
  capability?: Capability;
}

const hasImages = ({ content }: ChatMessage): boolean =>
  Array.isArray(content) && content.some((part) => part.type === 'image');

/** A choice that a model must heed; `auto` and `none` need nothing of it. */
const isForced = (choice: CallOptions['toolChoice']): boolean => choice === 'required' || typeof choice === 'object';

/** Fields of an endpoint's own dialect that bind an answer: without them it is not what was asked for. */
const dialectNeeds = ({ dialect = {} }: CallOptions): Need[] =>
  Object.keys(dialect).flatMap((parameter) => (parameter.startsWith('guided_') ? [{ parameter }] : []));

/** What a call needs beyond an answer in text. */
function needsOf(call: ModelCall): Need[] {
  if (call.kind === 'embeddings') {
    const dimensions = call.dimensions === undefined ? [] : [{ parameter: 'dimensions' }];
    return [{ parameter: 'model', capability: 'embeddings' }, ...dimensions];
  }
  const { options, messages } = call;
  const wanted: [boolean, Need][] = [
    [options.tools !== undefined && options.toolChoice !== 'none', { parameter: 'tools', capability: 'tools' }],
    [isForced(options.toolChoice), { parameter: 'tool_choice', capability: 'tools' }],
    [options.parallelToolCalls === false && options.tools !== undefined, { parameter: 'parallel_tool_calls' }],
    [options.responseFormat?.type === 'json_schema', { parameter: 'response_format', capability: 'json_schema' }],
    [options.responseFormat?.type === 'json_object', { parameter: 'response_format' }],
    [messages.some(hasImages), { parameter: 'messages', capability: 'vision' }],
    [options.logprobs !== undefined, { parameter: 'logprobs' }],
    [options.logitBias !== undefined, { parameter: 'logit_bias' }],
    [options.seed !== undefined, { parameter: 'seed' }],
    [options.stop !== undefined, { parameter: 'stop' }],
    [options.presencePenalty !== undefined, { parameter: 'presence_penalty' }],
    [options.frequencyPenalty !== undefined, { parameter: 'frequency_penalty' }],
    [options.reasoningEffort !== undefined, { parameter: 'reasoning_effort' }],
  ];
  return [...wanted.flatMap(([isWanted, need]) => (isWanted ? [need] : [])), ...dialectNeeds(options)];
}

/** Whether any provider could lack something that a call needs, so that it is worth asking what they can do. */
export const isDemanding = (call: ModelCall): boolean => needsOf(call).length > 0;

/** Names under which clients that speak of functions know what they sent. */
const OLD_NAMES = new Map([
  ['tools', 'functions'],
  ['tool_choice', 'function_call'],
]);
const speaksOfFunctions = (call: ModelCall): boolean => call.kind === 'chat' && call.options.functions === true;

/** The first parameter of a call that a model cannot heed, by the client's own name; undefined: it can do all. */
export function lackOf(facts: Pick<ModelFacts, 'capabilities' | 'lacks'>, call: ModelCall): string | undefined {
  const lacked = needsOf(call).find(
    ({ parameter, capability }) =>
      facts.lacks.includes(parameter) || (capability !== undefined && !facts.capabilities.includes(capability)),
  );
  if (!lacked) return undefined;
  return (speaksOfFunctions(call) && OLD_NAMES.get(lacked.parameter)) || lacked.parameter;
}
