import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { boundedSchema } from '../../adapters/llm/embedded-schema.js';
import { formWords, turnOptions } from './turn-form.js';
import { choiceSchema, heldSchema, withoutNulls } from './turn-schema.js';
import { wayOf, type TurnForm } from './turn-way.js';

const OUTPUT = {
  type: 'object',
  properties: {
    score: { type: 'integer', minimum: 0, maximum: 100 },
    confidence: { type: 'number', minimum: 0, maximum: 1, description: 'how sure' },
    issues: { type: 'array', items: { type: 'string', maxLength: 80 }, maxItems: 5 },
    verdict: { enum: ['approve', 'reject'] },
  },
  required: ['score', 'confidence', 'issues', 'verdict'],
  additionalProperties: false,
};
const READ = {
  name: 'fs_read',
  description: 'Reads a file.',
  parameters: {
    type: 'object',
    properties: {
      path: { type: 'string', pattern: '^[a-z]' },
      from_line: { type: 'integer', exclusiveMinimum: 0 },
    },
    required: ['path'],
  },
};
const FACTS = { name: 'dao_facts', description: 'Facts of the DAO.', parameters: { type: 'object', properties: {} } };
const FORM: TurnForm = { tools: [READ, FACTS], output: OUTPUT };

describe(choiceSchema.name, () => {
  it('should be the output alone where there are no tools', () =>
    expect(choiceSchema({ tools: [], output: OUTPUT })).toEqual(heldSchema(OUTPUT)));

  it('should be a choice whose alternatives begin with their own word', () => {
    expect(choiceSchema(FORM)).toEqual({
      anyOf: [
        {
          type: 'object',
          properties: {
            action: { type: 'string', const: 'fs_read' },
            params: {
              type: 'object',
              properties: { path: { type: 'string' }, from_line: { anyOf: [{ type: 'integer' }, { type: 'null' }] } },
              required: ['path', 'from_line'],
              additionalProperties: false,
            },
          },
          required: ['action', 'params'],
          additionalProperties: false,
        },
        {
          ...{ type: 'object', properties: { action: { type: 'string', const: 'dao_facts' } } },
          ...{ required: ['action'], additionalProperties: false },
        },
        {
          type: 'object',
          properties: { action: { type: 'string', const: 'answer' }, output: heldSchema(OUTPUT) },
          ...{ required: ['action', 'output'], additionalProperties: false },
        },
      ],
    });
  });

  it('should be one that the embedded model can be held to, which the plain schemas are not', () => {
    expect(() => boundedSchema(OUTPUT)).toThrow('it bounds a number');
    expect(() => boundedSchema(READ.parameters)).toThrow('pattern');
    expect(boundedSchema(choiceSchema(FORM))).toMatchObject({ oneOf: [{}, {}, {}] });
    expect(boundedSchema(choiceSchema({ tools: [], output: OUTPUT }))).toMatchObject({ type: 'object' });
  });

  it('should let pass whatever fits the output', () => {
    const validate = new Ajv({ strict: false }).compile(choiceSchema(FORM));
    const output = { score: 7, confidence: 0.5, issues: ['x'], verdict: 'approve' };
    expect(validate({ action: 'answer', output })).toBe(true);
    expect(validate({ action: 'fs_read', params: { path: 'a', from_line: null } })).toBe(true);
    expect(validate({ action: 'fs_write', params: {} })).toBe(false);
    expect(validate({ action: 'dao_facts', output })).toBe(false);
  });
});

describe(heldSchema.name, () => {
  it('should end where a schema is nested too deep', () => {
    const deep = Array.from({ length: 50 }).reduce<Record<string, unknown>>((items) => ({ type: 'array', items }), {});
    expect(JSON.stringify(heldSchema(deep)).match(/array/g)).toHaveLength(13);
  });
});

describe(withoutNulls.name, () => {
  it('should leave out what is null and need not be there', () => {
    expect(withoutNulls({ path: null, from_line: null, other: 0 }, READ.parameters)).toEqual({ path: null, other: 0 });
  });
});

describe(wayOf.name, () => {
  it.each([
    [['tools', 'json_schema'], FORM, 'native'],
    [['tools', 'json_schema'], { ...FORM, tools: [] }, 'constrained'],
    [['json_schema'], FORM, 'constrained'],
    [['tools'], { ...FORM, tools: [] }, 'words'],
    [['completion'], FORM, 'words'],
  ] as const)('should be, for a model with %j: %#', (capabilities, form, way) =>
    expect(wayOf({ capabilities }, form)).toBe(way),
  );
});

describe(turnOptions.name, () => {
  it('should offer tools, or a schema, or nothing', () => {
    expect(turnOptions('native', FORM)).toMatchObject({
      tools: [{ name: 'fs_read' }, { name: 'dao_facts' }],
      toolChoice: 'auto',
    });
    expect(turnOptions('native', { ...FORM, tools: [] })).toEqual(turnOptions('constrained', { ...FORM, tools: [] }));
    expect(turnOptions('constrained', FORM)).toEqual({
      responseFormat: { type: 'json_schema', name: 'answer', schema: choiceSchema(FORM) },
    });
    expect(turnOptions('words', FORM)).toEqual({});
  });
});

describe(formWords.name, () => {
  const SHAPE =
    '{"score": whole number (0 to 100), "confidence": number (0 to 1; how sure), "issues": [text, ...] (at most 5), ' +
    '"verdict": "approve" | "reject"}';

  it('should describe the output', () =>
    expect(formWords('words', { tools: [], output: OUTPUT })).toBe(
      `Answer with one JSON object of this form, without any other words:\n${SHAPE}`,
    ));

  it('should describe tools to a model that cannot call them', () => {
    expect(formWords('constrained', FORM)).toBe(
      [
        'Answer with one JSON object, in one of two forms.',
        'To use a tool: {"action": "<name of the tool>", "params": {...}}',
        `To give your result: {"action": "answer", "output": ${SHAPE}}`,
        'Tools:',
        '- fs_read: Reads a file. params: {"path": text, "from_line": whole number (may be left out)}',
        '- dao_facts: Facts of the DAO.',
      ].join('\n'),
    );
  });

  it('should leave tools to the provider where it has them', () =>
    expect(formWords('native', FORM)).not.toContain('fs_read'));
});
