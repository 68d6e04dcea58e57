import type { Mark, RichText } from '../../contracts/rich-text.js';

/** A stretch of a text, in UTF-16 units. */
export type Stretch = Pick<Mark, 'at' | 'length'>;

/** Where a stretch ends: the first unit that is not of it. */
export const endOf = ({ at, length }: Stretch): number => at + length;

/** Whether the text is code in this mark: nothing else is marked in it. */
export const isCode = ({ kind }: Mark): boolean => kind === 'code' || kind === 'pre';
/** Marks of words; the others are of whole lines. */
export const isInline = ({ kind }: Mark): boolean => kind !== 'pre' && kind !== 'quote';

/** Outer marks before what is in them; of those with the same stretch the first stays first. */
const inOrder = (marks: readonly Mark[]): Mark[] => marks.toSorted((a, b) => a.at - b.at || b.length - a.length);

/** Whether a cut here would part the two halves of a character. */
export const insidePair = (text: string, at: number): boolean =>
  /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, at - 1), at + 1));

/** A mark without blanks at its ends; one of whole lines keeps the indentation of its first. */
function trimmed(text: string, mark: Mark, lines: RegExp): Mark {
  const blank = isInline(mark) ? /\s/ : lines;
  let at = Math.max(0, mark.at);
  let end = Math.min(text.length, endOf(mark));
  if (insidePair(text, at)) at += 1;
  if (insidePair(text, end)) end -= 1;
  while (at < end && blank.test(text.charAt(at))) at += 1;
  while (at < end && /\s/.test(text.charAt(end - 1))) end -= 1;
  return { ...mark, at, length: Math.max(0, end - at) };
}

/**
 * Marks as the contract has them, outer ones first: within the text, without blanks at their ends, none empty, none in
 * another of its kind, crossed ones cut. `everywhere` takes the indentation of blocks for blanks, too.
 */
export function tidyMarks(text: string, marks: readonly Mark[], everywhere = false): Mark[] {
  const kept: Mark[] = [];
  const open: Mark[] = [];
  for (const given of inOrder(marks.map((mark) => trimmed(text, mark, everywhere ? /\s/ : /\n/)))) {
    closeBefore(open, given.at);
    const end = Math.min(endOf(given), ...open.map(endOf));
    const mark = trimmed(text, { ...given, length: end - given.at }, /\n/);
    if (mark.length === 0 || open.some(({ kind }) => kind === mark.kind)) continue;
    kept.push(mark);
    open.push(mark);
  }
  return kept;
}

function closeBefore(open: Mark[], at: number): void {
  for (let last = open.at(-1); last && endOf(last) <= at; last = open.at(-1)) open.pop();
}

/** The parts of a mark that are in none of the holes; these are apart and in order. */
export function outside(mark: Mark, holes: readonly Stretch[]): Mark[] {
  const parts: Mark[] = [];
  let at = mark.at;
  for (let index = firstEndingAfter(holes, mark.at); index < holes.length; index += 1) {
    const hole = holes[index]!;
    if (hole.at >= endOf(mark)) break;
    if (hole.at > at) parts.push({ ...mark, at, length: hole.at - at });
    at = endOf(hole);
  }
  if (at < endOf(mark)) parts.push({ ...mark, at, length: endOf(mark) - at });
  return parts;
}

function firstEndingAfter(stretches: readonly Stretch[], at: number): number {
  let [low, high] = [0, stretches.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endOf(stretches[middle]!) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Marks as platforms take them: nothing is in code, and code is in nothing but a quotation. Other marks are cut around it;
 * a link stays, and code in its words is not shown as such: the address is worth more than the look.
 */
export function aroundCode({ text, marks }: RichText): Mark[] {
  const kept: Mark[] = [];
  const open: Mark[] = [];
  for (const mark of tidyMarks(text, marks)) {
    closeBefore(open, mark.at);
    const hidden = open.some(isCode) || (mark.kind === 'code' && open.some(({ kind }) => kind === 'link'));
    if (hidden) continue;
    kept.push(mark);
    open.push(mark);
  }
  const code = kept.filter(isCode);
  const around = kept.flatMap((mark) => (isInline(mark) && !isCode(mark) ? outside(mark, code) : [mark]));
  return tidyMarks(text, around);
}

/** A part of a text with what is marked in it; a mark that goes on behind it is cut. */
export function sliceRich({ text, marks }: RichText, from: number, to: number): RichText {
  const inside = marks.filter((mark) => mark.at < to && endOf(mark) > from);
  const moved = inside.map((mark) => ({ ...mark, at: mark.at - from }));
  const clipped = moved.map((mark) => (mark.at < 0 ? { ...mark, at: 0, length: endOf(mark) } : mark));
  const part = text.slice(from, to);
  return { text: part, marks: tidyMarks(part, clipped) };
}
