import { describe, expect, it } from '@jest/globals';
import { RE2JS } from 're2js';
import type { Condition } from '../src/contracts/routing.js';
import { LARGEST_PATTERN, MOST_INSTRUCTIONS } from '../src/contracts/routing.js';
import type { Env } from './env.js';
import { buildFromText, loadConfig } from './loader.js';

const refusal = (...patterns: string[]): string[] => {
  const rules = patterns.map((prompt_matches, index) => ({
    name: `r${index}`,
    conditions: { prompt_matches },
    use_provider: 'embedded',
  }));
  try {
    // What a profile stands on counts too: this one takes away the answers of base.yml, so that only these are counted.
    buildFromText(JSON.stringify({ version: '1', answers: [], routing_rules: rules }), '/p/my.yml', {} as Env, {});
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
};

function patternsOf(condition: Condition): string[] {
  if (condition.kind === 'prompt_matches') return [condition.pattern];
  if (condition.kind === 'not') return patternsOf(condition.of);
  return condition.kind === 'all' || condition.kind === 'any' ? condition.of.flatMap(patternsOf) : [];
}

describe('patterns of a profile', () => {
  it('are refused one by one where a search would take long, with their size and a remedy', () => {
    const slow = '(a?){1000}(a?){1000}(\\pL{1,900}){1,1}(\\pL{1,1000}|[^x]{1,1000}|.{0,1000})*$';
    const [line, ...others] = refusal('short', slow);
    expect(line).toMatch(/routing_rules\[1\]\.conditions\.prompt_matches: the pattern is too large: \d{4,5} instr/);
    expect(line).toContain(`at most ${LARGEST_PATTERN}; lower the counts in braces`);
    expect(others).toEqual([]);
  });

  it('may have exactly as many instructions as is said', () => {
    const largest = Array.from({ length: 300 }, (_, n) => `(?:[^x]?){${n}}x`).findLast(
      (pattern) => RE2JS.compile(pattern).programSize() <= LARGEST_PATTERN,
    )!;
    expect(refusal(largest)).toEqual([]);
    expect(refusal(`${largest}yz`)).toEqual([expect.stringContaining('the pattern is too large')]);
  });

  it('are refused together where they are too many of the larger ones', () => {
    const count = Math.ceil(MOST_INSTRUCTIONS / 253);
    const large = Array.from({ length: count + 5 }, (_, n) => `[${n % 10}]${'.'.repeat(n)}.{${250 - n}}`);
    expect(refusal(...large.slice(0, count - 5))).toEqual([]);
    expect(refusal(...large)[0]).toContain('the patterns up to this one are too large together');
  });

  it.each(['dev', 'staging', 'prod'])('that come along are small enough: %s', (name) => {
    const { answers, rules } = loadConfig({ DAGI_PROFILE: name } as Env).routing;
    const patterns = [...answers, ...rules].flatMap(({ condition }) => patternsOf(condition));
    expect(patterns.length).toBeGreaterThan(5);
    for (const pattern of patterns) {
      expect(RE2JS.compile(pattern).programSize()).toBeLessThanOrEqual(LARGEST_PATTERN);
    }
  });
});
