import type { RichText } from '../../contracts/rich-text.js';
import { isBlank } from './clean-text.js';
import { endOf, insidePair, sliceRich } from './marks.js';

/** A place that is in the first part of the room is not taken for a cut: the piece would be too short. */
const LEAST_FILLED = 1 / 4;
/** Where a piece may end, the best first: a paragraph, a line, a sentence, a word. */
const PARAGRAPH = /\n[^\S\n]*(?=\n)/g;
const LINE = /\n/g;
const SENTENCE = /(?<=[.!?…][\p{Pe}\p{Pf}"'*]{0,3})\s|(?<=[。！？])/gu;
const WORD = /(?<!\s)\s+(?![\s\p{M}\u200d])/gu;
/** A piece that is as full as this is not tried to be filled further. */
const NEARLY = 0.97;
/** How much of what follows tells whether a character goes on behind the room, in UTF-16 units. */
const LOOK_AHEAD = 64;
type Size = (piece: RichText) => number;
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** How long a text is to the platforms' limits: in UTF-16 units. */
export const lengthOf = ({ text }: RichText): number => text.length;

/**
 * Cuts a text into pieces that fit, with its marks: between paragraphs, else lines, else sentences, else words, else
 * anywhere, but not within what a person takes for one character unless that alone is too long. Blanks at cuts are
 * left out; the indentation of a line is not. No piece is blank, so a blank text has none.
 *
 * @param limit the most that the size of a piece may be, and its UTF-16 units
 * @param sizeOf the size of a piece as it will be written; a piece of one character is taken whatever it says
 */
export function splitRich(rich: RichText, limit: number, sizeOf: Size = lengthOf): RichText[] {
  const pieces: RichText[] = [];
  const whole = trimmedEnd(rich);
  const end = whole.text.length;
  let from = afterBlanks(whole.text, 0);
  while (from < end) {
    const near = { ...whole, marks: whole.marks.filter((mark) => mark.at < from + limit && endOf(mark) > from) };
    const cut = cutOf(near, from, limit, sizeOf);
    const piece = trimmedEnd(sliceRich(near, from, cut));
    if (!isBlank(piece.text)) pieces.push(piece);
    from = afterBlanks(whole.text, cut);
  }
  return pieces;
}

const trimmedEnd = (piece: RichText): RichText => sliceRich(piece, 0, piece.text.trimEnd().length);

/** Where the next piece begins: behind the blank lines, else behind the blanks, that stand at a cut. */
function afterBlanks(text: string, cut: number): number {
  const blanks = text.slice(cut, cut + (/\S/.exec(text.slice(cut))?.index ?? 0));
  const line = blanks.lastIndexOf('\n');
  if (line >= 0) return cut + line + 1;
  return cut === 0 ? 0 : cut + blanks.length;
}

function cutOf(rich: RichText, from: number, limit: number, sizeOf: Size): number {
  const least = from + String.fromCodePoint(rich.text.codePointAt(from) ?? 0).length;
  const sizeAt = (cut: number): number => sizeOf(sliceRich(rich, from, cut));
  let most = longest(from, Math.min(from + limit, rich.text.length), limit, sizeAt);
  let cut = most === rich.text.length ? most : bestCut(rich, from, most, least);
  // What is a little shorter may be written a little longer.
  while (cut > least && sizeAt(cut) > limit) {
    most = cut - 1;
    cut = bestCut(rich, from, most, least);
  }
  return cut;
}

/** The end of the longest beginning that fits, or of one that is nearly as long. */
function longest(from: number, end: number, limit: number, sizeAt: (cut: number) => number): number {
  let [low, high] = [
    { at: from, size: 0 },
    { at: end, size: sizeAt(end) },
  ];
  if (high.size <= limit) return end;
  for (let round = 1; high.at - low.at > 1 && low.size < limit * NEARLY; round += 1) {
    // Sizes grow about evenly; where they do not, halves find it.
    const share = round % 3 === 0 ? 1 / 2 : (limit - low.size) / (high.size - low.size);
    const at = Math.min(high.at - 1, Math.max(low.at + 1, low.at + Math.floor((high.at - low.at) * share)));
    const one = { at, size: sizeAt(at) };
    if (one.size <= limit) low = one;
    else high = one;
  }
  return low.at;
}

function bestCut({ text, marks }: RichText, from: number, most: number, least: number): number {
  const code = marks.filter((mark) => mark.kind === 'pre' && mark.at < most && endOf(mark) > from);
  const inCode = (cut: number): boolean => code.some((mark) => mark.at < cut && endOf(mark) > cut);
  // A blank right behind the room is a place for a cut, too.
  const room = text.slice(from, most + 1);
  const lastCut = (pattern: RegExp, filled: number): number | undefined =>
    Array.from(room.matchAll(pattern), ({ index }) => from + index).findLast(
      (cut) =>
        cut >= least && cut <= most && cut - from >= (most - from) * filled && !(isProse(pattern) && inCode(cut)),
    );
  const found = [PARAGRAPH, LINE, SENTENCE, WORD].map((pattern) => lastCut(pattern, LEAST_FILLED));
  return found.find((cut) => cut !== undefined) ?? lastCut(WORD, 0) ?? characterCut(text, from, most, least);
}

/** Whether a place of this kind means something in prose alone: in code it is one line among others. */
const isProse = (pattern: RegExp): boolean => pattern === PARAGRAPH || pattern === SENTENCE;

/** The last place that does not part what a person takes for one character, else what Unicode takes for one. */
function characterCut(text: string, from: number, most: number, least: number): number {
  const ahead = graphemes.segment(text.slice(from, most + LOOK_AHEAD));
  const cut = from + (ahead.containing(most - from)?.index ?? 0);
  if (cut >= least) return cut;
  return Math.max(least, insidePair(text, most) ? most - 1 : most);
}
