import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SOMEWHERE, richTexts } from '../../../test/factories/rich-text.js';
import { discordShows } from '../../../test/support/discord-reader.js';
import { plainText } from '../../contracts/rich-text.js';
import { discordMarkdown } from './discord.js';
import { richOf } from './markdown.js';

const APART = /\u200b/g;
/** Pieces of markup, of words in two languages, and of what else could be read as something. */
const pieces = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...'\\*_~`|><#-+.()[]@:!/ \n12a'.split('')) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '**',
      '__',
      '~~',
      '||',
      '```',
      '``',
      '\n> ',
      '\n>>> ',
      '\n# ',
      '\n-# ',
      '\n- ',
      '\n1. ',
      '<@123>',
      '<#9>',
      '<@&5>',
      '<:a:12>',
      '<t:1>',
      '</go:7>',
      '@everyone',
      '@here',
      ':smile:',
      '[a](https://b.co)',
      '<https://c.co>',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'https://a.b/x_y',
      'https://a.b/(z)',
      'http://',
      'https://*',
      'xhttps://a.bc_',
      'steam://run/1',
    ),
  },
  { weight: 3, arbitrary: fc.constantFrom('слово', 'їжак', 'word', 'é', '👍', '👩‍👩‍👧', 'e\u0301', '。') },
);
const texts = fc.array(pieces, { maxLength: 25, size: 'max' }).map((parts) => parts.join(''));

describe('discordMarkdown of a text without marks', () => {
  it.each([
    ['5 * 3 * 2 = 30', '5 \\* 3 \\* 2 = 30'],
    ['snake_case_name', 'snake\\_case\\_name'],
    [
      '# не заголовок\n- не список\n> не цитата\n1. не номер',
      '\\# не заголовок\n\\- не список\n\\> не цитата\n1\\. не номер',
    ],
    ['-# small\n  ## indented', '\\-# small\n  \\#\\# indented'],
    ['<@123> і @everyone, @here', '\\<@123> і @\u200beveryone, @\u200bhere'],
    ['||spoiler|| :smile: 10:30', '\\|\\|spoiler\\|\\| \\:smile: 10:30'],
    ['C:\\dir `x` ~~y~~', 'C:\\\\dir \\`x\\` \\~\\~y\\~\\~'],
    ['[a](https://b.co)', '\\[a\\](https://b.co)'],
    ['див. https://a.b/x_y_z*q*, так', 'див. https://a.b/x_y_z*q*, так'],
    ['https://a.b/x<@1>', '<https://a.b/x>\\<@1>'],
    ['https://*x* steam://run', 'https\\://\\*x\\* steam\\://run'],
  ])('should write %j so that it is shown as it is', (text, written) => {
    expect(discordMarkdown(plainText(text))).toBe(written);
    expect(discordShows(written).text.replaceAll(APART, '')).toBe(text);
  });

  it('should show any text as it is, with nothing taken for markup but whole addresses', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { text: shown, marks } = discordShows(discordMarkdown(plainText(text)));
        expect(shown.replaceAll(APART, '')).toBe(text);
        expect(
          marks.filter(({ kind, url, at, length }) => kind !== 'link' || shown.slice(at, at + length) !== url),
        ).toEqual([]);
      }),
      { numRuns: 5_000 },
    );
  });

  it('should let addresses be clicked', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { marks } = discordShows(
          discordMarkdown(plainText(`${text} https://dao.example/a_b_c?x=1&y=*2* ${text}`)),
        );
        expect(marks.filter(({ url }) => url === 'https://dao.example/a_b_c?x=1&y=*2*')).toHaveLength(1);
      }),
    );
  });
});

/** Kinds of marks around each character that can be seen, in the order in which these stand. */
function stylesOf({ text, marks }: { text: string; marks: readonly { kind: string; at: number; length: number }[] }) {
  const covering = (at: number) => marks.filter((mark) => mark.at <= at && mark.at + mark.length > at);
  return Array.from(text, (_, index) => index)
    .filter((at) => /[^\s\u200b]/.test(text.charAt(at)))
    .map((at) => `${text.charAt(at)} ${platformKinds(covering(at).map(({ kind }) => kind)).join(' ')}`);
}

/** Code is in nothing, but words of a link are not code. Where quotations begin is told by examples. */
function platformKinds(kinds: readonly string[]): string[] {
  if (kinds.includes('pre')) return ['pre'];
  const seen = new Set<string>();
  for (const kind of kinds) {
    if (kind === 'code' && !seen.has('link')) return [kind];
    if (kind !== 'code' && kind !== 'quote') seen.add(kind);
  }
  return [...seen].sort();
}

describe('discordMarkdown of a text with marks', () => {
  it.each<[string, string]>([
    ['**bold** and *italic*, ~~gone~~', '**bold** and _italic_, ~~gone~~'],
    ['***both***', '_**both**_'],
    ['від*мін*ок', 'від*мін*ок'],
    ['**a *b*** c', '**a _b_** c'],
    ['use `a * b` and `` a`b `` and `` `x` ``', 'use `a * b` and ``a`b`` and `` `x` ``'],
    ['**see `code` here**', '**see** `code` **here**'],
    ['[the *DAO*](https://dao.example/a_(b))', '[the _DAO_](https://dao.example/a_%28b%29)'],
    ['**see [it](https://a.co/x) now**', '**see** [**it**](https://a.co/x) **now**'],
    ['[\\[1\\]](https://a.co/1) [a\\]b](https://a.co/2)', '[\\[1\\]](https://a.co/1) a\\]b (<https://a.co/2>)'],
    ['https://a.co/x_y, **https://a.co/z**!', 'https://a.co/x_y, <https://a.co/z>!'],
    ['<https://a.co/x>далі', '<https://a.co/x>далі'],
    ['[https://bank.co](https://evil.co)', 'https://bank.co (<https://evil.co>)'],
    ['[open](tg://resolve?domain=x) a@b.co', 'open (tg\\://resolve?domain=x) a@b.co'],
    ['> цитата\n> **друга**\n\nдалі', '> цитата\n> **друга**\n\nдалі'],
    ['> before\n>\n> ```py\n> x = 1\n> ```', '> before\n> \n> ```py\n> x = 1\n> ```'],
    ['```js\nlet x = `a`;\n\n  y()\n```\nafter', '```js\nlet x = `a`;\n\n  y()\n```\n\nafter'],
    ['````\n```\n````', '```\n``\u200b`\n```'],
    ['- один\n  1. два\n- [x] три', '• один\n   1\\. два\n☑ три'],
    ['# Heading\ntext', '**Heading**\n\ntext'],
    ['**two\nlines**', '**two**\n**lines**'],
    ['`a`**b**', '`a`\u200b**b**'],
  ])('should write %j', (markdown, written) => {
    expect(discordMarkdown(richOf(markdown))).toBe(written);
  });

  it('should show every word as it is marked, whatever stands beside it', () => {
    const words = fc.constantFrom(
      ...'\\*_~`|><#-+.()!@ \n1a'.split(''),
      '**',
      '__',
      '~~',
      '``',
      '```',
      'слово',
      'їжак',
      '。',
      ': ',
    );
    fc.assert(
      fc.property(richTexts(words), (rich) => {
        const shown = discordShows(discordMarkdown(rich));
        expect(stylesOf(shown)).toEqual(stylesOf(rich));
        expect(
          shown.marks
            .filter(({ url }) => url !== undefined)
            .every(({ url }) => url === SOMEWHERE.replace('(', '%28').replace(')', '%29')),
        ).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('should lose no character of a text with links, brackets and addresses', () => {
    fc.assert(
      fc.property(richTexts(pieces), (rich) => {
        const shown = discordShows(discordMarkdown(rich));
        const told = shown.text.replaceAll(` (${SOMEWHERE})`, '').replaceAll(/[\s\u200b]/g, '');
        expect(told).toBe(rich.text.replaceAll(/[\s\u200b]/g, ''));
        expect(
          shown.marks.filter(({ kind }) =>
            ['call', 'emoji', 'list', 'heading', 'small', 'spoiler', 'underline'].includes(kind),
          ),
        ).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});
