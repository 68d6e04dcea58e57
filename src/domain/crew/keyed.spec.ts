import { describe, expect, it } from '@jest/globals';
import type { CheckDefinition, JsonSchema } from '../../contracts/crew.js';
import { keyedSchema, unkeyed } from './keyed.js';

const ids = { type: 'string', enum: ['t1', 't2'] };
const schema = (least: number, most: number, hours: object = {}): JsonSchema => ({
  type: 'object',
  properties: {
    nodes: {
      type: 'array',
      minItems: least,
      maxItems: most,
      items: {
        type: 'object',
        properties: { id: ids, hours: { type: 'integer', ...hours }, on: { type: 'array', items: ids } },
        required: ['id', 'hours', 'on'],
      },
    },
    note: { type: 'string' },
  },
  required: ['nodes', 'note'],
});
const unique: CheckDefinition = { check: 'unique', at: 'nodes[].id' };
const acyclic: CheckDefinition = { check: 'acyclic', nodes: 'nodes[].id', edges: 'nodes[].on' };

describe('keyedSchema', () => {
  it('tells a list with one entry for each id as an object, where nothing depends on itself', () => {
    const entry = (other: string) => ({
      type: 'object',
      properties: {
        hours: { type: 'integer' },
        on: { type: 'array', items: { type: 'string', enum: [other] } },
      },
      required: ['hours', 'on'],
    });
    expect(keyedSchema(schema(2, 2), [unique, acyclic]).properties).toEqual({
      nodes: {
        type: 'object',
        properties: { t1: entry('t2'), t2: entry('t1') },
        required: ['t1', 't2'],
        additionalProperties: false,
      },
      note: { type: 'string' },
    });
  });

  it('offers only what comes before, where nothing may go in a circle', () => {
    expect(keyedSchema(schema(2, 2), [unique, acyclic], true)).toMatchObject({
      properties: {
        nodes: {
          properties: {
            t1: { properties: { on: { maxItems: 0 } } },
            t2: { properties: { on: { items: { enum: ['t1'] } } } },
          },
        },
      },
    });
  });

  it.each([
    ['entries may be left out', schema(1, 2), [unique]],
    ['there is too much to choose from', schema(2, 2, { minimum: 1, maximum: 99 }), [unique]],
    ['others may come twice', schema(2, 2), [acyclic]],
  ])('leaves a list where %s', (_, given, checks) => {
    expect(keyedSchema(given, checks)).toEqual(given);
  });

  it('lets the only node depend on nothing', () => {
    const one: JsonSchema = {
      properties: {
        nodes: {
          type: 'array',
          minItems: 1,
          maxItems: 1,
          items: {
            properties: { id: { type: 'string', enum: ['t1'] }, on: { type: 'array', items: { enum: ['t1'] } } },
          },
        },
      },
    };
    expect(keyedSchema(one, [unique, acyclic])).toMatchObject({
      properties: { nodes: { properties: { t1: { properties: { on: { maxItems: 0 } } } } } },
    });
  });
});

describe('unkeyed', () => {
  it('makes a list of what was told under ids', () => {
    expect(unkeyed({ nodes: { t2: { hours: 1 }, t1: { hours: 2 } }, note: 'x' }, [unique])).toEqual({
      nodes: [
        { id: 't2', hours: 1 },
        { id: 't1', hours: 2 },
      ],
      note: 'x',
    });
  });

  it.each([
    ['a list', { nodes: [{ id: 't1' }] }],
    ['an object of other things', { nodes: { t1: 5 } }],
    ['nothing', {}],
  ])('leaves %s', (_, output) => {
    expect(unkeyed(output, [unique])).toEqual(output);
  });
});
