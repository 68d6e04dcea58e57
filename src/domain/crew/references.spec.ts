import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { resolveReference, valuesAt, valuesOf, type Scope } from './references.js';

const SCOPE: Scope = {
  inputs: { proposal: { title: 'Bees', tags: ['a', 'b'] }, n: 0, none: null },
  gathered: { files: [{ path: 'a.ts' }, { path: 'b.ts' }, {}] },
  outputs: {
    plan: {
      subtasks: [
        { id: 'x', after: ['y'] },
        { id: 'y', after: [] },
      ],
    },
  },
  item: { path: 'c.ts' },
};

describe(resolveReference.name, () => {
  it.each([
    ['inputs.proposal.title', 'Bees'],
    ['inputs.n', 0],
    ['inputs.none', null],
    ['inputs', SCOPE.inputs],
    ['gathered.files[].path', ['a.ts', 'b.ts']],
    ['plan.subtasks[].id', ['x', 'y']],
    ['plan.subtasks[].after[]', ['y']],
    ['plan.subtasks.1.id', 'y'],
    ['item.path', 'c.ts'],
    ['plan', SCOPE.outputs.plan],
  ])('should lead %s to %j', (ref, value) => expect(resolveReference(ref, SCOPE)).toEqual(value));

  it.each([
    'inputs.proposal.author',
    'inputs.none.title',
    'other',
    'other.text',
    'gathered.files.length',
    'inputs.__proto__',
    'inputs.constructor.name',
    '__proto__.toString',
    'constructor',
    'inputs.proposal.title.length',
    'inputs.n.toFixed',
    '',
    '.',
  ])('should lead %j to nothing', (ref) => expect(resolveReference(ref, SCOPE)).toBeUndefined());

  it('should find what is called like something that objects inherit, if it is there', () => {
    const outputs = JSON.parse('{"constructor": {"__proto__": {"text": "own"}}}') as Record<string, unknown>;
    expect(resolveReference('constructor.__proto__.text', { ...SCOPE, outputs })).toBe('own');
  });

  it('should never throw, nor lead to a function', () => {
    const names = fc.constantFrom(
      'inputs',
      'plan',
      '__proto__',
      'constructor',
      'prototype',
      'subtasks[]',
      '[]',
      'id',
      '',
    );
    const refs = fc.oneof(
      fc.array(names, { maxLength: 6 }).map((parts) => parts.join('.')),
      fc.string(),
    );
    fc.assert(fc.property(refs, (ref) => expect(typeof resolveReference(ref, SCOPE)).not.toBe('function')));
  });
});

describe(valuesAt.name, () => {
  it('should go into each item of lists, leaving out what is not there', () => {
    const output = { a: [{ b: [1, 2] }, {}, { b: [3] }, 'no object'] };
    expect(valuesAt(output, 'a[].b[]')).toEqual([1, 2, 3]);
    expect(valuesAt([[1], [2, 3]], '[][]')).toEqual([1, 2, 3]);
    expect(valuesAt(output, '')).toEqual([output]);
  });

  it('should end at 10,000 values', () => {
    const ten = Array.from({ length: 200 }, () => Array.from({ length: 200 }, (_, index) => index));
    expect(valuesAt(ten, '[][]')).toHaveLength(10_000);
  });
});

describe(valuesOf.name, () => {
  it('should give the items of a list, and a single value by itself', () => {
    expect(valuesOf('inputs.proposal.tags', SCOPE)).toEqual(['a', 'b']);
    expect(valuesOf('plan.subtasks[].after', SCOPE)).toEqual(['y']);
    expect(valuesOf('inputs.n', SCOPE)).toEqual([0]);
    expect(valuesOf('inputs.other', SCOPE)).toEqual([]);
  });
});
