import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HARD_PIECES } from '../../../test/factories/rich-text.js';
import { richOf } from './markdown.js';

/** A text with what is marked in it as `kind: words`, an address or a language behind it. */
function told(markdown: string, options?: { unfinished: boolean }): [string, ...string[]] {
  const { text, marks } = richOf(markdown, options);
  const words = marks.map((mark) => {
    const more =
      mark.kind === 'link' ? ` ${mark.url}` : mark.kind === 'pre' && mark.language ? ` ${mark.language}` : '';
    return `${mark.kind}: ${text.slice(mark.at, mark.at + mark.length)}${more}`;
  });
  return [text, ...words];
}

const lines = (...all: string[]): string => all.join('\n');

describe(richOf.name, () => {
  it.each<[string, string, ...string[]]>([
    ['**b** *i* _i_ ~~s~~ `c * d`', 'b i i s c * d', 'bold: b', 'italic: i', 'italic: i', 'strike: s', 'code: c * d'],
    ['**жирний *і курсив***', 'жирний і курсив', 'bold: жирний і курсив', 'italic: і курсив'],
    ['~5 хв і ~6 хв, 2 * 3 * 4, snake_case_name', '~5 хв і ~6 хв, 2 * 3 * 4, snake_case_name'],
    ['# Заголовок **раз**\ntext', 'Заголовок раз\n\ntext', 'bold: Заголовок раз'],
    ['Two\n===\n\nThree\n---', 'Two\n\nThree', 'bold: Two', 'bold: Three'],
    ['a\nb  \nc\\\nd\n\n\n\ne', 'a\nb\nc\nd\n\ne'],
    ['a\n\n***\n\nb', 'a\n\n———\n\nb'],
    ['&lt;b&gt; &amp; &copy; &#128077; \\*x\\*', '<b> & © 👍 *x*'],
    ['<b>x</b> <!-- y -->', '<b>x</b> <!-- y -->'],
    ['<details>\n**x**\n</details>', '<details>\n**x**\n</details>'],
    ['див.[^1]\n\n[^1]: джерело', 'див.[^1]\n\n[^1]: джерело'],
    ['> цитата **раз**\n> два\n\nдалі', 'цитата раз\nдва\n\nдалі', 'quote: цитата раз\nдва', 'bold: раз'],
    ['> a\n> > b', 'a\n\nb', 'quote: a\n\nb'],
    ['```ts {1}\nlet a = `b`;\n\n  c\n```', 'let a = `b`;\n\n  c', 'pre: let a = `b`;\n\n  c ts'],
    ['a\n\n    x\n      y', 'a\n\nx\n  y', 'pre: x\n  y'],
    ['`a\nb`', 'a b', 'code: a b'],
  ])('should read %j', (markdown, ...expected) => {
    expect(told(markdown)).toEqual(expected);
  });

  it.each<[string, string, ...string[]]>([
    ['[DAO](https://dao.example/a_b)', 'DAO', 'link: DAO https://dao.example/a_b'],
    ['[**b** c](http://dao.example)', 'b c', 'link: b c http://dao.example', 'bold: b'],
    ['[chat](tg://resolve?domain=dao)', 'chat', 'link: chat tg://resolve?domain=dao'],
    [
      'https://dao.example/a_(b), www.dao.example.',
      'https://dao.example/a_(b), www.dao.example.',
      'link: https://dao.example/a_(b) https://dao.example/a_(b)',
      'link: www.dao.example http://www.dao.example',
    ],
    [
      '<https://dao.example> a@dao.example',
      'https://dao.example a@dao.example',
      'link: https://dao.example https://dao.example',
      'link: a@dao.example mailto:a@dao.example',
    ],
    ['[пиши](mailto:a@dao.example)', 'пиши (a@dao.example)', 'link: a@dao.example mailto:a@dao.example'],
    ['![схема](https://dao.example/a.png)', 'схема', 'link: схема https://dao.example/a.png'],
    [
      '![](https://dao.example/a.png)',
      'https://dao.example/a.png',
      'link: https://dao.example/a.png https://dao.example/a.png',
    ],
    ['[![лого](https://a.co/l.png)](https://a.co)', 'лого', 'link: лого https://a.co'],
    ['[тут](docs/a.md) ![x](y.png)', 'тут (docs/a.md) x (y.png)'],
    ['[click](javascript:alert\\(1\\))', 'click (javascript:alert(1))'],
    ['[you](tg://user?id=5) [local](http://localhost:3000/x)', 'you (tg://user?id=5) local (http://localhost:3000/x)'],
    ['[порожнє]() [](https://a.co)', 'порожнє https://a.co', 'link: https://a.co https://a.co'],
    ['[a b](<https://a.co/x y>)', 'a b', 'link: a b https://a.co/x%20y'],
    ['[правила][1]\n\n[1]: https://a.co', 'правила', 'link: правила https://a.co'],
    ['[1]: https://a.co', '[1]: https://a.co'],
  ])('should read links in %j', (markdown, ...expected) => {
    expect(told(markdown)).toEqual(expected);
  });

  it('should read lists, one in another', () => {
    expect(
      richOf(lines('1. перше', '2. друге', '   - a', '     - b', '   - c', '3. третє', '', '- [x] done', '- [ ] todo'))
        .text,
    ).toBe(lines('1. перше', '2. друге', '   • a', '      • b', '   • c', '3. третє', '', '☑ done', '☐ todo'));
    expect(richOf('5) five\n6) six').text).toBe('5. five\n6. six');
    expect(richOf('1. a\n1. b\n1. c').text).toBe('1. a\n2. b\n3. c');
    expect(richOf('2026. a\n\n2024. b').text).toBe('2026. a\n\n2024. b');
    expect(richOf('- a\n\n- b\n\n  further\n- c').text).toBe('• a\n\n• b\n\n   further\n\n• c');
  });

  it('should put code of a list at the very left', () => {
    expect(told('1. Run:\n   ```bash\n   npm i\n     x\n   ```\n2. Done')).toEqual([
      '1. Run:\nnpm i\n  x\n2. Done',
      'pre: npm i\n  x bash',
    ]);
  });

  it('should show a table that a phone has room for', () => {
    const [text, ...marks] = told(lines('| Імʼя | Голоси |', '|:---|---:|', '| **Оля** | 12 |', '| 👍 `x` | 3 |'));
    expect(text).toBe(lines('Імʼя | Голоси', '-----+-------', 'Оля  |     12', '👍 x |      3'));
    expect(marks).toEqual([`pre: ${text}`]);
  });

  it('should show the rows of a table that is too wide, or has links', () => {
    expect(
      told(lines('| Proposal | Status |', '|---|---|', '| [Budget](https://a.co/1) | **passed** |', '| Grants | |')),
    ).toEqual([
      lines('• Proposal: Budget', '   Status: passed', '• Proposal: Grants'),
      'bold: Proposal:',
      'link: Budget https://a.co/1',
      'bold: Status:',
      'bold: passed',
      'bold: Proposal:',
    ]);
    const wide = `| a | b |\n|---|---|\n| ${'слово '.repeat(10)}| y |`;
    expect(richOf(wide).text).toBe(`• a: ${'слово '.repeat(10).trim()}\n   b: y`);
    expect(richOf(`| ${'n'.repeat(50)} | b |\n|---|---|\n| x | y |`).text).toBe(
      `${'n'.repeat(50)}\nb\n• ${'n'.repeat(39)}…: x\n   b: y`,
    );
  });

  it('should have no control characters, halves of characters or changes of direction, written or decoded', () => {
    const text = 'a\0b\x07c\u202ed\u2066e\ud83df\r\ng\u2028h\ufeffi\ufdd0j&#x202e;k&#x1b;l\x85m';
    expect(richOf(text).text).toBe('abcde\ufffdf\ng\nhijk\ufffdl\nm');
    expect(richOf('[x](https://a.co/\u202e&#x202e;y)').marks).toEqual([
      { kind: 'link', url: 'https://a.co/y', at: 0, length: 1 },
    ]);
    expect(richOf('```\na\u202eb\n```').text).toBe('ab');
  });

  it('should have nothing for nothing', () => {
    for (const nothing of ['', ' ', '\n\n', '>', '#', '![]()', '\u202e'])
      expect(richOf(nothing)).toEqual({ text: '', marks: [] });
  });

  it('should lose no word of plain paragraphs, and keep them in order', () => {
    const word = fc.oneof(fc.stringMatching(/^[a-z]{1,8}$/), fc.constantFrom('слово', 'їжак', 'DAO', '2026', '👍'));
    const sentence = fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => `${words.join(' ')}.`);
    const paragraph = fc.array(sentence, { minLength: 1, maxLength: 5 }).map((all) => all.join(' '));
    fc.assert(
      fc.property(fc.array(paragraph, { minLength: 1, maxLength: 60, size: 'max' }), (paragraphs) => {
        expect(richOf(paragraphs.join('\n\n'))).toEqual({ text: paragraphs.join('\n\n'), marks: [] });
      }),
    );
  });

  it('should have marks within a well-formed text, nested or apart, whatever it reads', () => {
    const pieces = fc.oneof(
      { weight: 8, arbitrary: HARD_PIECES },
      {
        weight: 1,
        arbitrary: fc.constantFrom('\ud83d', '\udc4d', '\u202e', '\0', '\r\n', '&#x202e;', '&amp;', '<b>', '</b>'),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '[a](https://a.co)',
          '![b](c)',
          '[^1]',
          '| a | b |\n|-|-|\n',
          'https://a.co/x',
          '[1]: https://d.co\n',
        ),
      },
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60, size: 'max' }), fc.boolean(), (parts, unfinished) => {
        const { text, marks } = richOf(parts.join(''), { unfinished });
        expect(text.isWellFormed()).toBe(true);
        expect(text).not.toMatch(/[\0-\x08\x0e-\x1f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef]/);
        marks.forEach((mark, index) => {
          expect(mark.length).toBeGreaterThan(0);
          expect(mark.at + mark.length).toBeLessThanOrEqual(text.length);
          for (const other of marks.slice(index + 1)) {
            const apart = other.at >= mark.at + mark.length;
            expect(apart || (other.at >= mark.at && other.at + other.length <= mark.at + mark.length)).toBe(true);
          }
        });
      }),
      { numRuns: 1_500 },
    );
  });
});

describe('richOf of a text that breaks off', () => {
  it.each<[string, string, ...string[]]>([
    ['a **bol', 'a bol', 'bold: bol'],
    ['a **bold*', 'a bold', 'bold: bold'],
    ['a **', 'a'],
    ['**a `b', 'a b', 'bold: a b', 'code: b'],
    ['- **a**: b\n- **c', '• a: b\n• c', 'bold: a', 'bold: c'],
    ['**a\n\nb ~~c', '**a\n\nb c', 'strike: c'],
    ['so [the docs](https://dao.exa', 'so the docs'],
    ['![схема](htt', 'схема'],
    ['```ts\nlet **a', 'let **a', 'pre: let **a ts'],
    ['`**` a', '** a', 'code: **'],
    ['2 * 3 * ', '2 * 3'],
    ['> **q', 'q', 'quote: q', 'bold: q'],
  ])('should take what is open in %j for closed', (markdown, ...expected) => {
    expect(told(markdown, { unfinished: true })).toEqual(expected);
  });

  it('should show what is open as it is where the text is whole', () => {
    expect(told('call f(**kwargs)')).toEqual(['call f(**kwargs)']);
    expect(told('```py\nx = 1')).toEqual(['x = 1', 'pre: x = 1 py']);
  });

  it('should never lose a word, wherever the text breaks off', () => {
    const text = 'one **two** three `four` [five](https://six.co) ~~seven~~ __eight__\n\n- nine\n- **ten** eleven';
    const wordsOf = (some: string) => some.match(/one|two|three|four|five|seven|eight|nine|ten|eleven/g);
    for (let end = 0; end <= text.length; end += 1) {
      const cut = text.slice(0, end);
      expect(wordsOf(richOf(cut, { unfinished: true }).text)).toEqual(wordsOf(cut));
    }
  });
});
