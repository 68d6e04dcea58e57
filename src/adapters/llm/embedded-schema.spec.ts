import { describe, expect, it } from '@jest/globals';
import { boundedSchema, type JsonSchema } from './embedded-schema.js';
import { ProviderError } from './provider.js';

const refusalOf = (schema: JsonSchema): string => {
  try {
    boundedSchema(schema);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    expect(error.toFailure()).toMatchObject({ type: 'ProviderRejected', parameter: 'response_format' });
    return error.message.replace('the model of this machine cannot keep to this JSON schema: ', '');
  }
  return 'accepted';
};

const TEXT = { type: 'string', minLength: 0, maxLength: 300 };
const SCALARS = {
  oneOf: [{ type: 'string', maxLength: 300 }, { type: 'number' }, { type: 'boolean' }, { type: 'null' }],
};

describe('a schema with an end', () => {
  it.each<[string, JsonSchema, JsonSchema]>([
    ['a text', { type: 'string', description: 'd', title: 't', default: 'x', format: 'email' }, TEXT],
    [
      'a text with bounds',
      { type: 'string', minLength: 2, maxLength: 9 },
      { type: 'string', minLength: 2, maxLength: 9 },
    ],
    ['a long text', { type: 'string', maxLength: 1e9 }, { type: 'string', minLength: 0, maxLength: 1_000 }],
    [
      'a text that must be long',
      { type: 'string', minLength: 400 },
      { type: 'string', minLength: 400, maxLength: 400 },
    ],
    ['a date', { type: 'string', format: 'date' }, { type: 'string', format: 'date' }],
    ['a number', { type: 'number' }, { type: 'number' }],
    [
      'zod’s whole number',
      { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 },
      { type: 'integer' },
    ],
    ['a mark', { type: 'integer', minimum: 1, maximum: 5 }, { enum: [1, 2, 3, 4, 5] }],
    ['one of some', { enum: ['a', 1, null, true] }, { enum: ['a', 1, null, true] }],
    ['a constant', { const: 'a' }, { enum: ['a'] }],
    ['two types', { type: ['string', 'null'] }, { oneOf: [TEXT, { type: 'null' }] }],
    ['one that may be null', { type: 'boolean', nullable: true }, { oneOf: [{ type: 'boolean' }, { type: 'null' }] }],
    [
      'alternatives',
      { anyOf: [{ type: 'null' }, { type: 'boolean' }] },
      { oneOf: [{ type: 'null' }, { type: 'boolean' }] },
    ],
    ['one of one', { allOf: [{ type: 'boolean' }], description: 'd' }, { type: 'boolean' }],
    [
      'a list',
      { type: 'array', items: { type: 'null' } },
      { type: 'array', items: { type: 'null' }, minItems: 0, maxItems: 8 },
    ],
    [
      'a long list',
      { type: 'array', items: { type: 'null' }, minItems: 20, maxItems: 900 },
      { type: 'array', items: { type: 'null' }, minItems: 20, maxItems: 50 },
    ],
    [
      'a pair',
      { type: 'array', prefixItems: [{ type: 'null' }, { type: 'boolean' }] },
      {
        type: 'array',
        prefixItems: [{ type: 'null' }, { type: 'boolean' }],
        items: { type: 'null' },
        minItems: 0,
        maxItems: 2,
      },
    ],
    [
      'an object',
      { type: 'object', properties: { a: { type: 'null' } }, required: ['a'], additionalProperties: true },
      { type: 'object', properties: { a: { type: 'null' } } },
    ],
    [
      'an object without its type',
      { properties: { a: { type: 'null' } } },
      { type: 'object', properties: { a: { type: 'null' } } },
    ],
    ['an empty object', { type: 'object', additionalProperties: false }, { type: 'object', properties: {} }],
    [
      'a map',
      { type: 'object', additionalProperties: { type: 'boolean' }, minProperties: 1 },
      { type: 'object', additionalProperties: { type: 'boolean' }, minProperties: 1, maxProperties: 8 },
    ],
  ])('%s', (_name, given, expected) => {
    expect(boundedSchema(given)).toEqual(expected);
  });

  it('has scalars, and one level of lists and objects, where anything may stand', () => {
    const { properties } = boundedSchema({ type: 'object', properties: { a: {} }, required: ['a', 'b'] });
    const anything = {
      oneOf: [
        ...SCALARS.oneOf,
        { type: 'array', items: SCALARS, maxItems: 8 },
        { type: 'object', additionalProperties: SCALARS, maxProperties: 8 },
      ],
    };
    expect(properties).toEqual({ a: anything, b: anything });
  });

  it('has what is referred to in its place', () => {
    const given = {
      $ref: '#/definitions/Pair',
      definitions: { Other: { pattern: 'x' }, Pair: { type: 'array', prefixItems: [{ $ref: '#/$defs/Null' }] } },
      $defs: { Null: { type: 'null' } },
    };
    const items = { type: 'null' };
    expect(boundedSchema(given)).toEqual({ type: 'array', prefixItems: [items], items, minItems: 0, maxItems: 1 });
  });

  it('has what refers to itself three times within itself, and what need not be there no more', () => {
    const child = { $ref: '#/$defs/A' };
    const read = (part: JsonSchema, required: string[] = []): unknown =>
      boundedSchema({ ...child, $defs: { A: { type: 'object', properties: { a: part }, required } } });
    const nested = (part: JsonSchema | undefined, wrap = (inner: JsonSchema): JsonSchema => inner): JsonSchema => {
      const object = (inner?: JsonSchema): JsonSchema => ({ type: 'object', properties: inner ? { a: inner } : {} });
      return object(wrap(object(wrap(object(part)))));
    };
    const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items, minItems: 0, maxItems: 8 });
    expect(read({ type: 'array', items: child })).toEqual(nested({ ...list({ type: 'null' }), maxItems: 0 }, list));
    expect(read({ anyOf: [child, { type: 'null' }] }, ['a'])).toEqual(
      nested({ oneOf: [{ type: 'null' }] }, (inner) => ({ oneOf: [inner, { type: 'null' }] })),
    );
    expect(read(child)).toEqual(nested(undefined));
    const map = (inner: JsonSchema): JsonSchema => ({
      ...{ type: 'object', additionalProperties: inner },
      ...{ minProperties: 0, maxProperties: 8 },
    });
    expect(read({ type: 'object', additionalProperties: child })).toEqual(
      nested({ type: 'object', properties: {} }, map),
    );
  });
});

describe('a schema that no grammar can express is refused', () => {
  const deep = (levels: number): JsonSchema =>
    levels === 0 ? { type: 'null' } : { type: 'array', items: deep(levels - 1) };
  const child = { $ref: '#/$defs/A' };
  const A = { type: 'object', properties: { a: child } };
  const endless = (part: JsonSchema): JsonSchema => ({ ...child, $defs: { A: part } });
  const wide = {
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`p${at}`, true])),
  };

  it.each<[string, JsonSchema, string]>([
    ['a pattern', { type: 'string', pattern: 'a+' }, 'it has "pattern"'],
    ['a pattern within', { type: 'array', items: { pattern: 'a+' } }, 'it has "pattern"'],
    ['no two alike', { type: 'array', uniqueItems: true }, 'it has "uniqueItems"'],
    ['bounds of a number', { type: 'number', minimum: 0 }, 'it bounds a number'],
    ['one bound', { type: 'integer', minimum: 0 }, 'it bounds a number'],
    ['far bounds', { type: 'integer', minimum: 0, maximum: 1_000 }, 'it bounds a number'],
    ['bounds with nothing between', { type: 'integer', minimum: 2, maximum: 1 }, 'no number is between its bounds'],
    ['several at once', { allOf: [{ type: 'object' }, { type: 'object' }] }, 'it has "allOf"'],
    [
      'alternatives beside properties',
      { anyOf: [true], properties: {} },
      'it has "anyOf" or "oneOf" beside something else',
    ],
    ['a reference elsewhere', { $ref: 'https://example.org/a.json' }, 'it refers to what is not in its "$defs"'],
    [
      'a reference to the whole',
      { type: 'object', properties: { a: { $ref: '#' } } },
      'it refers to what is not in its "$defs"',
    ],
    ['a reference to nothing', { $ref: '#/$defs/toString' }, 'it refers to what is not in its "$defs"'],
    ['a text that is too long', { type: 'string', minLength: 5_000 }, 'it asks for more than 1000 letters'],
    ['a list that is too long', { type: 'array', minItems: 51 }, 'it asks for more than 50 entries'],
    [
      'many values',
      { enum: Array.from({ length: 257 }, (_, at) => `v${at}`) },
      'it has more than 256 values to choose from',
    ],
    [
      'many values in all',
      { type: 'array', prefixItems: Array.from({ length: 3 }, () => ({ type: 'integer', minimum: 1, maximum: 100 })) },
      'it has more than 256 values to choose from',
    ],
    [
      'long values that are referred to again and again',
      {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`p${at}`, { $ref: '#/$defs/A' }])),
        $defs: { A: { const: 'x'.repeat(4_000) } },
      },
      'its names and values have more than 65536 letters',
    ],
    ['a control character', { enum: ['a\u0001'] }, 'a name or a value in it has control characters'],
    ['an object as a value', { enum: [{}] }, 'it is not one, or has values that are no text, number, boolean or null'],
    [
      'nothing',
      { type: 'object', properties: { a: false } },
      'it is not one, or has values that are no text, number, boolean or null',
    ],
    ['an unknown type', { type: 'any' }, 'it is not one, or has values that are no text, number, boolean or null'],
    ['itself', endless({ $ref: '#/$defs/A' }), 'it refers to itself without an end'],
    ['itself in itself', endless({ ...A, required: ['a'] }), 'it refers to itself without an end'],
    ['itself in a list', endless({ type: 'array', items: child, minItems: 1 }), 'it refers to itself without an end'],
    [
      'itself in a map',
      endless({ additionalProperties: child, minProperties: 1 }),
      'it refers to itself without an end',
    ],
    ['two of one', { minLength: 1, allOf: [{ minLength: 2 }] }, 'it has "allOf"'],
    ['too deep', deep(40), 'it is too large'],
    ['too wide', wide, 'it is too large'],
  ])('%s', (_name, given, expected) => {
    expect(refusalOf(given)).toBe(expected);
  });
});
