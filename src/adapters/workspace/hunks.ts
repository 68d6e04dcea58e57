import type { StructuredPatchHunk } from 'diff';
import { AppError } from '../../errors/app-error.js';
import { linesOf } from './text.js';

const MOST_COMPARISONS = 20_000_000;
const LONGEST_MS = 1_000;
const COMPARISONS_BETWEEN_CLOCKS = 256;

/** What fitting a patch may cost: one with many hunks like many places of a large file would take hours. */
export class FittingBudget {
  private comparisons = 0;
  private readonly until = performance.now() + LONGEST_MS;

  /** @throws AppError `PATCH_REJECTED` */
  spend(): void {
    this.comparisons += 1;
    if (this.comparisons % COMPARISONS_BETWEEN_CLOCKS !== 0) return;
    if (this.comparisons < MOST_COMPARISONS && performance.now() < this.until) return;
    throw new AppError('PATCH_REJECTED', 'It takes too long to find where the hunks of this patch belong.');
  }
}

/** One side of a hunk in place of the other. Lines have their ends. */
interface Change {
  /** Line at which it is said to be, from 0. */
  start: number;
  old: string[];
  new: string[];
  /** Lines before and after the change that are on both sides. */
  leading: number;
  trailing: number;
}

/** Hunks as changes of a text, in its kind of line ends. */
export function changesOf(hunks: readonly StructuredPatchHunk[], text: string): Change[] {
  const end = isAllCrlf(text) && !hunks.some(({ lines }) => lines.some((line) => line.endsWith('\r'))) ? '\r\n' : '\n';
  return hunks.map((hunk) => changeOf(hunk, end));
}

/** The same changes the other way. */
export const reversed = (changes: readonly Change[], hunks: readonly StructuredPatchHunk[]): Change[] =>
  changes.map((change, at) => ({
    ...change,
    start: (hunks[at]?.newStart ?? 1) - 1,
    old: change.new,
    new: change.old,
  }));

/** Where changes belong in a text, and the text with them; or the number of the first that fits nowhere, from 1. */
export type Fitting = { text: string; places: number[] } | { failed: number };

/**
 * Makes changes in a text, each at the place nearest to where it is said to be. Every line must be as the hunk has it.
 * @param bound whether a change without lines before it must be at the beginning, and one without lines after it at the
 *   end, as git has it: else lines that were added at the end would be found to fit there once more
 * @throws AppError `PATCH_REJECTED` if that takes too long
 */
export function fit(text: string, changes: readonly Change[], bound: boolean, budget: FittingBudget): Fitting {
  const lines = linesOf(text);
  const parts: string[] = [];
  const places: number[] = [];
  let done = 0;
  let shift = 0;
  for (const [index, change] of changes.entries()) {
    const place = placeOf(lines, change, done, shift, bound, budget);
    if (place === undefined) return { failed: index + 1 };
    // What follows a change may be what the next one begins with.
    parts.push(...lines.slice(done, place), ...change.new.slice(0, change.new.length - change.trailing));
    done = place + change.old.length - change.trailing;
    shift = place - change.start;
    places.push(place);
  }
  return { text: [...parts, ...lines.slice(done)].join(''), places };
}

/** Whether each of the places already has the lines that its change would add there. */
export function isThere(text: string, changes: readonly Change[], places: readonly number[]): boolean {
  const lines = linesOf(text);
  return changes.every((change, at) => {
    const adds = change.new.length > change.leading + change.trailing;
    return adds && change.new.every((line, index) => lines[(places[at] ?? 0) + index] === line);
  });
}

function placeOf(
  lines: readonly string[],
  change: Change,
  least: number,
  shift: number,
  bound: boolean,
  budget: FittingBudget,
): number | undefined {
  const most = lines.length - change.old.length;
  const start = change.start + shift;
  const fits = (place: number): boolean =>
    place >= least && place <= most && isAllowed(place) && isAt(lines, change.old, place, budget);
  const isAllowed = (place: number): boolean =>
    !bound || ((change.leading > 0 || place === 0) && (change.trailing > 0 || place === most));
  // Nothing says where else it could be.
  if (change.old.length === 0) return fits(start) ? start : undefined;
  const farthest = Math.max(start - least, most - start);
  for (let distance = 0; distance <= farthest; distance += 1) {
    budget.spend();
    if (fits(start + distance)) return start + distance;
    if (fits(start - distance)) return start - distance;
  }
  return undefined;
}

function isAt(lines: readonly string[], wanted: readonly string[], place: number, budget: FittingBudget): boolean {
  return wanted.every((line, index) => {
    budget.spend();
    return lines[place + index] === line;
  });
}

function changeOf({ lines, oldStart }: StructuredPatchHunk, end: string): Change {
  const change: Change = { start: oldStart - 1, old: [], new: [], leading: 0, trailing: 0 };
  const isChange = (line: string): boolean => line.startsWith('+') || line.startsWith('-');
  const content = lines.filter((line) => !line.startsWith('\\'));
  change.leading = content.findIndex(isChange);
  change.trailing = content.length - 1 - content.findLastIndex(isChange);
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('\\')) continue;
    const whole = line.slice(1) + (lines[index + 1]?.startsWith('\\') ? '' : end);
    if (!line.startsWith('+')) change.old.push(whole);
    if (!line.startsWith('-')) change.new.push(whole);
  }
  return change;
}

const isAllCrlf = (text: string): boolean => text.includes('\r\n') && !/(?<!\r)\n/.test(text);
