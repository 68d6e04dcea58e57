import { plainText, type Mark, type RichText } from '../../contracts/rich-text.js';
import { cleanText } from '../rich-text/clean-text.js';

/** A part of a message: as it is, or with marks. */
export type Piece = string | RichText;

// Titles, names and answers of models stand in our sentences: none of them may turn the direction of what is around it.
const asRich = (piece: Piece): RichText => (typeof piece === 'string' ? plainText(cleanText(piece)) : piece);

function marked(kind: 'bold' | 'italic' | 'code' | 'quote', given: string): RichText {
  const text = cleanText(given);
  return text === '' ? plainText('') : { text, marks: [{ kind, at: 0, length: text.length }] };
}

export const bold = (text: string): RichText => marked('bold', text);
export const italic = (text: string): RichText => marked('italic', text);
export const code = (text: string): RichText => marked('code', text);

/** Parts one behind the other. */
export function rich(...pieces: readonly Piece[]): RichText {
  let text = '';
  const marks: Mark[] = [];
  for (const piece of pieces.map(asRich)) {
    marks.push(...piece.marks.map((mark) => ({ ...mark, at: mark.at + text.length })));
    text += piece.text;
  }
  return { text, marks };
}

/** Lines, or paragraphs, one below the other; what is undefined is left out. */
export function lines(parts: readonly (Piece | undefined)[], between = '\n'): RichText {
  const there = parts.filter((part) => part !== undefined);
  return rich(...there.flatMap((part, index) => (index === 0 ? [part] : [between, part])));
}

/** A text that is no longer than so many characters, cut at a word. */
export function cut(text: string, most: number): string {
  const points = Array.from(text);
  if (points.length <= most) return text;
  const head = points.slice(0, most - 1).join('');
  const end = head.search(/\s\S*$/);
  return `${(end > most / 2 ? head.slice(0, end) : head).trimEnd()}…`;
}
