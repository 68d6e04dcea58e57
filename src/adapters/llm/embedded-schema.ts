import { z } from 'zod';
import { ProviderError } from './provider.js';

/** A JSON Schema, ours or a client's. */
export type JsonSchema = Record<string, unknown>;

/**
 * Bounds of what a client leaves open, and the most that it can ask for. A model this small fills a text or a list that
 * nothing ends until it is cut, and what is cut is no JSON.
 */
const TEXT = { usual: 300, most: 1_000, of: 'letters' };
const ITEMS = { usual: 8, most: 50, of: 'entries' };
/** Of one schema with all that it refers to: a grammar is built from each part. */
const MOST_PARTS = 1_000;
const MOST_DEPTH = 32;
/** Of all that such an answer could have to say word for word, in UTF-16 units: names, and values to choose from. */
const MOST_LETTERS = 65_536;
/** Values to choose from, in all: with each letter that several share, all of them are followed. */
const MOST_VALUES = 256;
/** How often something may stand within itself: a model this small does not find out of it by itself. */
const MOST_WITHIN_ITSELF = 3;

const count = z.int().min(0).optional();
const bound = z.number().optional();
const schema = z.union([z.boolean(), z.looseObject({})]);
const schemas = z.array(schema).min(1).optional();
const named = z.record(z.string(), schema).optional();
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'object', 'array'] as const;
const type = z.enum(TYPES);

const Keywords = z.looseObject({
  $ref: z.string().optional(),
  type: z.union([type, z.array(type).min(1)]).optional(),
  nullable: z.boolean().optional(),
  enum: z.array(scalar).min(1).optional(),
  const: scalar.optional(),
  anyOf: schemas,
  oneOf: schemas,
  allOf: schemas,
  properties: named,
  required: z.array(z.string()).optional(),
  additionalProperties: schema.optional(),
  minProperties: count,
  maxProperties: count,
  items: schema.optional(),
  prefixItems: schemas,
  minItems: count,
  maxItems: count,
  minLength: count,
  maxLength: count,
  format: z.string().optional(),
  minimum: bound,
  maximum: bound,
});
type Keywords = z.output<typeof Keywords>;

/** What no grammar here can hold an answer to. */
const BEYOND = [
  ...['pattern', 'multipleOf', 'exclusiveMinimum', 'exclusiveMaximum', 'not', 'if', 'contains', '$dynamicRef'],
  ...['patternProperties', 'propertyNames', 'dependentRequired', 'dependentSchemas', 'dependencies'],
] as const;
/** Forms of text that a grammar knows; others are hints. */
const FORMATS: readonly string[] = ['date-time', 'date', 'time'];

function refuse(what: string): never {
  const message = `the model of this machine cannot keep to this JSON schema: ${what}`;
  throw new ProviderError('ProviderRejected', message, undefined, { parameter: 'response_format' });
}

/** Text that stands in a grammar as it is. */
function plain(text: string): string {
  if (/[\0-\x08\v\f\x0E-\x1F\x7F]/.test(text)) refuse('a name or a value in it has control characters');
  return text;
}

const SCALARS: JsonSchema[] = [
  { type: 'string', maxLength: TEXT.usual },
  { type: 'number' },
  { type: 'boolean' },
  { type: 'null' },
];
/** Where anything may stand: one level of lists and objects ends by itself. */
const ANYTHING: JsonSchema = {
  oneOf: [
    ...SCALARS,
    { type: 'array', items: { oneOf: SCALARS }, maxItems: ITEMS.usual },
    { type: 'object', additionalProperties: { oneOf: SCALARS }, maxProperties: ITEMS.usual },
  ],
};

/** Most of something: as asked for, else as usual, but never more than can be done nor less than is needed. */
function most(asked: number | undefined, least: number, bounds: typeof TEXT): number {
  if (least > bounds.most) refuse(`it asks for more than ${bounds.most} ${bounds.of}`);
  return Math.min(asked ?? Math.max(bounds.usual, least), bounds.most);
}

function textOf({ minLength = 0, maxLength, format }: Keywords): JsonSchema {
  if (format !== undefined && FORMATS.includes(format)) return { type: 'string', format };
  return { type: 'string', minLength, maxLength: most(maxLength, minLength, TEXT) };
}

/** Bounds that say no more than that a number is one. */
const isOpen = (value: number | undefined): boolean =>
  value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER;

function numberOf(kind: 'number' | 'integer', { minimum, maximum }: Keywords): JsonSchema {
  if (isOpen(minimum) && isOpen(maximum)) return { type: kind };
  const first = Math.ceil(minimum ?? -Infinity);
  const length = Math.floor(maximum ?? Infinity) - first + 1;
  // Whole numbers between two bounds are told one by one.
  if (kind === 'number' || !(length <= MOST_VALUES)) refuse('it bounds a number');
  if (length < 1) refuse('no number is between its bounds');
  return { enum: Array.from({ length }, (_, at) => first + at) };
}

/** The type that goes without saying. */
function impliedType({ properties, required, additionalProperties, items, prefixItems }: Keywords) {
  if (properties ?? required ?? additionalProperties) return 'object';
  return (items ?? prefixItems) ? 'array' : undefined;
}

/** Here something would stand within itself once too often. Whatever need not be there is left out. */
class TooOften extends Error {}

/** Words that say nothing of what fits. */
const HINTS: readonly string[] = ['title', 'description', 'default', 'examples', 'deprecated'];

/** Reads a client's schema, and gives one that a grammar can be made of, and that ends. */
class Reader {
  /** Names of the definitions that are being read. */
  private readonly within: string[] = [];
  private parts = 0;
  private letters = 0;
  private choices = 0;

  constructor(private readonly definitions: Readonly<Record<string, unknown>>) {}

  part(raw: unknown, depth = 0): JsonSchema {
    if (++this.parts > MOST_PARTS || depth > MOST_DEPTH) refuse('it is too large');
    if (raw === true) return ANYTHING;
    const known = Keywords.safeParse(raw);
    if (!known.success) refuse('it is not one, or has values that are no text, number, boolean or null');
    return this.keywords(known.data, depth);
  }

  /** A part that need not be there; undefined: it cannot be. */
  private optional(raw: unknown, depth: number): JsonSchema | undefined {
    try {
      return this.part(raw, depth);
    } catch (error) {
      if (error instanceof TooOften) return undefined;
      throw error;
    }
  }

  private keywords(node: Keywords, depth: number): JsonSchema {
    const beyond = BEYOND.find((name) => node[name] !== undefined) ?? (node.uniqueItems === true && 'uniqueItems');
    if (beyond) refuse(`it has "${beyond}"`);
    const { nullable, ...rest } = node;
    if (nullable) return { oneOf: [this.keywords(rest, depth), { type: 'null' }] };
    return this.composed(node, depth) ?? this.single(node, depth);
  }

  private composed(node: Keywords, depth: number): JsonSchema | undefined {
    if (node.$ref !== undefined) return this.reference(node.$ref, depth);
    if (node.allOf) return this.allOf(node, depth);
    return (node.anyOf ?? node.oneOf) && this.alternatives(node, depth);
  }

  private single(node: Keywords, depth: number): JsonSchema {
    if (node.const !== undefined) return { enum: this.values([node.const]) };
    if (node.enum) return { enum: this.values(node.enum) };
    const type = node.type ?? impliedType(node);
    if (!Array.isArray(type)) return this.typed(type, node, depth);
    return { oneOf: type.map((one) => this.typed(one, node, depth)) };
  }

  private values(values: readonly z.output<typeof scalar>[]): unknown[] {
    this.choices += values.length > 1 ? values.length : 0;
    if (this.choices > MOST_VALUES) refuse(`it has more than ${MOST_VALUES} values to choose from`);
    return values.map((value) => (typeof value === 'string' ? this.word(value) : value));
  }

  /** Text that an answer may have to repeat: each place that refers to it counts. */
  private word(text: string): string {
    this.letters += text.length;
    if (this.letters > MOST_LETTERS) refuse(`its names and values have more than ${MOST_LETTERS} letters`);
    return plain(text);
  }

  private typed(type: (typeof TYPES)[number] | undefined, node: Keywords, depth: number): JsonSchema {
    if (type === undefined) return ANYTHING;
    if (type === 'object') return this.object(node, depth);
    if (type === 'array') return this.array(node, depth);
    if (type === 'string') return textOf(node);
    if (type !== 'number' && type !== 'integer') return { type };
    const number = numberOf(type, node);
    return Array.isArray(number.enum) ? { enum: this.values(number.enum as number[]) } : number;
  }

  private reference(ref: string, depth: number): JsonSchema {
    const name = /^#\/(?:\$defs|definitions)\/([^/]+)$/.exec(ref)?.[1];
    if (name === undefined || !Object.hasOwn(this.definitions, name)) refuse('it refers to what is not in its "$defs"');
    if (this.within.filter((one) => one === name).length >= MOST_WITHIN_ITSELF) throw new TooOften(name);
    this.within.push(name);
    try {
      return this.part(this.definitions[name], depth + 1);
    } finally {
      this.within.pop();
    }
  }

  private allOf({ allOf = [], ...rest }: Keywords, depth: number): JsonSchema {
    const [only] = allOf;
    const isTwofold = (name: string): boolean => name in rest && !HINTS.includes(name);
    if (allOf.length > 1 || typeof only !== 'object' || Object.keys(only).some(isTwofold)) refuse('it has "allOf"');
    return this.part({ ...rest, ...only }, depth + 1);
  }

  private alternatives({ anyOf, oneOf, properties, items }: Keywords, depth: number): JsonSchema {
    if ((anyOf && oneOf) ?? properties ?? items) refuse('it has "anyOf" or "oneOf" beside something else');
    const read = (anyOf ?? oneOf ?? []).flatMap((one) => this.optional(one, depth + 1) ?? []);
    if (read.length === 0) throw new TooOften();
    return { oneOf: read };
  }

  /** All properties come, those that need not too: whatever else an object may have is left out. */
  private object(node: Keywords, depth: number): JsonSchema {
    const { properties = {}, required = [], minProperties = 0, maxProperties } = node;
    const missing = required.filter((name) => !Object.hasOwn(properties, name)).map((name) => [name, true] as const);
    const all = [...Object.entries(properties), ...missing];
    if (all.length === 0) return this.map(node, depth);
    if (minProperties > all.length || (maxProperties ?? Infinity) < all.length) refuse('it counts properties');
    const read = all.flatMap(([name, part]) => {
      const one = required.includes(name) ? this.part(part, depth + 1) : this.optional(part, depth + 1);
      return one ? [[this.word(name), one] as const] : [];
    });
    if (minProperties > read.length) throw new TooOften();
    return { type: 'object', properties: Object.fromEntries(read) };
  }

  private map({ additionalProperties = true, minProperties = 0, maxProperties }: Keywords, depth: number): JsonSchema {
    const read = additionalProperties === false ? undefined : this.optional(additionalProperties, depth + 1);
    if (!read && minProperties > 0) throw new TooOften();
    if (!read) return { type: 'object', properties: {} };
    return {
      type: 'object',
      additionalProperties: read,
      minProperties,
      maxProperties: most(maxProperties, minProperties, ITEMS),
    };
  }

  private array(node: Keywords, depth: number): JsonSchema {
    const further = isClosed(node) ? undefined : this.optional(node.items ?? true, depth + 1);
    if (!further && !isClosed(node)) return this.shortest(node, depth);
    const { prefixItems = [], minItems = 0 } = node;
    const maxItems = further ? most(node.maxItems, Math.max(minItems, prefixItems.length), ITEMS) : prefixItems.length;
    if (minItems > maxItems || prefixItems.length > maxItems) refuse('its lists cannot be as long as it says');
    return {
      type: 'array',
      ...(prefixItems.length > 0 && { prefixItems: prefixItems.map((one) => this.part(one, depth + 1)) }),
      items: further ?? { type: 'null' },
      minItems,
      maxItems,
    };
  }

  /** A list whose further entries cannot be there. */
  private shortest({ items: _, ...node }: Keywords, depth: number): JsonSchema {
    if ((node.minItems ?? 0) > (node.prefixItems?.length ?? 0)) throw new TooOften();
    return this.array({ ...node, items: false }, depth);
  }
}

/** Whether a list ends with the entries that are named one by one. */
const isClosed = ({ items, prefixItems = [] }: Keywords): boolean =>
  items === false || (prefixItems.length > 0 && items === undefined);

const Definitions = z.looseObject({ $defs: named, definitions: named });

/**
 * A client's JSON Schema as the embedded model's grammar can follow it: with bounds where it has none. An answer that
 * follows ours follows the client's.
 * @throws ProviderError `ProviderRejected` with parameter `response_format` for what no grammar here can express
 */
export function boundedSchema(given: JsonSchema): JsonSchema {
  const known = Definitions.safeParse(given);
  if (!known.success) refuse('its "$defs" are no schemas');
  const reader = new Reader({ ...known.data.definitions, ...known.data.$defs });
  try {
    return reader.part(given);
  } catch (error) {
    if (error instanceof TooOften) refuse('it refers to itself without an end');
    throw error;
  }
}
