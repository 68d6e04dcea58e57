import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { createTwoFilesPatch, parsePatch, type StructuredPatch, type StructuredPatchHunk } from 'diff';
import type { DiffJob, FileHead, PatchedPart, PatchJob, TextJobs } from './text-jobs.js';

// A thread's own file. Tests have Node load it as it is written, without a compiler: it may import packages and types,
// and no value of a file of ours.

const LONGEST_MS = 2_000;
const MOST_COMPARISONS = 100_000_000;
const COMPARISONS_BETWEEN_CLOCKS = 256;
const EXECUTABLE = '100755';

class TooMuch extends Error {}

function diff({ names, texts, context, most }: DiffJob): Uint8Array<ArrayBuffer> {
  const [from, to] = texts.map(decoded) as [string, string];
  const text = createTwoFilesPatch(...names, from, to, undefined, undefined, {
    context,
    timeout: LONGEST_MS,
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  });
  if (text === undefined) throw new TooMuch();
  return new TextEncoder().encode(text).slice(0, most + 1);
}

function heads(patch: string): FileHead[] | { problem: string } {
  try {
    return filesOf(patch).map(headOf);
  } catch (error) {
    return { problem: Error.isError(error) ? error.message.slice(0, 300) : '' };
  }
}

const filesOf = (patch: string): StructuredPatch[] =>
  parsePatch(patch).filter((file) => file.oldFileName !== undefined || file.hunks.length > 0);

function headOf(file: StructuredPatch): FileHead {
  const bad = file.hunks.findIndex((hunk) => !isReal(hunk));
  return {
    before: file.oldFileName,
    after: file.newFileName,
    isCreated: file.isCreate === true,
    isDeleted: file.isDelete === true,
    isMoved: file.isRename === true || file.isCopy === true,
    isBinary: file.isBinary === true,
    isExecutable: file.newMode === EXECUTABLE,
    hunks: file.hunks.length,
    badHunk: bad === -1 ? undefined : bad + 1,
  };
}

const isReal = ({ oldStart, newStart, lines }: StructuredPatchHunk): boolean =>
  Number.isSafeInteger(oldStart) && Number.isSafeInteger(newStart) && lines.some((line) => /^[+-]/.test(line));

function patch(job: PatchJob): PatchedPart[] {
  const files = filesOf(job.patch);
  const budget = new FittingBudget();
  const done: PatchedPart[] = [];
  for (const { head, kind, before } of job.parts) {
    const hunks = files[head]?.hunks ?? [];
    const text = before === null ? null : decoded(before);
    const fitting = kind === 'create' ? made(hunks) : fitted(hunks, text ?? '', budget);
    done.push(partOf(fitting, kind === 'delete'));
    if ('failed' in fitting) break;
  }
  return done;
}

function partOf(fitting: Fitting, isDeleted: boolean): PatchedPart {
  if ('failed' in fitting) return fitting;
  // What git deletes without hunks is empty.
  if (isDeleted) return fitting.text === '' ? { after: null, hash: null } : { failed: 0 };
  const after = new TextEncoder().encode(fitting.text);
  return { after, hash: createHash('sha256').update(after).digest('hex') };
}

/** A text with changes made in it, or the number of the first that fits nowhere, from 1. */
type Fitting = { text: string } | { failed: number };

/** A file that is in the patch as a whole. */
function made(hunks: readonly StructuredPatchHunk[]): Fitting {
  const changes = changesOf(hunks, '');
  const mixed = changes.findIndex((change) => change.old.length > 0);
  return mixed === -1 ? { text: changes.flatMap((change) => change.new).join('') } : { failed: mixed + 1 };
}

/**
 * A change without lines before it is to be at the beginning, and one without lines after it at the end, as git has it;
 * only if that fails, anywhere.
 */
function fitted(hunks: readonly StructuredPatchHunk[], text: string, budget: FittingBudget): Fitting {
  const changes = changesOf(hunks, text);
  const bound = fit(text, changes, true, budget);
  return 'text' in bound ? bound : fit(text, changes, false, budget);
}

/** What fitting a patch may cost: one with many hunks like many places of a large file would take hours. */
class FittingBudget {
  private comparisons = 0;
  private readonly until = performance.now() + LONGEST_MS;

  spend(): void {
    this.comparisons += 1;
    if (this.comparisons % COMPARISONS_BETWEEN_CLOCKS !== 0) return;
    if (this.comparisons > MOST_COMPARISONS || performance.now() > this.until) throw new TooMuch();
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
function changesOf(hunks: readonly StructuredPatchHunk[], text: string): Change[] {
  const end = isAllCrlf(text) && !hunks.some(({ lines }) => lines.some((line) => line.endsWith('\r'))) ? '\r\n' : '\n';
  return hunks.map((hunk) => changeOf(hunk, end));
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

/** Makes changes in a text, each at the place nearest to where it is said to be. Every line must be as the hunk has it. */
function fit(text: string, changes: readonly Change[], bound: boolean, budget: FittingBudget): Fitting {
  const lines = linesOf(text);
  const parts: string[] = [];
  let done = 0;
  let shift = 0;
  for (const [index, change] of changes.entries()) {
    const place = placeOf(lines, change, { least: done, start: change.start + shift, bound }, budget);
    if (place === undefined) return { failed: index + 1 };
    // What follows a change may be what the next one begins with.
    parts.push(lines.slice(done, place).join(''), change.new.slice(0, change.new.length - change.trailing).join(''));
    done = place + change.old.length - change.trailing;
    shift = place - change.start;
  }
  return { text: parts.join('') + lines.slice(done).join('') };
}

/** Where a change may be: not before `least`, the nearer to `start` the better. */
interface Wanted {
  least: number;
  start: number;
  bound: boolean;
}

function placeOf(
  lines: readonly string[],
  change: Change,
  { least, start, bound }: Wanted,
  budget: FittingBudget,
): number | undefined {
  const most = lines.length - change.old.length;
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

/** The lines of a text, each with its end. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+/g) ?? [];
const isAllCrlf = (text: string): boolean => text.includes('\r\n') && !/(?<!\r)\n/.test(text);
const decoded = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();

const JOBS: { [Name in keyof TextJobs]: (ask: TextJobs[Name]['ask']) => TextJobs[Name]['answer'] } = {
  diff,
  heads,
  patch,
};

/** Undefined: it would take too long. */
function answerTo<Name extends keyof TextJobs>(
  name: Name,
  ask: TextJobs[Name]['ask'],
): TextJobs[Name]['answer'] | undefined {
  try {
    return JOBS[name](ask);
  } catch (error) {
    if (error instanceof TooMuch) return undefined;
    throw error;
  }
}

parentPort?.on('message', ({ name, ask }: { name: keyof TextJobs; ask: TextJobs[keyof TextJobs]['ask'] }) => {
  parentPort?.postMessage(answerTo(name, ask));
});
