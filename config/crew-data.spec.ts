import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { boundedSchema } from '../src/adapters/llm/embedded-schema.js';
import { expectComplaint, type Row } from '../test/factories/crews.js';
import { DataSchemaCheck } from './crew-data-check.js';
import { bounded, DataSchema } from './crew-data-schema.js';

const deep = (levels: number): string =>
  levels === 0 ? '{ type: string }' : `{ type: object, properties: { a: ${deep(levels - 1)} } }`;
const GATHER: readonly Row[] = [
  [
    'a tool that writes',
    'tool: fs_list, params: { path: src, limit: 5 }',
    'tool: fs_write',
    /gather\[0\]\.tool: it writes, and only tools that change nothing can gather/,
  ],
  [
    'a question',
    'tool: fs_list, params: { path: src, limit: 5 }',
    'tool: ask_member',
    /gather\[0\]\.tool: nobody is asked before the agent begins/,
  ],
  ['a name that is there twice', 'as: files', 'as: list', /gather\[1\]\.as: something else is gathered by this name/],
  [
    'what is gathered later',
    'params: { path: src,',
    'params: { path: { from: gathered.files },',
    /gather\[0\]\.params\.path\.from: nothing is gathered as "files" before this/,
  ],
  [
    'each of what is no list',
    'each: gathered.list.entries',
    'each: inputs.topic',
    /gather\[1\]\.each: leads to no list/,
  ],
  [
    'an entry without each',
    'each: gathered.list.entries, ',
    '',
    /gather\[1\]\.params\.path\.from: `item` is there in the params of `each` alone/,
  ],
  [
    'an unknown parameter',
    'limit: 5',
    'limmit: 5',
    /gather\[0\]\.params\.limmit: fs_list has no such parameter; did you mean `limit`\?/,
  ],
  ['a parameter that does not fit', 'limit: 5', 'limit: 0', /gather\[0\]\.params\.limit: does not fit: /],
  [
    'a parameter that is missing',
    'params: { path: { from: item.path } }',
    'params: {}',
    /gather\[1\]\.params: missing: `path`, which fs_read needs/,
  ],
  [
    'more than a reference',
    '{ from: item.path }',
    '{ from: item.path, or: a }',
    /params\.path\.from: expected `from` alone, with a reference/,
  ],
];

const OUTPUT: readonly Row[] = [
  [
    'what is no object',
    'properties: { role: { type: string } }',
    'enum: [a]',
    /tasks\.judge\.output\.enum: has no effect on type object/,
  ],
  [
    'no object at the top',
    '      type: object\n      properties: { role:',
    '      type: array\n      properties: { role:',
    /output\.type: expected object: an output has named parts/,
  ],
  [
    'a pattern',
    'title: { type: string,',
    'title: { type: string, pattern: a+,',
    /title\.pattern: unknown key; there is type, description/,
  ],
  [
    'no type',
    'title: { type: string, maxLength: 100 }',
    'title: { maxLength: 100 }',
    /title: missing: `type`, one of object, array/,
  ],
  [
    'a list of nothing',
    'parts: { type: array, items',
    'tags: { type: array }\n        parts: { type: array, items',
    /properties\.tags: missing: `items`/,
  ],
  [
    'an object of nothing',
    'properties: { role: { type: string } }',
    'properties: { role: { type: string }, b: { type: object } }',
    /properties\.b: missing: `properties`/,
  ],
  [
    'a key of another type',
    'title: { type: string,',
    'title: { type: string, minItems: 1,',
    /title\.minItems: has no effect on type string/,
  ],
  [
    'an unknown required part',
    'required: [title]',
    'required: [titel]',
    /required\[0\]: there is no "titel" among the properties; did you mean `title`\?/,
  ],
  [
    'bounds the wrong way round',
    'maxLength: 100',
    'minLength: 101, maxLength: 100',
    /title\.minLength: more than `maxLength`/,
  ],
  [
    'a number with bounds',
    'score: { type: integer,',
    'score: { type: number,',
    /score\.minimum: in an output only whole numbers can have bounds/,
  ],
  ['far bounds', 'maximum: 10 ', 'maximum: 1000 ', /score\.minimum: in an output only whole numbers/],
  ['one bound', 'minimum: 0, ', '', /score\.maximum: in an output only whole numbers/],
  [
    'many values',
    'score: {',
    'more: { type: integer, minimum: 1, maximum: 195 }\n        score: {',
    /output: more than 200 values to choose from/,
  ],
  ['a value of another type', 'enum: [short, long]', 'enum: [short, 3]', /kind\.enum\[1\]: is no string/],
  ['a value twice', 'enum: [short, long]', 'enum: [short, short]', /kind\.enum\[1\]: the value is there twice/],
  [
    'both of enum and const',
    'enum: [short, long]',
    'enum: [short], const: short',
    /kind\.const: has no effect beside `enum`/,
  ],
  [
    'other parts',
    'required: [title]',
    'additionalProperties: true',
    /output\.additionalProperties: expected false, found true/,
  ],
  [
    'too deep',
    'title: { type: string, maxLength: 100 }',
    `title: ${deep(6)}`,
    /a\.properties\.a: nested deeper than 6 levels/,
  ],
];

const CHECKS: readonly Row[] = [
  [
    'a path that leads nowhere',
    "at: 'parts[].id'",
    "at: 'parts[].ids'",
    /checks\[0\]\.at: "parts\[\]" has no "ids"; did you mean `id`\?/,
  ],
  ['a path to objects', "at: 'parts[].id'", "at: 'parts[]'", /checks\[0\]\.at: leads to lists or objects/],
  ['one value that cannot be alike', "at: 'parts[].id'", 'at: title', /checks\[0\]\.at: leads to one value alone/],
  ['nodes that are no list', "nodes: 'parts[].id'", 'nodes: title', /checks\[1\]\.nodes: expected texts of a list/],
  [
    'edges elsewhere',
    "edges: 'parts[].after'",
    'edges: kind',
    /checks\[1\]\.edges: leads into another list than `nodes`/,
  ],
  [
    'edges that are numbers',
    "edges: 'parts[].after'",
    'edges: score',
    /checks\[1\]\.edges: leads to no text, and to no list of texts/,
  ],
  [
    'values that are a list',
    "values: 'inputs.tags[]'",
    'values: inputs.tags',
    /checks\[2\]\.values: leads to lists or objects/,
  ],
  [
    'one of several values',
    "values: 'inputs.tags[]'",
    'values: [inputs.topic, inputs.topc]',
    /checks\[2\]\.values\[1\]: "inputs" has no "topc"/,
  ],
  [
    'a role that is no text',
    'properties: { role: { type: string } }',
    'properties: { role: { type: integer } }',
    /checks\[0\]\.at: leads to no text/,
  ],
  [
    'a role among any',
    'at: role, among: [member, contributor]',
    'at: role',
    /tasks\.judge\.checks\[0\]\.among: missing; expected a list/,
  ],
  [
    'a role among none',
    'at: role, among: [member, contributor]',
    'at: role, among: []',
    /checks\[0\]\.among: expected at least 1 entry/,
  ],
];

const RIGHTS: readonly Row[] = [
  [
    'a task that writes',
    '    tools: [fs_read]\n    output',
    '    tools: [fs_read, fs_write]\n    output',
    /tasks\.draft\.tools\[1\]: it writes: the task needs a `tool_approval`, or says `writes_without_approval: true`/,
  ],
  [
    'a task that writes, whose output alone is approved',
    '    tools: [fs_read]\n    output',
    '    tools: [fs_write]\n    approval: { ask: Well?, roles: [admin] }\n    output',
    /tasks\.draft\.tools\[0\]: it writes: the task needs a `tool_approval`/,
  ],
  [
    'an approval of tools that do not write',
    '    tools: [fs_read]\n    output',
    '    tools: [fs_read]\n    tool_approval: { ask: Well?, roles: [admin] }\n    output',
    /tasks\.draft\.tool_approval: has no effect: no tool of this task writes/,
  ],
  [
    'an approval of tools that need none',
    '    tools: [fs_read]\n    output',
    '    tools: [fs_write]\n    unapproved_writes: true\n    tool_approval: { ask: Well?, roles: [admin] }\n    output',
    /tasks\.draft\.tool_approval: has no effect beside `unapproved_writes: true`/,
  ],
  [
    'leave to write for what does not',
    'needs: [draft]',
    'needs: [draft]\n    writes_without_approval: true',
    /writes_without_approval: has no effect: no tool of this task writes/,
  ],
  [
    'an action without an approval',
    '    approval: { ask: Well?, roles: [admin] }\n',
    '',
    /tasks\.judge\.action: needs `approval`/,
  ],
  [
    'an action without a subject',
    'subject: who\n',
    '',
    /tasks\.judge\.action: needs `subject` of the crew: the role is given to whom the run is about/,
  ],
  ['an action for anybody', 'role: judge.role', 'user: inputs.who, role: judge.role', /action\.user: unknown key/],
  ['an action with a list', 'role: judge.role', 'role: inputs.tags', /action\.role: does not lead to one text/],
  [
    'an action that gives anything',
    ', assignable: [member, contributor]',
    '',
    /tasks\.judge\.action\.assignable: missing; expected a list/,
  ],
  [
    'an action that gives nothing',
    'assignable: [member, contributor]',
    'assignable: []',
    /action\.assignable: expected at least 1 entry/,
  ],
  [
    'an action that makes admins',
    'assignable: [member, contributor]',
    'assignable: [member, admin]',
    /action\.assignable\[1\]: the role "admin" is never given by a crew/,
  ],
  [
    'an action that makes guests',
    'assignable: [member, contributor]',
    'assignable: [guest]',
    /action\.assignable\[0\]: the role "guest" is never given by a crew/,
  ],
  [
    'a role that is given twice',
    'assignable: [member, contributor]',
    'assignable: [member, member]',
    /action\.assignable\[1\]: the role is there twice/,
  ],
  ['too many returns', 'needs: [draft]', 'needs: [draft]\n    max_returns: 11', /max_returns: expected at most 10/],
  [
    'an action with what is not there',
    'role: judge.role',
    'role: judge.rol',
    /action\.role: "judge" has no "rol"; did you mean `role`\?/,
  ],
];

describe.each([
  ['gathering', GATHER],
  ['outputs', OUTPUT],
  ['checks', CHECKS],
  ['rights', RIGHTS],
])('a crew is refused for its %s', (_kind, rows) => {
  it.each(rows)('%s', (...row) => {
    expectComplaint(row);
  });
});

describe('an output that is taken', () => {
  const count = fc.constantFrom(0, 1, 40, 50, 300, 1_000);
  const bound = fc.constantFrom(-5, 0, 0.5, 10, 199, 1_000);
  const typed = (type: string, keys: Record<string, fc.Arbitrary<unknown>>) =>
    fc.record({ type: fc.constant(type), ...keys }, { requiredKeys: ['type'] });
  const lists = typed('array', { minItems: count, maxItems: count });
  const { node } = fc.letrec<{ node: object }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      typed('string', { minLength: count, maxLength: count }),
      typed('string', { enum: fc.array(fc.string({ maxLength: 3 }), { minLength: 1, maxLength: 3 }) }),
      typed('integer', { minimum: bound, maximum: bound }),
      typed('number', { minimum: bound, const: bound }),
      fc.tuple(lists, tie('node')).map(([list, items]) => ({ ...list, items })),
      typed('object', { properties: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node')) }),
    ),
  }));

  it('is one that the grammar of the embedded model can express', () => {
    const seen = { taken: 0, refused: 0 };
    const holds = (part: object): void => {
      const output = { type: 'object', properties: { part } };
      const parsed = DataSchema.safeParse(output);
      const complaints: string[] = [];
      if (parsed.success)
        new DataSchemaCheck('output', (_path, reason) => void complaints.push(reason)).top(parsed.data, []);
      const isTaken = parsed.success && complaints.length === 0;
      seen[isTaken ? 'taken' : 'refused'] += 1;
      if (isTaken) expect(boundedSchema({ ...bounded(parsed.data) })).toMatchObject({ type: 'object' });
    };
    fc.assert(fc.property(node, holds), { numRuns: 3_000 });
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(200);
  });
});
