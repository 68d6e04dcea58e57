import { cutText } from '../../contracts/text.js';

/**
 * Values of others as models are shown them: between marks that nobody could foresee, so that no content can end its own
 * block and speak for itself after it.
 */
export interface Block {
  /** What the value is, such as the reference that led to it. */
  name: string;
  /** A JSON value. */
  value: unknown;
}

/** The run's own random number: hexadecimal, so that it stands in no other writing. */
const MARK = /^[0-9a-f]{8,64}$/;
const LONGEST_NAME = 100;

const escaped = (text: string): string =>
  Array.from(text, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

/** Line breaks that JSON leaves as they are. */
const escapeBreaks = (json: string): string => json.replaceAll(/[\u007f-\u009f\u2028\u2029]/g, escaped);

/**
 * The mark, and digits right behind it, written as JSON can write any text: the value is the same, the mark is gone. All
 * of it: the escape of a digit ends with the digit, so that a mark could stand there again.
 */
const breakUp = (json: string, mark: string): string => json.replaceAll(new RegExp(`${mark}[0-9a-f]*`, 'gi'), escaped);

/** A text without the mark, where it is no JSON. */
export const withoutMark = (text: string, mark: string): string => text.replaceAll(new RegExp(mark, 'gi'), '_');

const plainName = (name: string, mark: string): string =>
  withoutMark(cutText(name.replaceAll(/[^\p{L}\p{N}_.[\] /-]+/gu, '_'), LONGEST_NAME), mark);

/** @throws RangeError for a mark that is not 8 to 64 hexadecimal digits */
function checkMark(mark: string): void {
  if (!MARK.test(mark)) throw new RangeError('A mark is 8 to 64 hexadecimal digits.');
}

/** The lines between which data stands, as models are told of them. */
export const marksOf = (mark: string): { begin: string; end: string } => ({
  begin: `[data ${mark}`,
  end: `[end ${mark}`,
});

/**
 * A value of others as three lines: a mark with the name, the value as one line of JSON, a mark that says how much of it
 * was cut.
 * @param mark the run's random number: 8 to 64 hexadecimal digits
 * @param maxChars longest JSON, in UTF-16 units
 * @throws RangeError for a mark of another form
 */
export function dataBlock({ name, value }: Block, mark: string, maxChars: number): string {
  checkMark(mark);
  const { begin, end } = marksOf(mark);
  const json = breakUp(escapeBreaks(JSON.stringify(value) ?? 'null'), mark);
  const shown = cutText(json, maxChars);
  const note = json.length > maxChars ? `; cut: the first ${maxChars} of ${json.length} characters` : '';
  return `${begin}: ${plainName(name, mark)}]\n${shown}\n${end}${note}]`;
}

/**
 * How much of each of some lengths is kept, so that all together do not exceed a total: short ones whole, long ones the
 * same share of what is left.
 */
export function sharesOf(lengths: readonly number[], total: number): number[] {
  const shares = new Map<number, number>();
  let left = Math.max(0, Math.floor(total));
  const rising = [...lengths.entries()].toSorted(([, a], [, b]) => a - b);
  for (const [place, [index, length]] of rising.entries()) {
    const share = Math.min(length, Math.floor(left / (rising.length - place)));
    shares.set(index, share);
    left -= share;
  }
  return lengths.map((_, index) => shares.get(index) ?? 0);
}

/** Blocks one after the other, cut so that their JSON has at most so many UTF-16 units in all. */
export function dataBlocks(blocks: readonly Block[], mark: string, maxChars: number): string[] {
  const lengths = blocks.map(({ value }) => (JSON.stringify(value) ?? 'null').length);
  const shares = sharesOf(lengths, maxChars);
  return blocks.map((block, index) => {
    const [length = 0, share = 0] = [lengths[index], shares[index]];
    // What fits whole may grow by what is escaped in it; it is not cut for that.
    return dataBlock(block, mark, share < length ? share : Infinity);
  });
}
