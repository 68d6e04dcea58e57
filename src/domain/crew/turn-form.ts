import type { CallOptions } from '../../contracts/chat.js';
import { schemaWords } from './schema-words.js';
import { ANSWER, choiceSchema } from './turn-schema.js';
import { toolDefinitions, type OfferedTool, type TurnForm, type TurnWay } from './turn-way.js';

/** What the caller of a model asks of it beside the messages, for a way of answering. */
export function turnOptions(
  way: TurnWay,
  form: TurnForm,
): Pick<CallOptions, 'tools' | 'toolChoice' | 'responseFormat'> {
  if (way === 'words') return {};
  if (way === 'native' && form.tools.length > 0) return { tools: toolDefinitions(form.tools), toolChoice: 'auto' };
  return { responseFormat: { type: 'json_schema', name: 'answer', schema: choiceSchema(form) } };
}

/** A model whose answer did not fit gives the same one again unless it is made to try something else. */
const [LEAST_WARM, WARMER, WARMEST] = [0.5, 0.2, 1];

/** The temperature after so many answers that did not fit; none: that of the profile. */
export const turnSampling = (misses = 0): Pick<CallOptions, 'temperature'> =>
  misses === 0 ? {} : { temperature: Math.min(LEAST_WARM + WARMER * misses, WARMEST) };

const toolLine = ({ name, description, parameters }: OfferedTool): string => {
  const params = schemaWords(parameters);
  return `- ${name}: ${description.trim()}${params === '{}' || params === '{...}' ? '' : ` params: ${params}`}`;
};

/** How a model that cannot call tools says that it wants one. */
function choiceWords({ tools, output }: TurnForm): string {
  return [
    'Answer with one JSON object, in one of two forms.',
    'To use a tool: {"action": "<name of the tool>", "params": {...}}',
    `To give your result: {"action": "${ANSWER}", "output": ${schemaWords(output)}}`,
    'Tools:',
    ...tools.map(toolLine),
  ].join('\n');
}

/** The last words of an agent's first message: how to answer, so that it can be read. */
export function formWords(way: TurnWay, form: TurnForm): string {
  const shape = `one JSON object of this form, without any other words:\n${schemaWords(form.output)}`;
  if (form.tools.length === 0) return `Answer with ${shape}`;
  return way === 'native'
    ? `Use tools if you need them. When you have your result, answer with ${shape}`
    : choiceWords(form);
}
