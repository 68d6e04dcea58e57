import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { richTexts } from '../../../test/factories/rich-text.js';
import { plainText } from '../../contracts/rich-text.js';
import type { RichText } from '../../contracts/rich-text.js';
import { DISCORD_LIMITS, discordMarkdown, splitForDiscord } from './discord.js';
import { richOf } from './markdown.js';
import { lengthOf, splitRich } from './split.js';

const texts = (rich: RichText, limit: number): string[] => splitRich(rich, limit).map(({ text }) => text);
const visible = (text: string): string => text.replaceAll(/\s/g, '');
const graphemes = (text: string): string[] => Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);

describe(splitRich.name, () => {
  it('should leave alone what fits, but for the newlines around it', () => {
    expect(splitRich(richOf('**a** b'), 100)).toEqual([{ text: 'a b', marks: [{ kind: 'bold', at: 0, length: 1 }] }]);
    expect(texts(plainText('\n\n  a\n\n'), 100)).toEqual(['  a']);
  });

  it('should have no piece for a text of blanks', () => {
    for (const text of ['', ' ', '\n \n', '\u200b\n\u2060', ' '.repeat(50)])
      expect(texts(plainText(text), 10)).toEqual([]);
  });

  it.each<[string, number, string[]]>([
    ['перший абзац\nще\n\nдругий абзац', 26, ['перший абзац\nще', 'другий абзац']],
    ['рядок один\nрядок два два', 20, ['рядок один', 'рядок два два']],
    ['One two three. Four five six', 20, ['One two three.', 'Four five six']],
    ['Як справи? Добре, дякую', 15, ['Як справи?', 'Добре, дякую']],
    ['слово слово слово', 12, ['слово слово', 'слово']],
    ['a'.repeat(25), 10, ['a'.repeat(10), 'a'.repeat(10), 'a'.repeat(5)]],
    ['exactly ten', 7, ['exactly', 'ten']],
    ['one\n\n\n    indented', 10, ['one', '    indent', 'ed']],
    ['大きい。小さい。中くらい', 9, ['大きい。小さい。', '中くらい']],
    ['A\n\nlong words of one paragraph', 20, ['A\n\nlong words of one', 'paragraph']],
  ])('should cut %j to %d at the best place', (text, limit, pieces) => {
    expect(texts(plainText(text), limit)).toEqual(pieces);
  });

  it('should not part what a person takes for one character', () => {
    expect(texts(plainText('👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧'), 17)).toEqual(['👩‍👩‍👧👩‍👩‍👧', '👩‍👩‍👧']);
    expect(texts(plainText('🇺🇦🇺🇦🇺🇦'), 7)).toEqual(['🇺🇦', '🇺🇦', '🇺🇦']);
    expect(texts(plainText('e\u0301e\u0301e\u0301'), 3)).toEqual(['e\u0301', 'e\u0301', 'e\u0301']);
    expect(texts(plainText('👍🏽👍🏽'), 4)).toEqual(['👍🏽', '👍🏽']);
  });

  it('should part it where it alone is too long, but no pair of surrogates', () => {
    expect(texts(plainText('👩‍👩‍👧'), 4).every((text) => text.isWellFormed() && text.length <= 4)).toBe(true);
    expect(texts(plainText('👍👍'), 1)).toEqual(['👍', '👍']);
  });

  it('should cut marks with the text', () => {
    const rich = richOf('**bold words that go on** [and a link](https://a.co)');
    expect(splitRich(rich, 16)).toEqual([
      { text: 'bold words that', marks: [{ kind: 'bold', at: 0, length: 15 }] },
      {
        text: 'go on and a link',
        marks: [
          { kind: 'bold', at: 0, length: 5 },
          { kind: 'link', url: 'https://a.co', at: 6, length: 10 },
        ],
      },
    ]);
  });

  it('should go on with a block of code in its language, between its lines', () => {
    const rich = richOf('```ts\nif (a) {\n\n    b(). c;\n}\n```');
    expect(splitRich(rich, 20)).toEqual([
      { text: 'if (a) {', marks: [{ kind: 'pre', language: 'ts', at: 0, length: 8 }] },
      { text: '    b(). c;\n}', marks: [{ kind: 'pre', language: 'ts', at: 0, length: 13 }] },
    ]);
  });

  it('should take an empty line in code for one of its lines', () => {
    expect(texts(richOf('```\naaa\n\nbb\ncc\ndd\n```'), 10)).toEqual(['aaa\n\nbb\ncc', 'dd']);
    expect(texts(richOf('aaa\n\nbb\ncc\ndd'), 10)).toEqual(['aaa', 'bb\ncc\ndd']);
  });

  it('should ask how long a piece is written', () => {
    const shouted = splitRich(plainText('one two three four'), 20, ({ text }) => text.length * 2);
    expect(shouted.map(({ text }) => text)).toEqual(['one two', 'three four'.slice(0, 10)]);
    expect(lengthOf(plainText('👍'))).toBe(2);
    // What is shorter may be written longer.
    const odd = splitRich(plainText('aaaa bbbb cccc'), 12, ({ text }) => (text === 'aaaa bbbb' ? 20 : text.length));
    expect(odd.map(({ text }) => text)).toEqual(['aaaa', 'bbbb cccc']);
  });

  it('should keep every character, in pieces that fit and parts no other character', () => {
    fc.assert(
      fc.property(richTexts(), fc.integer({ min: 12, max: 60 }), (rich, limit) => {
        const pieces = splitRich(rich, limit);
        expect(visible(pieces.map(({ text }) => text).join(''))).toBe(visible(rich.text));
        for (const { text, marks } of pieces) {
          expect(text.length).toBeLessThanOrEqual(limit);
          expect(text.trim()).not.toBe('');
          expect(text).not.toMatch(/^\n|\s$/);
          expect(marks.every((mark) => mark.length > 0 && mark.at >= 0 && mark.at + mark.length <= text.length)).toBe(
            true,
          );
        }
        const whole = new Set(graphemes(rich.text));
        expect(
          pieces.flatMap(({ text }) => graphemes(text)).filter((one) => !whole.has(one) && one.length > 1),
        ).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('should keep words whole where there are blanks between them, and each character in its marks', () => {
    const words = fc.constantFrom('слово ', 'word ', 'a ', 'речення. ', '\n', '\n\n', 'їжак ');
    fc.assert(
      fc.property(richTexts(words), fc.integer({ min: 40, max: 80 }), (rich, limit) => {
        const pieces = splitRich(rich, limit);
        expect(pieces.flatMap(({ text }) => text.match(/\S+/g) ?? [])).toEqual(rich.text.match(/\S+/g) ?? []);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe(splitForDiscord.name, () => {
  it('should count what is written', () => {
    const pieces = splitForDiscord(plainText('*'.repeat(3_000)));
    expect(pieces.map(({ text }) => text.length)).toEqual([1_000, 1_000, 1_000]);
    expect(pieces.map(({ text }) => text).join('')).toBe('*'.repeat(3_000));
  });

  it('should make messages of any text, and lose nothing', () => {
    const long = fc.tuple(richTexts(), fc.integer({ min: 1, max: 60 })).map(([{ text, marks }, times]): RichText => {
      const copies = Array.from({ length: times }, (_, copy) =>
        marks.map((mark) => ({ ...mark, at: mark.at + copy * text.length })),
      );
      return { text: text.repeat(times), marks: copies.flat() };
    });
    fc.assert(
      fc.property(long, (rich) => {
        const pieces = splitForDiscord(rich);
        expect(pieces.every((piece) => discordMarkdown(piece).length <= DISCORD_LIMITS.text)).toBe(true);
        expect(visible(pieces.map(({ text }) => text).join(''))).toBe(visible(rich.text));
      }),
      { numRuns: 150 },
    );
  });

  it('should fill messages of an answer of 20,000 characters well', () => {
    const part =
      '**Рішення** 👩‍👩‍👧 про *бюджет*: `treasury.pay()` — [деталі](https://dao.example/1).\n\n- пункт 🇺🇦\n  - ще\n\n';
    const rich = richOf(part.repeat(270));
    const pieces = splitForDiscord(rich);
    const written = pieces.map((piece) => discordMarkdown(piece).length);
    expect(rich.text.length).toBeGreaterThan(20_000);
    expect(Math.max(...written)).toBeLessThanOrEqual(2_000);
    expect(Math.min(...written.slice(0, -1))).toBeGreaterThan(1_500);
  });
});
