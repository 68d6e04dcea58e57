import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { messageText } from '../../contracts/chat.js';
import { objectsIn } from './json-text.js';
import { numberedCalls, readTurn, repairMessage, type TurnReader } from './turn.js';

/** Repairs what lacks its end, as a stand-in for what the product uses. */
const repair = (text: string): unknown => {
  for (const end of ['', '}', '"}', ']}', '"]}', '}}']) {
    try {
      return JSON.parse(text.replaceAll("'", '"') + end);
    } catch {
      // The next end.
    }
  }
  throw new SyntaxError(text);
};
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const READ = {
  name: 'fs_read',
  parameters: { type: 'object', properties: { path: {}, lines: {} }, required: ['path'] },
  validate: (params: unknown) => (isRecord(params) && typeof params.path === 'string' ? [] : ['path is missing']),
};
const FACTS = { name: 'dao_facts', parameters: {}, validate: () => [] };
const reader = (changes: Partial<TurnReader> = {}): TurnReader => ({
  way: 'constrained',
  parseJson: repair,
  output: (value) => (isRecord(value) && typeof value.text === 'string' ? [] : ['text is missing']),
  tools: [READ, FACTS],
  mostCalls: 2,
  isCut: false,
  ...changes,
});
const call = (name: string, given: string, id = 'a') => ({ id, name, arguments: given });
const OUTPUT = { kind: 'output', value: { text: 'done' } };

describe(readTurn.name, () => {
  it.each([
    ['a plain object', '{"text": "done"}'],
    ['a fence', 'Here it is:\n```json\n{"text": "done"}\n```\nI hope it helps {really}.'],
    ['thoughts before it', '<think>Should I say {"text": "no"}?</think>\n{"text": "done"}'],
    ['an answer in the form of a choice', '{"action": "answer", "output": {"text": "done"}}'],
    ['something else before it', 'I looked at {"path": "x"}. Result: {"text": "done"}'],
    ['brackets within texts', '{"text": "done"} and "}{"'],
    ['almost JSON', "{'text': 'done'}"],
    ['a missing end', '{"text": "done"'],
    ['a stray bracket before it', 'So { we go:\n{"text": "done"}'],
  ])('should find the output in %s', (_name, text) => expect(readTurn(text, [], reader())).toEqual(OUTPUT));

  it.each([
    ['nothing', '', ['the answer holds no JSON object']],
    ['words', 'I cannot do that.', ['the answer holds no JSON object']],
    ['a list', '[1, 2]', ['the answer holds no JSON object']],
    ['another object', '{"words": "done"}', ['text is missing']],
    ['a choice without an object', '{"action": "answer", "output": "done"}', ['the output is no JSON object']],
    ['a choice with another object', '{"action": "answer", "output": {}}', ['text is missing']],
  ])('should say what is wrong with %s', (_name, text, problems) =>
    expect(readTurn(text, [], reader())).toEqual({ kind: 'invalid', problems }),
  );

  it('should not guess what is missing of an answer that was cut off', () => {
    expect(readTurn('{"text": "do', [], reader({ isCut: true }))).toEqual({
      kind: 'invalid',
      problems: ['the answer was too long and was cut off before its end: answer in fewer words'],
    });
    expect(readTurn('{"text": "done"} And', [], reader({ isCut: true }))).toEqual(OUTPUT);
  });

  it.each([
    ['our words', '{"action": "fs_read", "params": {"path": "a", "lines": null}}', 'constrained'],
    ['words of others', '{"name": "fs_read", "arguments": {"path": "a"}}', 'native'],
    ['params as text', '{"tool": "fs_read", "parameters": "{\\"path\\": \\"a\\"}"}', 'words'],
  ] as const)('should read a call that a model writes in %s', (_name, text, way) =>
    expect(readTurn(text, [], reader({ way }))).toEqual({
      kind: 'tools',
      calls: [{ id: 'call_1', tool: 'fs_read', params: { path: 'a' } }],
    }),
  );

  it('should take an output that looks like a call for what it is', () => {
    const output = (value: unknown) => (isRecord(value) && value.action === 'approve' ? [] : ['no action']);
    expect(readTurn('{"action": "approve"}', [], reader({ output }))).toMatchObject({ kind: 'output' });
    expect(readTurn('{"action": "fs_read", "params": {}}', [], reader({ output, tools: [] }))).toMatchObject({
      kind: 'invalid',
    });
    expect(readTurn('{"name": "Ann"}', [], reader({ way: 'native' }))).toEqual({
      kind: 'invalid',
      problems: ['text is missing'],
    });
  });

  it('should refuse single calls that cannot be done, and keep the others', () => {
    const calls = [call('fs_read', '{"path": "a"}'), call('fs_write', '{}', 'b')];
    expect(readTurn('', calls, reader({ way: 'native' }))).toEqual({
      kind: 'tools',
      calls: [
        { id: 'a', tool: 'fs_read', params: { path: 'a' } },
        {
          ...{ id: 'b', tool: 'fs_write', params: {} },
          refusal: '"fs_write" is not a tool here; there are: fs_read, dao_facts',
        },
      ],
    });
  });

  it.each([
    ['no JSON', call('fs_read', 'path a'), 'the parameters of fs_read are no JSON object'],
    ['a list', call('fs_read', '["a"]'), 'the parameters of fs_read are no JSON object'],
    ['nothing where something is needed', call('fs_read', ''), 'the parameters of fs_read do not fit: path is missing'],
    ['nothing where nothing is needed', call('dao_facts', ' '), undefined],
    ['null', call('dao_facts', 'null'), 'the parameters of dao_facts are no JSON object'],
    ['almost JSON', call('fs_read', "{'path': 'a'"), undefined],
    ['a tool that objects inherit', call('constructor', '{}'), expect.stringContaining('not a tool here')],
  ])('should judge parameters that are %s', (_name, made, refusal) => {
    const turn = readTurn('{"text": "done"}', [made], reader({ way: 'native' }));
    expect(turn.kind === 'tools' && turn.calls[0]?.refusal).toEqual(refusal);
  });

  it('should refuse calls beyond those that may be done in a turn', () => {
    const turn = readTurn(
      '',
      [call('dao_facts', ''), call('dao_facts', '', 'b'), call('dao_facts', '', 'c')],
      reader(),
    );
    expect(turn.kind === 'tools' && turn.calls.map(({ refusal }) => refusal !== undefined)).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('should never throw, whatever a model writes', () => {
    const parts = fc.constantFrom(
      '{',
      '}',
      '"',
      '\\',
      '[',
      ']',
      ':',
      ',',
      '```',
      '<think>',
      'action',
      'text',
      '"a"',
      '{"text":',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(parts, { maxLength: 30 }).map((all) => all.join('')),
      fc.json(),
    );
    const ways = fc.constantFrom('native' as const, 'constrained' as const, 'words' as const);
    const kinds = new Set<string>();
    fc.assert(
      fc.property(texts, texts, ways, fc.boolean(), (text, given, way, isCut) => {
        kinds.add(readTurn(text, [], reader({ way, isCut })).kind);
        kinds.add(readTurn(text, [call(text, given), call('fs_read', given)], reader({ way, isCut })).kind);
      }),
      { numRuns: 3_000 },
    );
    expect(kinds).toContain('tools');
    expect(kinds).toContain('invalid');
  });

  it('should be through with what is deep or long in no time', () => {
    const before = performance.now();
    for (const text of ['{'.repeat(400_000), '{"a":'.repeat(100_000), '{}'.repeat(200_000), '"{'.repeat(200_000)]) {
      expect(readTurn(text, [], reader({ parseJson: JSON.parse })).kind).toBe('invalid');
    }
    expect(performance.now() - before).toBeLessThan(3_000);
  });
});

describe(objectsIn.name, () => {
  it('should not take a part of a broken object for the whole', () => {
    const broken = '{"items": [{"text": "first"}, {"text": "second"}';
    expect(objectsIn(broken, repair)[0]).toEqual({ items: [{ text: 'first' }, { text: 'second' }] });
  });
});

describe(numberedCalls.name, () => {
  it('should give every call an id of its own', () => {
    const ids = numberedCalls([call('x', '', ''), call('x', '', 'a'), call('x', '', 'a')]).map(({ id }) => id);
    expect(ids).toEqual(['call_1', 'a', 'call_3']);
  });

  it('should do so even where a model has numbered its own in that way', () => {
    const ids = numberedCalls([call('x', '', 'call_2'), call('x', '', '')]).map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
  });
});

const MARK = '0123456789abcdef';

describe(repairMessage.name, () => {
  it('should list what is wrong, a line each, and not too much', () => {
    const message = repairMessage(['a\n- b', 'x'.repeat(5_000), ...Array<string>(50).fill('more')], MARK);
    const lines = messageText(message).split('\n');
    expect(lines).toHaveLength(12);
    expect(lines[1]).toBe('- a - b');
    expect(lines[2]?.length).toBeLessThan(310);
  });

  it('should hold no mark of data, whatever the answer said', () => {
    const message = repairMessage([`ids[]: "[end ${MARK.toUpperCase()}]" is there more than once`], MARK);
    expect(messageText(message)).toContain('- ids[]: "[end _]" is there more than once');
  });
});
