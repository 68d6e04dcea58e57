import type { Mark, RichText } from '../../contracts/rich-text.js';
import { APART, addressesIn, escapedUnits, inAngles, inBrackets } from './discord-escape.js';
import { mailAddress } from './links.js';
import { aroundCode, endOf, isCode, isInline, marksIn, outside, partedBy, tidyMarks } from './marks.js';
import { splitRich } from './split.js';

/** What one message of Discord holds, in UTF-16 units of what is written, backslashes and asterisks with it. */
export const DISCORD_LIMITS = { text: 2000 } as const;
/** The words of a link with a longer address are written without it: it would leave no room for them. */
const LONGEST_ADDRESS = 1000;

type Link = Extract<Mark, { kind: 'link' }>;
const isLink = (mark: Mark): mark is Link => mark.kind === 'link';
const isStyle = ({ kind }: Mark): boolean => kind === 'bold' || kind === 'italic' || kind === 'strike';

/** Whether what a link says is where it leads to. */
function saysItself(text: string, link: Link): boolean {
  const words = text.slice(link.at, endOf(link));
  return /^https?:\/\//.test(words) && !/[\s<]/.test(words) && (words === link.url || `${words}/` === link.url);
}

/** What is between the ends of a link and behind them. */
function linkEnds(text: string, link: Link): [string, string] {
  const words = text.slice(link.at, endOf(link));
  if (mailAddress(link.url) !== undefined || link.url.length > LONGEST_ADDRESS) return ['', ''];
  if (!/^https?:\/\//i.test(link.url)) return ['', ` (${escapedUnits(link.url, [], []).join('')})`];
  // Discord does not hide an address behind another one, and finds the end of words by their brackets.
  const plain = !words.includes('://') && /^(?:[^[\]]|\[[^[\]]*\])*$/.test(words);
  return plain ? ['[', `](${inBrackets(link.url)})`] : ['', ` (${inAngles(link.url)})`];
}

/** Code in a line, between as many backticks as it takes. */
function inlineCode(code: string): string {
  const runs = new Set(Array.from(code.matchAll(/`+/g), ([run]) => run.length));
  // Three of them would begin a block.
  const parted = runs.size > 1 || Math.max(0, ...runs) > 2 ? code.replaceAll(/`(?=`)/g, `\`${APART}`) : code;
  const fence = runs.size === 0 || parted.includes('``') ? '`' : '``';
  const [before, behind] = [parted.startsWith('`') ? ' ' : '', parted.endsWith('`') ? ' ' : ''];
  return fence + before + parted + behind + fence;
}

/** A text in which it is known what is written for each of its units, and its marks within lines. */
interface Prepared {
  text: string;
  units: readonly string[];
  marks: readonly Mark[];
}

/** Marks of words that lie within one line each; links are around all that is in them, and addresses in no mark. */
function prepared({ text, marks }: RichText): Prepared {
  const newlines = Array.from(text.matchAll(/\n/g), ({ index }) => ({ at: index, length: 1 }));
  const lines = tidyMarks(
    text,
    marks.flatMap((mark) => (isInline(mark) ? outside(mark, newlines) : [])),
  );
  const known = new Map(
    lines
      .filter(isLink)
      .filter((link) => saysItself(text, link))
      .map((link) => [link.at, endOf(link)]),
  );
  const links = lines.filter(isLink).filter((link) => !known.has(link.at));
  const code = lines.filter(isCode);
  const edges = [...links, ...code].flatMap((mark) => [mark.at, endOf(mark)]).toSorted((a, b) => a - b);
  const addresses = addressesIn(text, edges, known);
  const styles = lines
    .filter(isStyle)
    .flatMap((mark) => outside(mark, addresses))
    .flatMap((mark) => partedBy(mark, links));
  const placed = tidyMarks(text, [...links, ...code, ...styles]);
  const begins = placed.map(({ at }) => at);
  return { text, units: escapedUnits(text, addresses, begins), marks: placed };
}

const isWord = (character: string): boolean => /[\p{L}\p{N}\p{M}_]/u.test(character);

/** The marks that are in no other one, each with those that are in it. */
function outerOnes(marks: readonly Mark[]): { mark: Mark; inside: Mark[] }[] {
  const outer: { mark: Mark; inside: Mark[] }[] = [];
  for (const mark of marks) {
    const last = outer.at(-1);
    if (last && mark.at < endOf(last.mark)) last.inside.push(mark);
    else outer.push({ mark, inside: [] });
  }
  return outer;
}

/** Writes one line, or more of them where nothing is marked across their ends. */
class LineWriter {
  written = '';
  private closed = false;

  constructor(private readonly of: Prepared) {}

  words(from: number, to: number): void {
    if (from >= to) return;
    this.written += this.of.units.slice(from, to).join('');
    this.closed = false;
  }

  /** What stands between these two places, with the marks that are there; outer ones come first. */
  stretch(from: number, to: number, marks: readonly Mark[]): void {
    let at = from;
    for (const { mark, inside } of outerOnes(marks)) {
      this.words(at, mark.at);
      this.marked(mark, inside);
      at = endOf(mark);
    }
    this.words(at, to);
  }

  private marked(mark: Mark, inside: readonly Mark[]): void {
    const [at, end] = [mark.at, endOf(mark)];
    if (isCode(mark)) {
      const code = inlineCode(this.of.text.slice(at, end));
      this.sign(code, true);
      this.closed = true;
      return;
    }
    const [before, behind] = isLink(mark) ? linkEnds(this.of.text, mark) : this.signs(mark);
    this.sign(before, true);
    this.stretch(at, end, inside);
    this.sign(behind, false);
  }

  /** Discord takes underscores for italics between words alone, as we do asterisks elsewhere. */
  private signs(mark: Mark): [string, string] {
    if (mark.kind === 'bold') return ['**', '**'];
    if (mark.kind === 'strike') return ['~~', '~~'];
    const { text } = this.of;
    const alone = !isWord(text.charAt(mark.at - 1)) && !isWord(text.charAt(endOf(mark)));
    return alone ? ['_', '_'] : ['*', '*'];
  }

  /** Parts it from the same sign before it, and one that opens from one that has closed. */
  private sign(sign: string, opens: boolean): void {
    if (sign === '') return;
    if ((/^[*_~`]/.test(sign) && this.written.endsWith(sign.charAt(0))) || (opens && this.closed))
      this.written += APART;
    this.written += sign;
    this.closed = !opens;
  }
}

/** A block of code as lines; three backticks in it would end it. */
function blockLines(text: string, mark: Extract<Mark, { kind: 'pre' }>): string[] {
  const code = text.slice(mark.at, endOf(mark)).replaceAll(/``(?=`)/g, `\`\`${APART}`);
  return ['```' + (mark.language ?? ''), ...code.split('\n'), '```'];
}

/** The lines of a text between two places, each with its marks. */
function textLines(of: Prepared, from: number, to: number, quoted: Quoted): string[] {
  let at = from;
  return of.text
    .slice(from, to)
    .split('\n')
    .map((line) => {
      const end = at + line.length;
      const writer = new LineWriter(of);
      writer.stretch(at, end, marksIn(of.marks, at, end));
      const prefix = quoted(at, end) ? '> ' : '';
      at = end + 1;
      return prefix + writer.written;
    });
}

/** Whether what stands between these two places is quoted. */
type Quoted = (from: number, to: number) => boolean;

/**
 * A text in Discord's Markdown, which shows it as it is: whatever could be taken for markup has a backslash, addresses stay
 * what can be clicked, and nothing looks like a call of everybody. Marks of words end with each line and begin again.
 * Where two signs would be read as another one a character that takes no room parts them.
 */
export function discordMarkdown(given: RichText): string {
  const rich = withLines(given.text, aroundCode(given));
  const quotes = rich.marks.filter(({ kind }) => kind === 'quote');
  const of = prepared(rich);
  const quoted: Quoted = (from, to) => {
    const words = from + rich.text.slice(from, to).search(/\S|$/);
    return quotes.some((quote) => quote.at <= words && endOf(quote) > from);
  };
  const lines: string[] = [];
  let at = 0;
  for (const block of rich.marks.filter((mark) => mark.kind === 'pre')) {
    // The line in which the block begins is its own.
    lines.push(...textLines(of, at, block.at, quoted).slice(0, -1));
    const prefix = quoted(block.at, endOf(block)) ? '> ' : '';
    lines.push(...blockLines(rich.text, block).map((line) => prefix + line));
    at = endOf(block) + 1;
  }
  return [...lines, ...(at > rich.text.length ? [] : textLines(of, at, rich.text.length, quoted))].join('\n');
}

/** A text whose blocks of code have lines of their own. */
function withLines(text: string, marks: readonly Mark[]): RichText {
  const blocks = marks.filter(({ kind }) => kind === 'pre');
  const begins = blocks.map(({ at }) => at).filter((at) => at > 0 && text.charAt(at - 1) !== '\n');
  const ends = blocks.map(endOf).filter((at) => at < text.length && text.charAt(at) !== '\n');
  const breaks = [...new Set([...begins, ...ends])].toSorted((a, b) => a - b);
  if (breaks.length === 0) return { text, marks };
  const parts = [0, ...breaks].map((from, index) => text.slice(from, breaks[index]));
  const moved = marks.map((mark) => {
    const at = mark.at + breaks.filter((one) => one <= mark.at).length;
    const end = endOf(mark) + breaks.filter((one) => one < endOf(mark)).length;
    return { ...mark, at, length: end - at };
  });
  return { text: parts.join('\n'), marks: moved };
}

/** A text in pieces that are messages of Discord once they are written. */
export const splitForDiscord = (rich: RichText): RichText[] =>
  splitRich(rich, DISCORD_LIMITS.text, (piece) => discordMarkdown(piece).length);
