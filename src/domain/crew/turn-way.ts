import type { ModelFacts, ToolDefinition } from '../../contracts/chat.js';
import type { JsonSchema } from '../../contracts/crew.js';

/**
 * How a model is brought to answer in a form. `native`: it calls tools itself. `constrained`: its answer is held to a
 * JSON schema as it is written. `words`: it is told the form and may miss it.
 */
export type TurnWay = 'native' | 'constrained' | 'words';

/** A tool as models are told of it. */
export interface OfferedTool {
  name: string;
  description: string;
  /** JSON Schema of an object. */
  parameters: JsonSchema;
}

/** What a model may answer in a turn. */
export interface TurnForm {
  /** None: it can only give its output. */
  tools: readonly OfferedTool[];
  output: JsonSchema;
}

/** The way for a model that can do some things, where it has tools or has none. */
export function wayOf(
  { capabilities }: Pick<ModelFacts, 'capabilities'>,
  { tools }: { tools: readonly unknown[] },
): TurnWay {
  if (tools.length > 0 && capabilities.includes('tools')) return 'native';
  return capabilities.includes('json_schema') ? 'constrained' : 'words';
}

/** Tools as the API of a provider takes them. */
export const toolDefinitions = (tools: readonly OfferedTool[]): ToolDefinition[] =>
  tools.map(({ name, description, parameters }) => ({ name, description, parameters: { ...parameters } }));
