import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HARD_PIECES, richTexts } from '../../../test/factories/rich-text.js';
import type { Mark, RichText } from '../../contracts/rich-text.js';
import { richOf } from './markdown.js';
import { TELEGRAM_LIMITS, entitiesOf, splitForTelegram } from './telegram.js';
import type { TelegramEntity } from './telegram.js';

const endOf = ({ offset, length }: TelegramEntity): number => offset + length;

/** What is wrong with an entity by itself, by the rules of the Bot API and of its server. */
function faultOf(text: string, one: TelegramEntity): string | undefined {
  const words = text.slice(one.offset, endOf(one));
  if (!Number.isInteger(one.offset) || one.offset < 0 || one.length < 1 || endOf(one) > text.length)
    return 'out of bounds';
  if (!words.isWellFormed()) return 'parts a character';
  if (words !== words.trim()) return 'has blanks at its ends';
  if (one.type === 'text_link' && !/^(?:https?|tg):\/\/\S+$/.test(one.url)) return 'leads nowhere';
  if (one.type === 'pre' && one.language !== undefined && !/^[\w+#.-]+$/.test(one.language)) return 'is in no language';
  return undefined;
}

const CODE = ['pre', 'code'];
const STYLES = ['bold', 'italic', 'strikethrough'];

/** What is wrong with one entity that begins within, or with, another one. */
function faultOfPair(outer: TelegramEntity, inner: TelegramEntity): string | undefined {
  if (inner.offset >= endOf(outer)) return undefined;
  if (endOf(inner) > endOf(outer)) return 'cross';
  if (outer.type === inner.type) return 'are of one kind';
  if (CODE.includes(outer.type)) return 'are in code';
  if (CODE.includes(inner.type) && outer.type !== 'blockquote') return 'are around code';
  if (inner.type === 'blockquote' && !STYLES.includes(outer.type)) return 'are around a quotation';
  return undefined;
}

function faultsOf(text: string, entities: readonly TelegramEntity[]): string[] {
  const alone = entities.flatMap((one) => faultOf(text, one) ?? []);
  const sorted = entities.every((one, index) => {
    const before = entities[index - 1];
    return !before || before.offset < one.offset || (before.offset === one.offset && before.length >= one.length);
  });
  const pairs = entities.flatMap((one, index) =>
    entities.slice(index + 1).flatMap((other) => faultOfPair(one, other) ?? []),
  );
  return [...alone, ...pairs, ...(sorted ? [] : ['not sorted']), ...(entities.length > 100 ? ['too many'] : [])];
}

const of = (text: string, ...marks: Mark[]): RichText => ({ text, marks });
const told = (markdown: string): string[] => {
  const rich = richOf(markdown);
  return entitiesOf(rich).map((one) => `${one.type}: ${rich.text.slice(one.offset, endOf(one))}`);
};

describe(entitiesOf.name, () => {
  it('should tell what is marked, in UTF-16 units', () => {
    expect(entitiesOf(richOf('👍 **так** і [ні](https://dao.example/n)'))).toEqual([
      { type: 'bold', offset: 3, length: 3 },
      { type: 'text_link', offset: 9, length: 2, url: 'https://dao.example/n' },
    ]);
    expect(entitiesOf(richOf('> *a* ~~b~~\n\n```sol\nuint x;\n```'))).toEqual([
      { type: 'blockquote', offset: 0, length: 3 },
      { type: 'italic', offset: 0, length: 1 },
      { type: 'strikethrough', offset: 2, length: 1 },
      { type: 'pre', offset: 5, length: 7, language: 'sol' },
    ]);
  });

  it('should have nothing in code and nothing but quotations around it', () => {
    expect(told('**run `npm i` now**')).toEqual(['bold: run', 'code: npm i', 'bold: now']);
    expect(told('> `x` and\n>\n> ```\n>   y\n> ```')).toEqual(['blockquote: x and\n\n  y', 'code: x', 'pre: y']);
  });

  it('should keep a link whose words are code', () => {
    expect(told('[`dagi up`](https://dao.example/up)')).toEqual(['text_link: dagi up']);
  });

  it('should leave mailboxes to Telegram', () => {
    expect(told('a@b.co, [write](mailto:c@d.co)')).toEqual([]);
    expect(richOf('[write](mailto:c@d.co)').text).toBe('write (c@d.co)');
  });

  it('should leave out blanks and what is empty, and keep halves of characters together', () => {
    expect(entitiesOf(of(' a \n', { kind: 'bold', at: 0, length: 4 }, { kind: 'italic', at: 2, length: 2 }))).toEqual([
      { type: 'bold', offset: 1, length: 1 },
    ]);
    expect(entitiesOf(of('👍👍', { kind: 'bold', at: 1, length: 3 }))).toEqual([
      { type: 'bold', offset: 2, length: 2 },
    ]);
    expect(entitiesOf(of('👍👍', { kind: 'bold', at: 1, length: 2 }))).toEqual([]);
  });

  it('should cut marks that cross or go on behind the text', () => {
    const crossed = of('abcdef', { kind: 'bold', at: 0, length: 4 }, { kind: 'italic', at: 2, length: 9 });
    expect(entitiesOf(crossed)).toEqual([
      { type: 'bold', offset: 0, length: 4 },
      { type: 'italic', offset: 2, length: 2 },
    ]);
  });

  it('should keep code and links where there are more than Telegram takes', () => {
    const styled = Array.from({ length: 90 }, (_, index) => `**слово${index}**`).join(' ');
    const coded = Array.from({ length: 60 }, (_, index) => `\`код${index}\``).join(' ');
    const kinds = entitiesOf(richOf(`${styled}\n\n${coded}\n\n[a](https://a.co)\n\n\`\`\`\nx\n\`\`\``)).map(
      ({ type }) => type,
    );
    expect(kinds).toHaveLength(TELEGRAM_LIMITS.entities);
    expect(kinds.filter((kind) => kind === 'code')).toHaveLength(60);
    expect(kinds.slice(-2)).toEqual(['text_link', 'pre']);
  });

  it('should be what Telegram takes, whatever is marked', () => {
    fc.assert(
      fc.property(richTexts(), (rich) => {
        expect(faultsOf(rich.text, entitiesOf(rich))).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('should be what Telegram takes, whatever the marks are', () => {
    const anyMark = fc.record({
      kind: fc.constantFrom('bold', 'italic', 'strike', 'code', 'quote', 'pre'),
      at: fc.integer({ min: -3, max: 30 }),
      length: fc.integer({ min: -2, max: 30 }),
    }) as fc.Arbitrary<Mark>;
    const anyText = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '👍', 'ї', '\ud83d'), maxLength: 20 });
    fc.assert(
      fc.property(anyText, fc.array(anyMark, { maxLength: 8 }), (text, marks) => {
        const faults = faultsOf(text, entitiesOf({ text, marks }));
        expect(faults.filter((fault) => text.isWellFormed() || fault !== 'parts a character')).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe(splitForTelegram.name, () => {
  it('should make messages that Telegram takes of any Markdown, and lose nothing of what was read', () => {
    const pieces = fc.oneof(
      { weight: 8, arbitrary: HARD_PIECES },
      {
        weight: 1,
        arbitrary: fc.constantFrom('[a](https://a.co)', '\ud83d', '| a | b |\n|-|-|\n', '~~~ts\n', '\u202e', '# '),
      },
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 80, size: 'max' }), fc.integer({ min: 1, max: 40 }), (parts, times) => {
        const rich = richOf(`${parts.join('')}\n\n`.repeat(times));
        const messages = splitForTelegram(rich);
        expect(messages.flatMap((one) => faultsOf(one.text, entitiesOf(one)))).toEqual([]);
        expect(messages.every(({ text }) => text.length <= TELEGRAM_LIMITS.text && text.isWellFormed())).toBe(true);
        const told = messages.map(({ text }) => text).join('');
        expect(told.replaceAll(/\s/g, '')).toBe(rich.text.replaceAll(/\s/g, ''));
      }),
      { numRuns: 200 },
    );
  });

  it('should make messages of a long answer, none with a broken mark', () => {
    const part =
      '**Рішення** 👩‍👩‍👧 про *бюджет*: `treasury.pay()` — [деталі](https://dao.example/1).\n\n- пункт 🇺🇦\n  - ще\n\n';
    const rich = richOf(`${part.repeat(220)}\`\`\`ts\n${'const x = "👍";\n'.repeat(400)}\`\`\``);
    const pieces = splitForTelegram(rich);
    expect(rich.text.length).toBeGreaterThan(20_000);
    expect(pieces.length).toBeLessThan(10);
    for (const { text, marks } of pieces) {
      expect(text.length).toBeLessThanOrEqual(4096);
      expect(faultsOf(text, entitiesOf({ text, marks }))).toEqual([]);
    }
    expect(
      pieces
        .map(({ text }) => text)
        .join('\n')
        .replaceAll(/\s+/g, ' '),
    ).toBe(rich.text.replaceAll(/\s+/g, ' '));
    expect(entitiesOf(pieces.at(-1)!)).toMatchObject([{ type: 'pre', language: 'ts' }]);
  });
});
