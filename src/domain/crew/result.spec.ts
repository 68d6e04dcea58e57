import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aCrew, anAgent, aTaskDefinition } from '../../../test/factories/crew.js';
import { crewMarkdown } from './result-markdown.js';
import { crewOutcome } from './result.js';

const CREW = aCrew({
  agents: { planner: anAgent(), critic: anAgent() },
  tasks: {
    plan: aTaskDefinition(),
    review: aTaskDefinition({ agent: 'critic' }),
    improve: aTaskDefinition({ needs: ['plan'] }),
  },
  result: { text: 'improve.text', ids: 'plan.items[].id', opinion: 'review.opinion' },
});

describe(crewOutcome.name, () => {
  it('should take the result from where it is, and of each agent the last output', () => {
    const outputs = {
      plan: { text: 'a', items: [{ id: 1 }, { id: 2 }] },
      review: { opinion: null },
      improve: { text: 'b' },
    };
    expect(crewOutcome(CREW, outputs)).toEqual({
      data: {
        result: { text: 'b', ids: [1, 2], opinion: null },
        agents: { planner: { text: 'b' }, critic: { opinion: null } },
      },
      missing: [],
    });
  });

  it('should say what is missing, with nothing in its place', () => {
    expect(crewOutcome(CREW, { plan: { text: 'a', items: [] } })).toEqual({
      data: { result: { text: null, ids: [], opinion: null }, agents: { planner: { text: 'a', items: [] } } },
      missing: ['text', 'opinion'],
    });
  });
});

describe(crewMarkdown.name, () => {
  it('should have a heading for each name, and lists below', () => {
    const result = {
      quality_score: 80,
      done: true,
      nothing: null,
      tags: ['a', 'b'],
      empty: [],
      issues: [
        { severity: 'high', lines: [1, 2], file: 'a.ts' },
        { severity: 'low', lines: [], file: 'b.ts' },
      ],
      summary: { title: 'T', parts: { first: 'x\ny' } },
    };
    expect(crewMarkdown({ result })).toBe(
      [
        ...['## Quality score', '', '80', '', '## Done', '', 'yes', '', '## Nothing', '', 'none', ''],
        ...['## Tags', '', '- a', '- b', '', '## Empty', '', '- none', ''],
        ...['## Issues', '', '- **Severity:** high', '  - **File:** a.ts', '  - **Lines:**', '    - 1', '    - 2'],
        ...['- **Severity:** low', '  - **File:** b.ts', '  - **Lines:**', '    - none', ''],
        ...['## Summary', '', '- **Title:** T', '- **Parts:**', '  - **First:** x', '    y'],
      ].join('\n'),
    );
  });

  it('should have one mark before each entry of a list, whatever it began with', () => {
    const steps = ['- Ask.', '2. Read.', '• Talk.', '3 apples', '*Bold* words'];
    expect(crewMarkdown({ result: { steps } })).toBe(
      '## Steps\n\n- Ask.\n- Read.\n- Talk.\n- 3 apples\n- *Bold* words',
    );
  });

  it('should have nothing in it that loads, links or fakes', () => {
    const text = '![x](http://evil.example/?q=1) [a](b) <img src=x>\n# Approved\n```\n> told\n---';
    expect(crewMarkdown({ result: { text } })).toBe(
      '## Text\n\n!\\[x\\](http://evil.example/?q=1) \\[a\\](b) \\<img src=x>\n\\# Approved\n\\```\n\\> told\n\\---',
    );
  });

  it('should be bounded, and whole, for any value', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 9 }), fc.jsonValue({ maxDepth: 6 }), { maxKeys: 4 }),
        (result) => {
          const text = crewMarkdown({ result });
          expect(text.length).toBeLessThanOrEqual(20_000);
          expect(text.split('\n').filter((line) => line.startsWith('## '))).toHaveLength(Object.keys(result).length);
        },
      ),
    );
    const long = {
      list: Array.from({ length: 5_000 }, (_, index) => `entry ${index} ${'x'.repeat(30)}`),
      text: 'y'.repeat(90_000),
    };
    const text = crewMarkdown({ result: long });
    expect(text).toContain('- and 4900 more');
    expect(text.length).toBeLessThanOrEqual(20_000);
  });
});
