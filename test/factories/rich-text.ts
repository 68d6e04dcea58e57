import fc from 'fast-check';
import type { Mark, RichText } from '../../src/contracts/rich-text.js';

/** Where links of arbitrary texts lead to. */
export const SOMEWHERE = 'https://dao.example/a_(b)';

/** Markup of everybody, words in two languages, and what is hard to cut. */
export const HARD_PIECES = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...'\\*_~`|><#-+.()[]!:&@ \n\t19a'.split('')) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('**', '__', '~~', '||', '```', '``', '\n\n', '\n> ', '\n- ', '\n1. ', '\n    '),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('слово', 'їжак', 'word. ', 'é', 'e\u0301', '。', '👍🏽', '👩‍👩‍👧', '🇺🇦', '\u00a0'),
  },
);

/** Words, styles and blocks around them: a tree, so that marks are nested or apart. */
interface Branch {
  words?: string;
  mark?: Omit<Mark, 'at' | 'length'>;
  children?: Branch[];
}

const KINDS = fc.oneof(
  fc.constantFrom<Branch['mark']>(
    { kind: 'bold' },
    { kind: 'italic' },
    { kind: 'strike' },
    { kind: 'code' },
    { kind: 'quote' },
  ),
  fc.constant({ kind: 'link', url: SOMEWHERE } as Branch['mark']),
  fc.constantFrom({ kind: 'pre' } as Branch['mark'], { kind: 'pre', language: 'ts' } as Branch['mark']),
);

function planted(branches: readonly Branch[], at = 0): { text: string; marks: Mark[] } {
  let text = '';
  const marks: Mark[] = [];
  for (const { words = '', mark, children = [] } of branches) {
    const inside = planted(children, at + text.length);
    const length = words.length + inside.text.length;
    if (mark) marks.push({ ...mark, at: at + text.length, length } as Mark);
    marks.push(...inside.marks);
    text += inside.text + words;
  }
  return { text, marks };
}

/** Texts of such pieces with marks, nested or apart, some of them empty or of blanks alone, some in others of their kind. */
export function richTexts(pieces: fc.Arbitrary<string> = HARD_PIECES): fc.Arbitrary<RichText> {
  const words = fc.array(pieces, { maxLength: 12, size: 'max' }).map((parts): Branch => ({ words: parts.join('') }));
  const { branches } = fc.letrec<{ branches: Branch[]; branch: Branch }>((tie) => ({
    branches: fc.array(tie('branch'), { maxLength: 4 }),
    branch: fc.oneof(
      { maxDepth: 4 },
      words,
      fc.record({ mark: KINDS, children: tie('branches') }) as fc.Arbitrary<Branch>,
    ),
  }));
  return branches.map((all) => planted(all));
}
