import type { CheckDefinition, JsonSchema } from '../../contracts/crew.js';
import { distinct, givableRoles, type CheckScope } from './checks.js';
import { namesOf, valuesOf } from './references.js';
import { isObject, ownValue } from './values.js';

/** More values, or longer ones, are not listed in a schema: each is a branch of a grammar and costs words. */
const MOST_VALUES = 64;
const LONGEST_VALUE = 200;

type Change = (part: JsonSchema) => JsonSchema;

/** A schema with the part that names lead to changed; as it is where there is no such part. */
function changed(schema: JsonSchema, [name, ...rest]: readonly string[], change: Change): JsonSchema {
  if (name === undefined) return change(schema);
  if (name === '[]') {
    return isObject(schema.items) ? { ...schema, items: changed(schema.items, rest, change) } : schema;
  }
  const { properties } = schema;
  if (!isObject(properties)) return schema;
  const part = ownValue(properties, name);
  return isObject(part) ? { ...schema, properties: { ...properties, [name]: changed(part, rest, change) } } : schema;
}

/** A text, or each of a list of texts, is one of these. */
const oneOf =
  (values: readonly string[]): Change =>
  (part) => {
    if (part.type === 'array' && isObject(part.items)) return { ...part, items: oneOf(values)(part.items) };
    return part.type === 'string' && part.enum === undefined ? { ...part, enum: values } : part;
  };

/** A list has exactly so many entries, where it may. */
const exactly =
  (count: number): Change =>
  (part) => {
    const { type, minItems, maxItems } = part;
    const [least, most] = [Number(minItems ?? 0), Number(maxItems ?? Infinity)];
    return type === 'array' && least <= count && count <= most
      ? { ...part, minItems: count, maxItems: count }
      : part;
  };

/** The values as a schema can list them; undefined: it cannot. */
function listed(values: readonly unknown[]): string[] | undefined {
  const texts = distinct(values).filter((value) => typeof value === 'string' && value.length <= LONGEST_VALUE);
  const isWhole = texts.length > 0 && texts.length <= MOST_VALUES && texts.length === distinct(values).length;
  return isWhole ? (texts as string[]) : undefined;
}

/** The texts that may stand at a path; undefined: not known, or anything. */
function knownAt(path: string, checks: readonly CheckDefinition[], scope: CheckScope): string[] | undefined {
  for (const one of checks) {
    if (one.check === 'among' && one.at === path) {
      return listed([one.values].flat().flatMap((reference) => valuesOf(reference, scope)));
    }
    if (one.check === 'role' && one.at === path) return listed(givableRoles(one.among, scope));
  }
  return undefined;
}

function narrowedBy(
  schema: JsonSchema,
  definition: CheckDefinition,
  checks: readonly CheckDefinition[],
  scope: CheckScope,
): JsonSchema {
  switch (definition.check) {
    case 'among':
    case 'role': {
      const values = knownAt(definition.at, checks, scope);
      return values ? changed(schema, namesOf(definition.at), oneOf(values)) : schema;
    }
    case 'acyclic': {
      const nodes = knownAt(definition.nodes, checks, scope);
      return nodes ? changed(schema, namesOf(definition.edges), oneOf(nodes)) : schema;
    }
    case 'covers': {
      const { at } = definition;
      const isUnique = checks.some((one) => one.check === 'unique' && one.at === at);
      const values = isUnique ? knownAt(at, checks, scope) : undefined;
      const names = namesOf(at);
      return values ? changed(schema, names.slice(0, names.lastIndexOf('[]')), exactly(values.length)) : schema;
    }
    case 'unique':
      return schema;
  }
}

/**
 * The schema of an output with what its checks demand and a schema can say, as things stand: which ids there are, how
 * many entries. A model that is held to it cannot miss them, and any other is told. Whatever passes the checks fits it.
 */
export const narrowedSchema = (
  schema: JsonSchema,
  checks: readonly CheckDefinition[],
  scope: CheckScope,
): JsonSchema => checks.reduce((narrowed, one) => narrowedBy(narrowed, one, checks, scope), schema);
