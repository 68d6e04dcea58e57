import type { CheckDefinition, JsonSchema } from '../../contracts/crew.js';
import { namesOf } from './references.js';
import { isObject, isShortName, ownValue } from './values.js';

/** Longer lists stay lists: each entry is told with the whole schema of an entry. */
const MOST_ENTRIES = 20;
/** Values to choose from in all entries: a grammar follows each of them. */
const MOST_CHOICES = 200;

/** How many values an answer chooses from, by a schema. */
function choicesOf(schema: unknown): number {
  if (!isObject(schema)) return 0;
  const { enum: values, items, properties } = schema;
  if (Array.isArray(values)) return values.length;
  const parts = [items, ...Object.values(isObject(properties) ? properties : {})];
  return parts.reduce((sum: number, part) => sum + choicesOf(part), 0);
}

/** A whole number without its bounds: a grammar lists all that are between them. They are checked in the answer. */
function unbounded(part: unknown): unknown {
  if (!isObject(part) || part.type !== 'integer') return part;
  return Object.fromEntries(Object.entries(part).filter(([name]) => name !== 'minimum' && name !== 'maximum'));
}

/** A list at the top of an output whose entries have an id each. */
interface IdList {
  list: string;
  id: string;
}

/** Lists whose entries are to have ids of their own. */
function idLists(checks: readonly CheckDefinition[]): (IdList & { at: string })[] {
  return checks.flatMap((one) => {
    if (one.check !== 'unique') return [];
    const [list, each, id, ...deeper] = namesOf(one.at);
    const isPlain = list !== undefined && each === '[]' && id !== undefined && deeper.length === 0;
    return isPlain ? [{ list, id, at: one.at }] : [];
  });
}

/**
 * The ids that a list has one entry for each of; undefined: it may have others, or several, or too many, or they are no
 * names that words of our own may say.
 */
function idsOf({ minItems, maxItems, items }: JsonSchema, name: string): string[] | undefined {
  const properties = isObject(items) ? items.properties : undefined;
  const id = isObject(properties) ? ownValue(properties, name) : undefined;
  const ids = isObject(id) && Array.isArray(id.enum) ? (id.enum as string[]) : [];
  const isWhole = ids.length > 0 && minItems === ids.length && maxItems === ids.length;
  const isSmall = ids.length <= MOST_ENTRIES && ids.length * choicesOf(items) <= MOST_CHOICES;
  return isWhole && isSmall && ids.every(isShortName) ? ids : undefined;
}

/** What each node depends on, by the checks: the name in an entry of the list. */
const edgesIn = (checks: readonly CheckDefinition[], { list, at }: IdList & { at: string }): string[] =>
  checks.flatMap((one) => {
    if (one.check !== 'acyclic' || one.nodes !== at) return [];
    const [first, , edge, ...deeper] = namesOf(one.edges);
    return first === list && edge !== undefined && (deeper.length === 0 || deeper[0] === '[]') ? [edge] : [];
  });

/** A list of ids with only those that one of them may depend on: not itself, and in order only those before it. */
function withoutId(schema: unknown, id: string, inOrder: boolean): unknown {
  if (!isObject(schema) || !isObject(schema.items) || !Array.isArray(schema.items.enum)) return schema;
  const ids = schema.items.enum as unknown[];
  const others = inOrder ? ids.slice(0, Math.max(0, ids.indexOf(id))) : ids.filter((one) => one !== id);
  return others.length > 0
    ? { ...schema, items: { ...schema.items, enum: others } }
    : { ...schema, minItems: 0, maxItems: 0 };
}

function entryOf(
  items: JsonSchema,
  id: { name: string; value: string },
  { edges, inOrder }: { edges: readonly string[]; inOrder: boolean },
): JsonSchema {
  const { properties, required } = items;
  const others = Object.entries(isObject(properties) ? properties : {}).filter(([name]) => name !== id.name);
  return {
    ...items,
    properties: Object.fromEntries(
      others.map(([name, part]) => [name, edges.includes(name) ? withoutId(part, id.value, inOrder) : unbounded(part)]),
    ),
    ...(Array.isArray(required) && { required: (required as unknown[]).filter((one) => one !== id.name) }),
  };
}

/**
 * A narrowed schema with the lists that have exactly one entry for each of some ids told as objects under these ids. No
 * grammar can hold a list to having each id once; an object has each of its names once.
 * @param inOrder each id may depend on those before it alone: fewer graphs than are right, but none with a circle
 */
export function keyedSchema(schema: JsonSchema, checks: readonly CheckDefinition[], inOrder = false): JsonSchema {
  return idLists(checks).reduce((keyed: JsonSchema, one) => {
    const { properties } = keyed;
    const list = isObject(properties) ? ownValue(properties, one.list) : undefined;
    const ids = isObject(list) ? idsOf(list, one.id) : undefined;
    if (!isObject(list) || !isObject(list.items) || !ids) return keyed;
    const { items } = list;
    const graph = { edges: edgesIn(checks, one), inOrder };
    const entries = ids.map((value): [string, JsonSchema] => [value, entryOf(items, { name: one.id, value }, graph)]);
    const object = {
      type: 'object',
      properties: Object.fromEntries(entries),
      required: ids,
      additionalProperties: false,
    };
    return { ...keyed, properties: { ...(properties as object), [one.list]: object } };
  }, schema);
}

/** An output with what was told under ids as lists again. What is a list already stays as it is. */
export function unkeyed(output: Record<string, unknown>, checks: readonly CheckDefinition[]): Record<string, unknown> {
  return idLists(checks).reduce((plain, { list, id }) => {
    const told = ownValue(plain, list);
    if (!isObject(told) || !Object.values(told).every(isObject)) return plain;
    const entries = Object.entries(told).map(([value, entry]) => ({ [id]: value, ...(entry as object) }));
    return { ...plain, [list]: entries };
  }, output);
}
