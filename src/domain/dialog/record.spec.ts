import { describe, expect, it } from '@jest/globals';
import { insightsOf, promptStatus } from './record.js';

describe(promptStatus, () => {
  it.each([
    [{ request: 'completed', reply: 'done', isRefused: false }, 'success'],
    [{ request: 'completed', reply: null, isRefused: false }, 'success'],
    [{ request: 'failed', reply: 'done', isRefused: false }, 'failed'],
    [{ request: 'cancelled', reply: 'done', isRefused: false }, 'cancelled'],
    [{ request: 'running', reply: 'open', isRefused: false }, 'running'],
    [{ request: 'accepted', reply: null, isRefused: false }, 'running'],
    [{ request: null, reply: 'done', isRefused: false }, 'success'],
    [{ request: null, reply: 'open', isRefused: false }, 'running'],
    [{ request: null, reply: 'done', isRefused: true }, 'refused'],
    // What nobody was shown was no success.
    [{ request: 'completed', reply: 'undeliverable', isRefused: false }, 'failed'],
  ] as const)('tells of %j as %s', (answered, expected) => {
    expect(promptStatus(answered)).toBe(expected);
  });
});

describe(insightsOf, () => {
  it('says so where nobody has said anything', () => {
    expect(insightsOf({ good: 0, bad: 0, comments: [] })).toEqual({
      ...{ worked_well: 'None', issues: 'None', suggestions: 'None' },
    });
  });

  it('counts what buttons name, and keeps words apart', () => {
    const comments = ['long', 'Too slow.', 'facts', 'long', 'other'];
    expect(insightsOf({ good: 2, bad: 5, comments })).toEqual({
      worked_well: 'Marked good: 2 of 7',
      issues: 'Marked bad: 5 of 7; facts (1); long (2); other (1)',
      suggestions: 'Too slow.',
    });
  });
});
