/** Text that the database can keep: PostgreSQL keeps no U+0000, and JSON columns no half surrogate pairs. */
export const storable = (value: string): string => value.toWellFormed().replaceAll('\0', '');

/** The beginning of a text, of at most so many UTF-16 units. A pair of surrogates is not cut in two. */
export function beginningOf(value: string, most: number): string {
  const cut = value.slice(0, most);
  return value.length > most && /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** A text that is not longer than so many UTF-16 units, without half a character at its end. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  return most < 1 ? '' : `${text.slice(0, most - 1).toWellFormed()}…`;
}

/**
 * Upper estimate of a text's tokens where no tokenizer is at hand: three bytes of UTF-8 a token. English takes about
 * four, Ukrainian about three.
 */
export const estimateTokens = (text: string): number => Math.ceil(new TextEncoder().encode(text).length / 3);

/** Deeper values are refused: whoever hashes, stores or matches them later goes down as deep. */
const DEEPEST = 100;

/**
 * A JSON value whose names and texts the database can keep.
 * @throws RangeError where it is nested too deeply
 */
export function storableJson(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return storable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEEPEST) throw new RangeError('nested too deeply');
  if (Array.isArray(value)) return value.map((part) => storableJson(part, depth + 1));
  const parts = Object.entries(value).map(([key, part]): [string, unknown] => [
    storable(key),
    storableJson(part, depth + 1),
  ]);
  // What the parser of JSON refuses must not come about by leaving something out.
  return Object.fromEntries(parts.filter(([key]) => key !== '__proto__'));
}
