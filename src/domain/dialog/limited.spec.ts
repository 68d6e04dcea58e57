import { describe, expect, it } from '@jest/globals';
import { inTime, limitWords } from './limited.js';
import { phrasesIn } from './phrases.js';

describe('what is told of limits', () => {
  it.each([
    [0, 'in 1 second', 'через 1 секунду'],
    [36.2, 'in 37 seconds', 'через 37 секунд'],
    [119, 'in 119 seconds', 'через 119 секунд'],
    [121, 'in 3 minutes', 'через 3 хвилини'],
    [7_201, 'in 3 hours', 'через 3 години'],
    [172_801, 'in 3 days', 'через 3 дні'],
  ])('should say when to come back after %d s', (seconds, en, uk) => {
    expect(inTime(seconds, phrasesIn('en'))).toBe(en);
    expect(inTime(seconds, phrasesIn('uk'))).toBe(uk);
  });

  it('should have words for rates and budgets, and for nothing else', () => {
    expect(limitWords('RATE_LIMITED', 37, phrasesIn('en'))).toContain('ask again in 37 seconds');
    expect(limitWords('BUDGET_EXHAUSTED', 864_000, phrasesIn('uk'))).toContain('через 10 днів');
    expect(limitWords('QUEUE_FULL', 5, phrasesIn('en'))).toBeUndefined();
  });
});
