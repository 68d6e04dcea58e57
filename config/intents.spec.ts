import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { COMMAND_NAMES } from '../src/contracts/conversation.js';
import { intentsJsonSchema } from './intents-schema.js';
import { loadIntents, readIntentsText } from './intents.js';
import { packagePath } from './paths.js';

const read = (text: string) => readIntentsText(text, 'intents.yml');
const problem = (text: string): string => {
  try {
    read(text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
};
const intent = (lines: string): string => `intents:\n  - command: vote\n${lines}`;

describe('the wording of commands', () => {
  it('should come along for both languages', () => {
    const { intents, fillers } = loadIntents();
    expect(intents.length).toBeGreaterThan(10);
    expect(intents.every(({ patterns }) => patterns.length >= 2)).toBe(true);
    expect(fillers).toEqual(expect.arrayContaining(['please', 'будь ласка']));
    expect(intents.filter(({ command }) => !COMMAND_NAMES.includes(command))).toEqual([]);
  });

  it('should have what is left out filled in', () => {
    expect(read(intent("    patterns: { uk: ['голосувати'] }"))).toEqual({
      fillers: [],
      intents: [{ command: 'vote', args: '', maxLength: 80, patterns: ['голосувати'] }],
    });
  });

  it.each([
    ['an unknown command', 'intents:\n  - { command: vte, patterns: { en: [a] } }', /intents\.yml:2:.*vote/],
    ['an unknown language', intent('    patterns: { de: [a] }'), /intents\.yml:3:.*de/],
    ['a mistyped key', intent('    pattern: { en: [a] }'), /intents\.yml:3:.*patterns/],
    ['what is no pattern', intent("    patterns: { en: ['(a'] }"), /intents\.yml:3:22: .*not a regular expression/],
    ['look-around', intent("    patterns: { en: ['(?=a)b'] }"), /not a regular expression/],
    ['a pattern that is too large', intent("    patterns: { en: ['(a{1,50}){1,50}'] }"), /too large|not a regular/],
    ['a group that is not used', intent("    patterns: { en: ['vote (?P<n>\\d+)'] }"), /write \{n\} there/],
    ['an argument without a group', intent("    args: '{n}'\n    patterns: { en: [vote] }"), /no pattern has a group/],
  ])('should be refused with its place where there is %s', (_what, text, expected) => {
    expect(problem(text)).toMatch(expected);
  });

  it('should have a schema for editors that is the one of the reader, and is named by the file', () => {
    const written = JSON.parse(readFileSync(packagePath('config', 'intents.schema.json'), 'utf8')) as object;
    expect(written).toEqual(JSON.parse(JSON.stringify(intentsJsonSchema())));
    const text = readFileSync(packagePath('config', 'intents.yml'), 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/intents\.schema\.json\n/);
    expect(Object.keys(parse(text) as object)).toEqual(['fillers', 'intents']);
  });
});
