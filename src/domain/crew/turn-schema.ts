import type { JsonSchema } from '../../contracts/crew.js';
import type { TurnForm } from './turn-way.js';
import { isObject } from './values.js';

/** Under which a turn says what it does, and what it says when it gives its output. */
export const ANSWER = 'answer';

/** Keywords that every grammar can hold an answer to; what else a schema asks is checked when the answer is there. */
const HELD = ['type', 'enum', 'const', 'description', 'minLength', 'maxLength', 'minItems', 'maxItems'] as const;
/** Whole numbers between bounds are listed one by one in a grammar. */
const MOST_NUMBERS = 200;
const MOST_DEPTH = 12;

/** Bounds of a number as far as grammars can hold them: of whole numbers, where they are near each other. */
function bounds({ type, minimum, maximum }: JsonSchema): JsonSchema {
  const isNear = typeof minimum === 'number' && typeof maximum === 'number' && maximum - minimum < MOST_NUMBERS;
  return type === 'integer' && isNear ? { minimum, maximum } : {};
}

/**
 * A schema with only what the grammars of all providers can hold an answer to. Whatever fits the schema fits this one,
 * too; not the other way round.
 */
export function heldSchema(schema: JsonSchema, depth = 0): JsonSchema {
  if (depth > MOST_DEPTH) return {};
  const plain = Object.fromEntries(HELD.flatMap((name) => (name in schema ? [[name, schema[name]]] : [])));
  const { properties, items, required, additionalProperties } = schema;
  const below = (part: unknown): JsonSchema => (isObject(part) ? heldSchema(part, depth + 1) : {});
  return {
    ...plain,
    ...bounds(schema),
    ...(isObject(properties) && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, below(part)])),
    }),
    ...(required !== undefined && { required }),
    ...(isObject(items) && { items: below(items) }),
    ...(additionalProperties === false && { additionalProperties }),
  };
}

const closed = (properties: Record<string, JsonSchema>): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/** Parameters that may be left out are null: grammars of small models have every property come. */
function nullableParams(parameters: JsonSchema): JsonSchema | undefined {
  const { properties, required } = heldSchema(parameters);
  if (!isObject(properties) || Object.keys(properties).length === 0) return undefined;
  const needed = Array.isArray(required) ? (required as unknown[]) : [];
  const parts = Object.entries(properties as Record<string, JsonSchema>).map(([name, part]): [string, JsonSchema] => [
    name,
    needed.includes(name) ? part : { anyOf: [part, { type: 'null' }] },
  ]);
  return closed(Object.fromEntries(parts));
}

/**
 * The schema of a turn for models that are held to one: a choice between each tool with its parameters and the output.
 * Each alternative begins with its own word, so that a grammar knows after a few letters which it is in, and a model
 * writes nothing that belongs to another. Without tools: the schema of the output.
 */
export function choiceSchema({ tools, output }: TurnForm): Record<string, unknown> {
  const held = heldSchema(output);
  if (tools.length === 0) return { ...held };
  const calls = tools.map(({ name, parameters }) => {
    const params = nullableParams(parameters);
    return closed({ action: { type: 'string', const: name }, ...(params && { params }) });
  });
  return { anyOf: [...calls, closed({ action: { type: 'string', const: ANSWER }, output: held })] };
}

/** Parameters without those that may be left out and are null. */
export function withoutNulls(params: Record<string, unknown>, parameters: JsonSchema): Record<string, unknown> {
  const required = Array.isArray(parameters.required) ? (parameters.required as unknown[]) : [];
  return Object.fromEntries(
    Object.entries(params).filter(([name, value]) => value !== null || required.includes(name)),
  );
}
