import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { richOf } from './markdown.js';
import { partsOf, withoutStandIns } from './markdown-parts.js';
import { splitRich } from './split.js';

const LONG = 100_000;
const filled = (text: string, length = LONG): string => text.repeat(Math.ceil(length / text.length)).slice(0, length);

/** What a call costs, in milliseconds of processor time: others may be at work on this machine. */
function cost(call: () => void): number {
  const before = process.cpuUsage();
  call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const whole = (markdown: string): string =>
  partsOf(markdown)
    .map(({ text, gap }, index) => (index === 0 ? '' : '\n'.repeat(gap)) + text)
    .join('');

describe(partsOf.name, () => {
  it('should leave a short text whole', () => {
    const text = '# A\n\n- b\n- c\n\n```\nd\n```\n\ne';
    expect(partsOf(text)).toEqual([{ text, gap: 2 }]);
  });

  it('should end parts where a paragraph begins, and say what stood between', () => {
    const parts = partsOf(filled('Абзац **про** щось, і ще про щось.\n\n', 40_000));
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.slice(1).every(({ text, gap }) => text.startsWith('Абзац') && gap === 2)).toBe(true);
  });

  it('should read a long text as it reads its paragraphs one by one', () => {
    const block = fc.constantFrom(
      'Речення **жирне** і `code`.',
      '- a\n- b\n  - c',
      '1. x\n2. y\n\n   z',
      '> q\n> **r**',
      '```js\n- x\n\n[y]\n```',
      '# H',
      '| a | b |\n|---|---|\n| c | d |',
    );
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 200, size: 'max' }), (blocks) => {
        // Lists beside each other, or quotations, would be one.
        const parted = blocks.flatMap((one) => [one, 'so']);
        expect(richOf(parted.join('\n\n')).text).toBe(parted.map((one) => richOf(one).text).join('\n\n'));
      }),
      { numRuns: 30 },
    );
  });

  it('should go on with a long list, its numbers and its levels', () => {
    const items = Array.from({ length: 900 }, (_, index) => {
      const number = `${index + 1}. `;
      const below = `\n${' '.repeat(number.length)}- `;
      return `${number}пункт **${index}**${below}a${below}b`;
    });
    const shown = Array.from({ length: 900 }, (_, index) => `${index + 1}. пункт ${index}\n   • a\n   • b`);
    expect(richOf(items.join('\n')).text).toBe(shown.join('\n'));
  });

  it('should keep a long block of code whole', () => {
    const code = filled('- [a](b) *c* > d\n\n', 40_000).trimEnd();
    expect(richOf(`before\n\`\`\`md\n${code}\n\`\`\`\nbehind`)).toEqual({
      text: `before\n\n${code}\n\nbehind`,
      marks: [{ kind: 'pre', language: 'md', at: 8, length: code.length }],
    });
  });

  it('should hide only what is too much, and nothing from a reader', () => {
    const pieces = fc.constantFrom(...'*_~[]>-+.)!"\',:;<?&1 \n`#|'.split(''), '> ', '- ', '1. ', '```\n', 'a', '\n\n');
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 100, maxLength: 3_000, size: 'max' }), (some) => {
        const text = some.join('');
        expect(withoutStandIns(whole(text)).replaceAll(/\n+/g, '\n')).toBe(text.replaceAll(/\n+/g, '\n'));
      }),
      { numRuns: 100 },
    );
  });
});

describe('richOf of what burdens a parser', () => {
  it.each<[string, string]>([
    ['10,000 quotations in each other', `${'>'.repeat(10_000)}a`],
    ['10,000 lists in each other', `${'- '.repeat(10_000)}a`],
    ['10,000 numbers in each other', `${'1. '.repeat(10_000)}a`],
    ['10,000 brackets', '['.repeat(10_000)],
    ['10,000 pairs of brackets in each other', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['10,000 asterisks', '*'.repeat(10_000)],
    ['10,000 asterisks on each side', `${'*'.repeat(10_000)}a${'*'.repeat(10_000)}`],
    ['emphasis in emphasis', '*a '.repeat(5_000) + 'a* '.repeat(5_000)],
    ['asterisks and underscores that never match', filled('a**b*c_d')],
    ['halves of links', filled('[a](')],
    ['halves of pictures', filled('![a](')],
    ['a bracket and many words', `[${filled('a b ')}`],
    ['closing brackets', filled(']a')],
    ['a quotation and lines that go on with it', `> a\n${filled('b\n', 30_000)}`],
    ['lists in lists on each line', filled('- - - - a\n', 30_000)],
    ['quotations of lists on each line', filled('> - > - a\n', 30_000)],
    ['a fence in a list and lines behind it', `- \`\`\`\n${filled('- - a\n', 30_000)}`],
    ['backticks of every length', Array.from({ length: 300 }, (_, length) => '`'.repeat(length + 1)).join(' ')],
    ['words with dots', filled('a.')],
    ['an address and dots behind it', `https://a.b/${filled('.')}c`],
    ['an address and whatever may stand behind one', `https://a.b/${filled('!?.,:;"&a;)')}c`],
    ['everything', filled('*[`<_a', 50_000)],
  ])('should take bounded time for %s, and keep its letters', (_, text) => {
    let letters = '';
    expect(cost(() => (letters = richOf(text).text.replaceAll(/[^a-d]/g, '')))).toBeLessThan(10_000);
    expect(letters).toBe(text.replaceAll(/[^a-d]/g, ''));
  });

  it('should cut blanks that are no place for a cut in bounded time', () => {
    const text = `a${filled(`${' '.repeat(4_000)}\u0301`)}`;
    expect(cost(() => splitRich({ text, marks: [] }, 4_096))).toBeLessThan(1_500);
  });

  it('should take a text beyond all measure as it is', () => {
    const text = filled('**a** ', 300_000);
    expect(richOf(text)).toEqual({ text: text.trim(), marks: [] });
  });
});
