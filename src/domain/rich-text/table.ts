import type { RichText } from '../../contracts/rich-text.js';

/** What a phone shows of a line of monospaced text. */
const WIDEST = 40;
const WIDE =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

export type Align = 'left' | 'right' | 'center' | null | undefined;

/** How many columns of a terminal a text takes. */
const columns = (text: string): number =>
  Array.from(graphemes.segment(text)).reduce((sum, { segment }) => sum + (WIDE.test(segment) ? 2 : 1), 0);

function padded(text: string, width: number, align: Align): string {
  const room = Math.max(0, width - columns(text));
  if (align === 'right') return ' '.repeat(room) + text;
  const before = align === 'center' ? Math.floor(room / 2) : 0;
  return ' '.repeat(before) + text + ' '.repeat(room - before);
}

/**
 * A table as lines of monospaced text, its first row as the heading; undefined where it would be wider than a phone is, or
 * where cells hold links, which monospaced text cannot.
 */
export function monospaced(rows: readonly (readonly RichText[])[], align: readonly Align[]): string | undefined {
  const across = Math.max(...rows.map((row) => row.length));
  if (across * 4 - 3 > WIDEST || rows.some((row) => row.some(({ text }) => text.length > WIDEST * 4))) return undefined;
  if (rows.some((row) => row.some(({ marks }) => marks.some(({ kind }) => kind === 'link')))) return undefined;
  const widths = Array.from({ length: across }, (_, column) =>
    Math.max(1, ...rows.map((row) => columns(row[column]?.text ?? ''))),
  );
  if (widths.reduce((sum, width) => sum + width, 0) + 3 * (across - 1) > WIDEST) return undefined;
  const lines = rows.map((row) => {
    const cells = widths.map((width, column) => padded(row[column]?.text ?? '', width, align[column]));
    return cells.join(' | ').trimEnd();
  });
  const rule = widths.map((width) => '-'.repeat(width)).join('-+-');
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}
