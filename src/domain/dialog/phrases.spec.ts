import { describe, expect, it } from '@jest/globals';
import { COMMAND_NAMES } from '../../contracts/conversation.js';
import { LANGUAGES } from '../../contracts/dialog.js';
import { CHOICES, STAGES } from '../../contracts/proposal.js';
import { ERRORS } from '../../errors/catalogue.js';
import { commandInfo } from './commands.js';
import { ERRORS_UK } from './errors-uk.js';
import { phrasesIn } from './phrases.js';

/** Every sentence with its path; those that take something with something in it. */
function sentences(value: unknown, path = ''): [path: string, text: string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') {
    const say = value as (...args: unknown[]) => string;
    const args = path.endsWith('messagesWait') || path.endsWith('showButton') ? [3] : ['«7»', '«7»', '«7»', '«7»'];
    return [[path, say(...args)]];
  }
  return Object.entries(value as object).flatMap(([key, one]) => sentences(one, path === '' ? key : `${path}.${key}`));
}

const CYRILLIC = /\p{Script=Cyrillic}/u;
/** What is the same in both languages: signs, names of commands and of roles. */
const SAME = new Set(['thinking', 'proposalTitle', 'locale']);
const isExample = (path: string): boolean => path.startsWith('usage.') || SAME.has(path);

describe('what the product says itself', () => {
  const [uk, en] = [sentences(phrasesIn('uk')), sentences(phrasesIn('en'))];

  it('should be there in both languages, all of it', () => {
    expect(uk.map(([path]) => path).toSorted()).toEqual(en.map(([path]) => path).toSorted());
    expect(uk.length).toBeGreaterThan(150);
  });

  it.each([...uk, ...en])('should be whole: %s', (_path, text) => {
    expect(text.trim()).not.toBe('');
    expect(text).toBe(text.trim());
    expect(text).not.toMatch(/undefined|null|NaN|\[object|\$\{|\{\w*\}|TODO|  /);
  });

  it.each(uk.filter(([path]) => !isExample(path)))('should be Ukrainian: %s', (_path, text) => {
    expect(text).toMatch(CYRILLIC);
    // Letters of Russian, and Latin ones in the middle of a word.
    expect(text).not.toMatch(/[ыэъё]/iu);
    expect(text).not.toMatch(/\p{Script=Cyrillic}[a-z]|[a-z]\p{Script=Cyrillic}/iu);
  });

  it.each(en)('should be English: %s', (_path, text) => {
    expect(text).not.toMatch(CYRILLIC);
  });

  it('should use all that it is given', () => {
    for (const [path, text] of [...uk, ...en]) {
      const given = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], phrasesIn('en'));
      if (typeof given !== 'function' || /messagesWait|showButton|failed$/.test(path)) continue;
      expect([path, text.includes('«7»')]).toEqual([path, true]);
    }
  });

  it.each(LANGUAGES)('should have a name for each crew, stage and choice in %s', (language) => {
    const { crews, stages, choices, commands } = phrasesIn(language);
    expect(Object.keys(stages).toSorted()).toEqual([...STAGES].toSorted());
    expect(Object.keys(choices)).toEqual([...CHOICES]);
    expect(Object.keys(commands).toSorted()).toEqual([...COMMAND_NAMES].toSorted());
    for (const name of COMMAND_NAMES) {
      const { crew } = commandInfo(name);
      if (crew !== undefined) expect([name, typeof crews[crew]]).toEqual([name, 'string']);
    }
  });

  it('should count in Ukrainian as Ukrainian counts', () => {
    const { messagesWait } = phrasesIn('uk');
    expect([1, 2, 5, 11, 21, 22].map((many) => messagesWait(many))).toEqual([
      'У цьому чаті чекає 1 ваше повідомлення.',
      'У цьому чаті чекають 2 ваші повідомлення.',
      'У цьому чаті чекає 5 ваших повідомлень.',
      'У цьому чаті чекає 11 ваших повідомлень.',
      'У цьому чаті чекає 21 ваше повідомлення.',
      'У цьому чаті чекають 22 ваші повідомлення.',
    ]);
  });

  it('should tell refusals by codes that there are', () => {
    expect(Object.keys(ERRORS_UK).filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([]);
    const { failed } = phrasesIn('uk');
    expect(failed('RATE_LIMITED', 'Too many')).toBe(
      '⚠️ Забагато запитів поспіль. Спробуйте трохи згодом. (RATE_LIMITED)',
    );
    expect(failed('NEW_CODE', 'Something')).toBe('⚠️ Не вдалося це зробити. (NEW_CODE)');
    expect(phrasesIn('en').failed('NO_ROUTE', 'Nobody takes it.')).toBe('⚠️ Nobody takes it. (NO_ROUTE)');
  });
});
