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
  isUnit(text.charCodeAt(at), 0xdc00) && isUnit(text.charCodeAt(at - 1), 0xd800);
const isUnit = (unit: number, first: number): boolean => unit >= first && unit < first + 0x400;

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
 * another of its kind, crossed ones cut, none of words around a block of lines. `everywhere` takes the indentation of
 * blocks for blanks, too.
 */
export function tidyMarks(text: string, marks: readonly Mark[], everywhere = false): Mark[] {
  const lines = everywhere ? /\s/ : /\n/;
  const blocks = nested(
    text,
    marks.filter((mark) => !isInline(mark)),
    lines,
  );
  const code = blocks.filter(({ kind }) => kind === 'pre');
  const quotes = blocks.filter(({ kind }) => kind === 'quote');
  const words = marks
    .filter(isInline)
    .flatMap((mark) => outside(mark, code))
    .flatMap((mark) => partedBy(mark, quotes));
  return nested(text, [...blocks, ...words], lines);
}

function nested(text: string, marks: readonly Mark[], lines: RegExp): Mark[] {
  const kept: Mark[] = [];
  const open: Mark[] = [];
  for (const given of inOrder(marks.map((mark) => trimmed(text, mark, lines)))) {
    closeBefore(open, given.at);
    const end = Math.min(endOf(given), ...open.map(endOf));
    const mark = trimmed(text, { ...given, length: end - given.at }, lines);
    if (mark.length === 0 || open.some(({ kind }) => kind === mark.kind)) continue;
    kept.push(mark);
    open.push(mark);
  }
  return kept;
}

function closeBefore(open: Mark[], at: number): void {
  for (let last = open.at(-1); last && endOf(last) <= at; last = open.at(-1)) open.pop();
}

/** Those of these stretches, which are in order and apart, that have something between these two places. */
function between<Each extends Stretch>(stretches: readonly Each[], from: number, to: number): Each[] {
  return stretches.slice(
    firstOf(stretches, (one) => endOf(one) > from),
    firstOf(stretches, (one) => one.at >= to),
  );
}

/** The marks, which are in order, that begin between these two places. */
export const marksIn = (marks: readonly Mark[], from: number, to: number): Mark[] =>
  marks.slice(
    firstOf(marks, ({ at }) => at >= from),
    firstOf(marks, ({ at }) => at >= to),
  );

/** The index of the first one for which it holds, as it does for all behind it. */
function firstOf<Each>(ordered: readonly Each[], holds: (one: Each) => boolean): number {
  let [low, high] = [0, ordered.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = ordered[middle];
    if (one !== undefined && holds(one)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The parts of a mark that are in none of the holes; these are apart and in order. */
export function outside(mark: Mark, holes: readonly Stretch[]): Mark[] {
  const parts: Mark[] = [];
  let at = mark.at;
  for (const hole of between(holes, mark.at, endOf(mark))) {
    if (hole.at > at) parts.push({ ...mark, at, length: hole.at - at });
    at = endOf(hole);
  }
  if (at < endOf(mark)) parts.push({ ...mark, at, length: endOf(mark) - at });
  return parts;
}

/** A mark as one before each of these stretches, which are apart and in order, one within it, and one behind it. */
export const partedBy = (mark: Mark, stretches: readonly Stretch[]): Mark[] => [
  ...outside(mark, stretches),
  ...between(stretches, mark.at, endOf(mark)).map((one) => {
    const at = Math.max(mark.at, one.at);
    return { ...mark, at, length: Math.min(endOf(mark), endOf(one)) - at };
  }),
];

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
