import type { JsonSchema } from '../../contracts/crew.js';
import { cutText } from '../../contracts/text.js';
import { isObject } from './values.js';

const MOST_DEPTH = 8;
/** Longest shape, in UTF-16 units. */
const LONGEST = 6_000;

const WORDS = new Map([
  ['string', 'text'],
  ['integer', 'whole number'],
  ['number', 'number'],
  ['boolean', 'true or false'],
  ['null', 'null'],
]);

/** `1 to 5`, `at most 5`, `at least 1`; undefined: any. */
function range(least: unknown, most: unknown): string | undefined {
  if (typeof least === 'number' && typeof most === 'number') return `${least} to ${most}`;
  if (typeof most === 'number') return `at most ${most}`;
  return typeof least === 'number' && least > 0 ? `at least ${least}` : undefined;
}

/** What is said of a value in brackets after it. */
function remarks({ type, minimum, maximum, minItems, maxItems, description }: JsonSchema): string {
  const bounds = type === 'array' ? range(minItems || undefined, maxItems) : range(minimum, maximum);
  const words = [bounds, typeof description === 'string' ? description.trim() : undefined].filter(Boolean);
  return words.length === 0 ? '' : ` (${words.join('; ')})`;
}

function objectWords({ properties, required }: JsonSchema, depth: number): string {
  if (!isObject(properties)) return '{...}';
  const needed = Array.isArray(required) ? (required as unknown[]) : [];
  const parts = Object.entries(properties).map(([name, part]) => {
    const optional = needed.includes(name) ? '' : ' (may be left out)';
    return `${JSON.stringify(name)}: ${shape(isObject(part) ? part : {}, depth + 1)}${optional}`;
  });
  return `{${parts.join(', ')}}`;
}

function plainWords(schema: JsonSchema, depth: number): string {
  const { type, items } = schema;
  if (schema.const !== undefined) return JSON.stringify(schema.const) ?? '';
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (Array.isArray(type)) return type.map((one) => shape({ type: one as unknown }, depth)).join(' | ');
  if (type === 'array') return `[${shape(isObject(items) ? items : {}, depth + 1)}, ...]`;
  if (type === 'object' || schema.properties !== undefined) return objectWords(schema, depth);
  return WORDS.get(String(type)) ?? 'any value';
}

const shape = (schema: JsonSchema, depth: number): string =>
  depth > MOST_DEPTH ? '...' : `${plainWords(schema, depth)}${remarks(schema)}`;

/**
 * A JSON Schema as a short line that a small model understands: `{"id": text, "hours": number (0 to 80)}`. It says what
 * an answer looks like, and not all that is checked.
 */
export const schemaWords = (schema: JsonSchema): string => cutText(shape(schema, 0), LONGEST);
