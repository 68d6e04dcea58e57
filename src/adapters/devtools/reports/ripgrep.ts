import type { SearchMatch, SearchResult } from '../../../contracts/devtools.js';
import { below, startOf } from '../tool-run.js';

/** Longest part of a line that is told. */
const LINE_BYTES = 1_000;
/** Longest line of the report that is looked at: that of a match in a file without lines may be as long as the file. */
const MOST_ENTRY = 256 * 1_024;

/** A text of ripgrep's: as it is, or in base64 where it is no UTF-8. */
interface Words {
  text?: string;
  bytes?: string;
}

interface Entry {
  type: string;
  data: { path?: Words; lines?: Words; line_number?: number; submatches?: { start: number }[] };
}

interface Line {
  number: number;
  text: string;
}

/** Reads what `rg --json` writes while it writes it, and knows when there is enough. */
export class RipgrepReport {
  private readonly matches: SearchMatch[] = [];
  /** The line that has begun, in pieces. */
  private rest: string[] = [];
  private restLength = 0;
  /** Whether a match was too long to be told. */
  private leftOut = false;
  private bytes = 0;
  /** The lines just before the place where we are, not yet given to a match. */
  private waiting: Line[] = [];
  private last: { match: SearchMatch; line: number } | undefined;
  /** Whether there was more than is wanted. */
  full = false;

  /**
   * @param folder relative to the workspace; paths are told from there
   * @param limit most matches
   * @param context lines before and after each match
   * @param mostBytes most text of the whole answer
   */
  constructor(
    private readonly folder: string,
    private readonly limit: number,
    private readonly context: number,
    private readonly mostBytes: number,
  ) {}

  /** Takes a further piece of the report; true once there is enough. */
  add(text: string): boolean {
    const [end = '', ...lines] = text.split('\n');
    this.goOn(end);
    for (const next of lines) {
      if (this.full) break;
      if (this.restLength <= MOST_ENTRY) this.take(this.rest.join(''));
      this.rest = [];
      this.restLength = 0;
      this.goOn(next);
    }
    return this.full;
  }

  private goOn(piece: string): void {
    this.restLength += piece.length;
    if (this.restLength <= MOST_ENTRY) this.rest.push(piece);
    else this.leftOut = true;
  }

  get empty(): boolean {
    return this.matches.length === 0;
  }

  result(truncated: boolean): SearchResult {
    return { matches: this.matches, truncated: truncated || this.full || this.leftOut };
  }

  private take(line: string): void {
    const entry = entryOf(line);
    if (entry?.type === 'begin') this.startFile();
    else if (entry?.type === 'context') this.addNeighbour(lineOf(entry));
    else if (entry?.type === 'match') this.addMatch(entry);
  }

  private startFile(): void {
    this.waiting = [];
    this.last = undefined;
  }

  /** A line beside a match: after the last one where it is next to it, else before the one to come. */
  private addNeighbour(line: Line): void {
    this.bytes += line.text.length;
    if (this.last?.line === line.number - 1) {
      const after = (this.last.match.after ??= []);
      after.push(line.text);
      this.last = after.length < this.context ? { ...this.last, line: line.number } : undefined;
    }
    // Between two matches a line is near both.
    this.waiting = [...this.waiting, line].slice(-this.context);
    if (this.bytes > this.mostBytes) this.full = true;
  }

  private addMatch(entry: Entry): void {
    const { number, text } = lineOf(entry);
    const path = below(this.folder, wordsOf(entry.data.path));
    this.bytes += text.length + path.length;
    if (this.matches.length === this.limit || this.bytes > this.mostBytes) {
      this.full = true;
      return;
    }
    const match: SearchMatch = { path, line: number, column: columnOf(entry), text };
    const before = linesUpTo(number, this.waiting);
    if (before.length > 0) match.before = before;
    this.waiting = [];
    this.matches.push(match);
    this.last = { match, line: number };
  }
}

/** The lines without a gap up to one. */
function linesUpTo(number: number, lines: readonly Line[]): string[] {
  const near = lines.filter((line, at) => line.number === number - (lines.length - at));
  return near.map((line) => line.text);
}

function entryOf(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Entry | null;
    return typeof entry?.data === 'object' ? entry : undefined;
  } catch {
    // The last line of a report that was cut off.
    return undefined;
  }
}

function lineOf({ data }: Entry): Line {
  const text = wordsOf(data.lines).replace(/\r?\n$/, '');
  return { number: data.line_number ?? 0, text: startOf(text, LINE_BYTES) };
}

function wordsOf(words: Words | undefined): string {
  return words?.text ?? Buffer.from(words?.bytes ?? '', 'base64').toString('utf8');
}

/** ripgrep counts bytes from 0, readers count characters from 1. */
function columnOf({ data }: Entry): number {
  const start = data.submatches?.[0]?.start ?? 0;
  const raw = data.lines?.bytes === undefined ? data.lines?.text : Buffer.from(data.lines.bytes, 'base64');
  return (
    Buffer.from(raw ?? '')
      .subarray(0, start)
      .toString('utf8').length + 1
  );
}
