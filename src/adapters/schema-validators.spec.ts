import { describe, expect, it } from '@jest/globals';
import { SchemaValidators } from './schema-validators.js';

const SCHEMA = {
  type: 'object',
  properties: {
    kind: { type: 'string', enum: ['short', 'long'] },
    parts: { type: 'array', items: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] } },
    'a/b': { type: 'integer' },
  },
  required: ['kind'],
  additionalProperties: false,
};

describe(SchemaValidators.name, () => {
  const problems = (value: unknown): string[] => new SchemaValidators().of(SCHEMA)(value);

  it('should say nothing of what fits', () => {
    expect(problems({ kind: 'short', parts: [{ id: 'x' }] })).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['no object', [], 'the answer must be object'],
    ['something missing', {}, "the answer must have required property 'kind'"],
    ['a name too many', { kind: 'long', more: 1 }, 'the answer must NOT have additional properties (more)'],
    ['another choice', { kind: 'tall' }, 'kind must be equal to one of the allowed values ("short", "long")'],
    ['an item of a list', { kind: 'long', parts: [{ id: 'x' }, { id: 7 }] }, 'parts.1.id must be string'],
  ])('should say where and what: %s', (_, value, sentence) => {
    expect(problems(value)).toEqual([sentence]);
  });

  it('should say all at once', () => {
    expect(problems({ parts: [{}], more: 1 })).toHaveLength(3);
  });

  it('should be brief about very much that does not fit', () => {
    const values = Array.from({ length: 200 }, (_, index) => `${index}${'"'.repeat(190)}`);
    const schema = { type: 'array', items: { type: 'string', enum: values } };
    const told = new SchemaValidators().of(schema)(Array.from({ length: 9_000 }, () => 0));
    expect(told).toHaveLength(21);
    expect(told.at(-1)).toBe('and 17980 more');
    expect(told.join('').length).toBeLessThan(50_000);
  });

  it('should answer each value by itself', () => {
    const validate = new SchemaValidators().of(SCHEMA);
    const bad = validate({});
    expect(validate({ kind: 'long' })).toEqual([]);
    expect(bad).toEqual(["the answer must have required property 'kind'"]);
    expect(validate({}, 'inputs')).toEqual(["inputs must have required property 'kind'"]);
  });

  it('should make one check for a schema, also where it is another object', () => {
    const validators = new SchemaValidators();
    expect(validators.of(structuredClone(SCHEMA))).toBe(validators.of(SCHEMA));
    expect(validators.of({ ...SCHEMA, required: [] })).not.toBe(validators.of(SCHEMA));
  });

  it('should take what grammars of models know and it does not', () => {
    expect(new SchemaValidators().of({ type: 'string', format: 'date', strange: true })('no date')).toEqual([]);
  });

  it('should keep schemas with the same id apart', () => {
    const validators = new SchemaValidators();
    expect(validators.of({ $id: 'one', type: 'string' })('a')).toEqual([]);
    expect(validators.of({ $id: 'one', type: 'integer' })('a')).toEqual(['the answer must be integer']);
  });
});
