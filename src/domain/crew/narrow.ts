import type { CheckDefinition, JsonSchema } from '../../contracts/crew.js';
import { distinct, givableRoles, type CheckScope } from './checks.js';
import { namesOf, valuesOf } from './references.js';
import { isObject, isShortName, ownValue } from './values.js';

/** More values are not listed in a schema: each is a branch of a grammar and costs words. */
const MOST_VALUES = 64;

/**
 * What a schema is for: grammars are `held` to it, and models are `told` it in words, beside those of the author. Values
 * that come from others stand in no block there: a sentence among them would speak for itself. So a grammar lists them
 * only where they have no spaces, and words only where they are too short to say anything.
 */
export type SchemaUse = 'held' | 'told';
const LISTED: Readonly<Record<SchemaUse, (value: string) => boolean>> = {
  held: (value) => /^[\w./@+:-]{1,200}$/.test(value),
  told: isShortName,
};

type Change = (part: JsonSchema) => JsonSchema;

/** The texts that may stand somewhere, or whose they are where these cannot be listed. */
type Known = { values: readonly string[] } | { references: readonly string[] };

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
  (known: Known): Change =>
  (part) => {
    if (part.type === 'array' && isObject(part.items)) return { ...part, items: oneOf(known)(part.items) };
    if (part.type !== 'string' || part.enum !== undefined) return part;
    if ('values' in known) return { ...part, enum: known.values };
    const { description } = part;
    const words = [description, `one of ${known.references.join(' or ')}`].filter((one) => typeof one === 'string');
    return { ...part, description: words.join('; ') };
  };

/** A list has exactly so many entries, where it may. */
const exactly =
  (count: number): Change =>
  (part) => {
    const { type, minItems, maxItems } = part;
    const [least, most] = [Number(minItems ?? 0), Number(maxItems ?? Infinity)];
    return type === 'array' && least <= count && count <= most ? { ...part, minItems: count, maxItems: count } : part;
  };

/** The values as a schema can list them; undefined: it cannot. */
function listed(values: readonly unknown[], use: SchemaUse): string[] | undefined {
  const all = distinct(values);
  const isWhole = all.length > 0 && all.length <= MOST_VALUES;
  const fits = (value: unknown): value is string => typeof value === 'string' && LISTED[use](value);
  return isWhole && all.every(fits) ? all : undefined;
}

/** The texts that may stand at a path; undefined: not known, or anything. */
function knownAt(
  path: string,
  checks: readonly CheckDefinition[],
  scope: CheckScope,
  use: SchemaUse,
): Known | undefined {
  for (const one of checks) {
    if (one.check === 'among' && one.at === path) {
      const references = [one.values].flat();
      const values = listed(
        references.flatMap((reference) => valuesOf(reference, scope)),
        use,
      );
      if (values) return { values };
      return use === 'told' ? { references } : undefined;
    }
    if (one.check === 'role' && one.at === path) {
      // The crew's own words.
      const values = givableRoles(one.among, scope);
      return values.length > 0 ? { values } : undefined;
    }
  }
  return undefined;
}

function narrowedBy(
  schema: JsonSchema,
  definition: CheckDefinition,
  checks: readonly CheckDefinition[],
  scope: CheckScope,
  use: SchemaUse,
): JsonSchema {
  switch (definition.check) {
    case 'among':
    case 'role': {
      const known = knownAt(definition.at, checks, scope, use);
      return known ? changed(schema, namesOf(definition.at), oneOf(known)) : schema;
    }
    case 'acyclic': {
      const nodes = knownAt(definition.nodes, checks, scope, use);
      return nodes ? changed(schema, namesOf(definition.edges), oneOf(nodes)) : schema;
    }
    case 'covers': {
      const { at } = definition;
      const isUnique = checks.some((one) => one.check === 'unique' && one.at === at);
      const known = isUnique ? knownAt(at, checks, scope, use) : undefined;
      const names = namesOf(at);
      if (!known || !('values' in known)) return schema;
      return changed(schema, names.slice(0, names.lastIndexOf('[]')), exactly(known.values.length));
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
  use: SchemaUse = 'held',
): JsonSchema => checks.reduce((narrowed, one) => narrowedBy(narrowed, one, checks, scope, use), schema);
