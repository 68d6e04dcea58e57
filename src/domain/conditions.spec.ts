import { describe, expect, it } from '@jest/globals';
import { all, any, anAccess, anInput, has, is, keySet, length, matches, not } from '../../test/factories/routing.js';
import type { DecisionInputs } from '../contracts/request.js';
import { PROMPT_HEAD, type Condition } from '../contracts/routing.js';
import { holds, judge, promptMatcher, type Subject } from './conditions.js';
import { promptInputs } from './decide.js';

type Asked = Partial<DecisionInputs> & { prompt?: string; roles?: string[] };

const subject = ({ roles = ['member', 'contributor'], ...asked }: Asked): Subject => {
  const inputs = anInput(asked);
  return { inputs, roles, matches: promptMatcher(inputs.promptHead) };
};

/** Both evaluators, which must agree. */
const test = (condition: Condition, asked: Asked = {}): boolean => {
  const quick = holds(condition, subject(asked));
  expect(judge(condition, subject(asked)).holds).toBe(quick);
  return quick;
};

describe('a condition on a value', () => {
  it.each<[string, Condition, Condition]>([
    ['mode', is('mode', 'chat'), is('mode', 'crew')],
    ['agent', is('agent', 'helper'), is('agent', 'other')],
    ['source', is('source', 'telegram'), is('source', 'discord')],
    ['DAO', is('dao_id', 'greenfood-dao'), is('dao_id', 'other-dao')],
    ['role', is('role', 'contributor'), is('role', 'admin')],
    ['task_type', is('task_type', 'legal'), is('task_type', 'finance')],
  ])('compares the %s', (_what, holding, failing) => {
    const asked = { agent: 'helper', metadata: { task_type: 'legal' } };
    expect(test(holding, asked)).toBe(true);
    expect(test(failing, asked)).toBe(false);
  });

  it('takes a list for any of its values', () => {
    expect(test(is('source', 'discord', 'telegram'))).toBe(true);
    expect(test(is('source', 'discord', 'mcp'))).toBe(false);
    expect(test(is('role', 'admin', 'member'))).toBe(true);
    expect(test(is('level', 1, 2), { metadata: { level: 2 } })).toBe(true);
  });

  it('does not take a text for a number or a flag, nor a list for one of its members', () => {
    expect(test(is('level', 1), { metadata: { level: '1' } })).toBe(false);
    expect(test(is('urgent', true), { metadata: { urgent: 'true' } })).toBe(false);
    expect(test(is('tag', 'a'), { metadata: { tag: ['a'] } })).toBe(false);
  });

  it('does not take what is absent for anything', () => {
    expect(test(is('agent', 'helper'))).toBe(false);
    expect(test(is('task_type', 'legal'))).toBe(false);
    expect(test(is('source', 'telegram'), { source: undefined })).toBe(false);
    expect(test(is('role', 'guest'), { roles: [] })).toBe(false);
  });

  it('looks at the request itself, not at metadata that claim to be it', () => {
    const metadata = { dao_id: 'other-dao', role: 'admin', mode: 'crew', agent: 'helper', source: 'discord' };
    for (const [key, value] of Object.entries(metadata)) expect(test(is(key, value), { metadata })).toBe(false);
  });

  it('sees only what metadata itself hold, not what every object inherits', () => {
    expect(test(is('constructor', 'x'), { metadata: { constructor: 'x' } })).toBe(true);
    expect(test(has('constructor'))).toBe(false);
    expect(test(has('toString', '__proto__'))).toBe(false);
    const inherited = Object.create({ task_type: 'legal' }) as Record<string, unknown>;
    expect(test(is('task_type', 'legal'), { metadata: inherited })).toBe(false);
    expect(test(has('task_type'), { metadata: inherited })).toBe(false);
  });
});

describe('metadata_has', () => {
  it('wants every key, whatever its value', () => {
    const metadata = { proposal_id: null, amount: 0 };
    expect(test(has('proposal_id'), { metadata })).toBe(true);
    expect(test(has('proposal_id', 'amount'), { metadata })).toBe(true);
    expect(test(has('proposal_id', 'deadline'), { metadata })).toBe(false);
  });
});

describe('prompt_matches', () => {
  it('finds a pattern anywhere, and only there if it is anchored', () => {
    expect(test(matches('vote'), { prompt: 'How do I vote?' })).toBe(true);
    expect(test(matches('^vote'), { prompt: 'How do I vote?' })).toBe(false);
    expect(test(matches('vote'), { prompt: 'How do I Vote?' })).toBe(false);
    expect(test(matches('(?i)vote'), { prompt: 'How do I Vote?' })).toBe(true);
    expect(test(matches('голос'), { prompt: 'Як голосувати?' })).toBe(true);
  });

  it('looks at the first 16,384 units and no further', () => {
    const filler = 'x'.repeat(PROMPT_HEAD - 4);
    expect(test(matches('vote'), { prompt: `${filler}vote` })).toBe(true);
    expect(test(matches('vote'), { prompt: `${filler}.vote` })).toBe(false);
  });

  it('takes time in proportion to the prompt where others take forever', () => {
    // With backtracking this would not end before the universe does.
    expect(test(matches('^(a+)+$'), { prompt: `${'a'.repeat(10_000)}!` })).toBe(false);
  });

  it('is never guessed of a prompt that was erased', () => {
    const { inputs } = subject({ promptHead: undefined });
    const erased = { inputs, roles: [], matches: promptMatcher(undefined) };
    expect(() => holds(matches('vote'), erased)).toThrow('erased');
    expect(holds(all(is('mode', 'crew'), matches('vote')), erased)).toBe(false);
  });
});

describe('prompt_length', () => {
  it('counts characters of the whole prompt, both ends included', () => {
    expect(test(length({ min: 5, max: 5 }), { prompt: '12345' })).toBe(true);
    expect(test(length({ min: 6 }), { prompt: '12345' })).toBe(false);
    expect(test(length({ max: 4 }), { prompt: '12345' })).toBe(false);
    expect(test(length({}), { prompt: '' })).toBe(true);
    expect(test(length({ min: PROMPT_HEAD + 1 }), { prompt: 'x'.repeat(PROMPT_HEAD + 1) })).toBe(true);
  });

  it('counts what a person calls a character once, and half a pair too', () => {
    expect(promptInputs('🍅🍅a').promptLength).toBe(3);
    expect(promptInputs('a\ud83c').promptLength).toBe(2);
    expect(promptInputs('').promptLength).toBe(0);
  });

  it('leaves no half of a pair in the recorded head', () => {
    const { promptHead, promptLength } = promptInputs(`${'x'.repeat(PROMPT_HEAD - 1)}🍅`);
    expect(promptHead?.isWellFormed()).toBe(true);
    expect([promptHead?.length, promptLength]).toEqual([PROMPT_HEAD, PROMPT_HEAD]);
  });
});

describe('api_key_available', () => {
  it('is what was found when the profile was loaded', () => {
    expect(test(keySet('DEEPSEEK_API_KEY', true))).toBe(true);
    expect(test(keySet('DEEPSEEK_API_KEY', false))).toBe(false);
  });
});

describe('and, or, not', () => {
  const yes = is('mode', 'chat');
  const no = is('mode', 'crew');

  it('join conditions', () => {
    expect([test(all(yes, yes)), test(all(yes, no)), test(all())]).toEqual([true, false, true]);
    expect([test(any(no, yes)), test(any(no, no)), test(any())]).toEqual([true, false, false]);
    expect([test(not(yes)), test(not(no)), test(not(not(yes)))]).toEqual([false, true, true]);
    expect(test(all(any(no, not(no)), not(all(yes, no))))).toBe(true);
  });

  it('search the prompt only where nothing else settles the matter', () => {
    const asked: string[] = [];
    const watching: Subject = {
      ...subject({}),
      matches: (pattern) => {
        asked.push(pattern);
        return true;
      },
    };
    expect(holds(all(any(matches('a'), not(matches('b'))), no), watching)).toBe(false);
    expect(holds(any(not(matches('c')), yes), watching)).toBe(true);
    expect(asked).toEqual([]);
    expect(holds(all(matches('d'), yes), watching)).toBe(true);
    expect(asked).toEqual(['d']);
  });

  it('tell what each part saw, of a failing one too', () => {
    expect(judge(all(no, is('role', 'admin'), length({ min: 9 })), subject({}))).toMatchObject({
      holds: false,
      of: [
        { holds: false, saw: ['chat'] },
        { holds: false, saw: ['member', 'contributor'] },
        { holds: false, saw: 5 },
      ],
    });
  });

  it('never tell the prompt', () => {
    const secret = 'my salary is 4711';
    const condition = any(matches('salary'), length({ min: 1 }), not(matches('x')));
    expect(JSON.stringify(judge(condition, subject({ prompt: secret })))).not.toContain('4711');
  });
});

describe('promptMatcher', () => {
  it('gives the same answer however often and in whatever order it is asked', () => {
    const matcher = promptMatcher('one two');
    expect([matcher('two'), matcher('three'), matcher('two'), matcher('three')]).toEqual([true, false, true, false]);
  });

  it('knows more patterns than it keeps', () => {
    const matcher = promptMatcher('word-7');
    for (let index = 0; index < 1_100; index += 1) expect(matcher(`word-${index}$`)).toBe(index === 7);
    expect(promptMatcher('word-3')('word-3$')).toBe(true);
  });
});

it('roles of the access facts reach conditions through the subject alone', () => {
  const inputs = anInput({ access: anAccess(['admin']) });
  expect(holds(is('role', 'admin'), { inputs, roles: ['member'], matches: () => false })).toBe(false);
});
