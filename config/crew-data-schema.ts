import { z } from 'zod';
import { partName } from './crew-names.js';

export const DATA_TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean'] as const;

/** The part of JSON Schema that crews may use for inputs and outputs. Nothing of it can take long to check. */
export interface DataNode {
  type?: (typeof DATA_TYPES)[number];
  description?: string;
  properties?: Record<string, DataNode>;
  required?: string[];
  additionalProperties?: false;
  items?: DataNode;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  enum?: (string | number | boolean)[];
  const?: string | number | boolean;
}

/** Bounds of what a schema leaves open: a small model fills a text or a list that nothing ends until it is cut. */
const USUAL_TEXT = 2_000;
const USUAL_ITEMS = 50;

const whole = (most: number) => z.number().int().min(0).max(most).exactOptional();
const bound = z.number().min(-1e15).max(1e15).exactOptional();
const value = z.union(
  [
    z
      .string()
      .max(200)
      .regex(/^\P{Cc}*$/u),
    z.number(),
    z.boolean(),
  ],
  {
    error: 'expected text of at most 200 characters without line ends, a number, or true or false',
  },
);

const node: z.ZodType<DataNode> = z.lazy(() => DataSchema);

/** A schema of data, as a file says it: what only holds for all of it together is looked at by `DataSchemaCheck`. */
export const DataSchema = z
  .strictObject({
    type: z.enum(DATA_TYPES).exactOptional().describe('What the value is.'),
    description: z.string().min(1).max(1_000).exactOptional().describe('What it means; models are told.'),
    properties: z
      .record(partName, node)
      .exactOptional()
      .describe('object: its parts, in the order in which they are written.'),
    required: z.array(partName).max(100).exactOptional().describe('object: parts that must be there. Default: none.'),
    additionalProperties: z.literal(false).exactOptional().describe('object: there are no other parts. Always so.'),
    items: node.exactOptional().describe('array: what each entry is.'),
    minItems: whole(50).describe('array: fewest entries.'),
    maxItems: whole(500).describe('array: most entries. Default 50.'),
    minLength: whole(1_000).describe('string: fewest characters.'),
    maxLength: whole(32_000).describe('string: most characters. Default 2000.'),
    minimum: bound.describe('number, integer: least value. In outputs of integers alone, with maximum.'),
    maximum: bound.describe('number, integer: greatest value. In outputs of integers alone, with minimum.'),
    enum: z.array(value).min(1).max(200).exactOptional().describe('The values there are.'),
    const: value.exactOptional().describe('The only value there is.'),
  })
  .meta({ id: 'Data' });

/** A schema with its bounds filled in; objects have no other parts than those that are named. */
export function bounded(schema: DataNode): DataNode {
  const { properties, items, ...own } = schema;
  if (own.enum !== undefined || own.const !== undefined) return own;
  if (own.type === 'string') return { ...own, maxLength: own.maxLength ?? USUAL_TEXT };
  if (own.type === 'array' && items) {
    return { ...own, items: bounded(items), maxItems: own.maxItems ?? USUAL_ITEMS };
  }
  if (own.type !== 'object') return own;
  const parts = Object.entries(properties ?? {}).map(([name, part]) => [name, bounded(part)] as const);
  return {
    ...own,
    properties: Object.fromEntries(parts),
    required: own.required ?? [],
    additionalProperties: false,
  };
}
