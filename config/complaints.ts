import { AppError } from '../src/errors/app-error.js';

/** Where something stands in a file; line and column count from 1, and are 0 where there is no file. */
export interface Position {
  file: string;
  line: number;
  column: number;
}

/** Keys and indexes that lead to a value, from the top of a profile. */
export type Path = readonly PropertyKey[];

/** How telling a complaint is: a mistyped key explains more than what is missing because of it. */
export const RANKS = { key: 0, value: 1, missing: 2 } as const;

/** A complaint for programs; the path is empty for the whole. */
export interface Problem {
  path: string;
  message: string;
}

interface Complaint {
  at: Position;
  path: Path;
  reason: string;
  rank: number;
}

/** Most complaints that one error tells. */
const MOST = 10;

/** A path as people write it: `routing_rules[0].use_provider`. */
const pathText = (path: Path): string =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('');

/** What was read nowhere, a profile as it was kept, has no lines. */
const placeText = ({ file, line, column }: Position): string => (line === 0 ? file : `${file}:${line}:${column}`);

function sentence({ at, path, reason }: Complaint): string {
  const where = `${placeText(at)}: `;
  return path.length === 0 ? where + reason : `${where}${pathText(path)}: ${reason}`;
}

const inOrder = (a: Complaint, b: Complaint): number =>
  a.rank - b.rank || a.at.line - b.at.line || a.at.column - b.at.column;

/** What is wrong with a profile or to be warned of, gathered so that all of one kind is told at once. */
export class Complaints {
  private readonly all: Complaint[] = [];

  get any(): boolean {
    return this.all.length > 0;
  }

  add(at: Position, path: Path, reason: string, rank: number = RANKS.value): void {
    this.all.push({ at, path, reason, rank });
  }

  /** A line `file:line:column: path: reason` for each complaint, the most telling first. */
  lines(): string[] {
    return [...new Set(this.all.toSorted(inOrder).map(sentence))];
  }

  /** The same for programs, without places in a file. */
  problems(): Problem[] {
    return this.all.toSorted(inOrder).map(({ path, reason }) => ({ path: pathText(path), message: reason }));
  }

  /** @throws AppError `CONFIG_INVALID` with those lines, of which it tells ten */
  throwIfAny(): void {
    if (this.all.length === 0) return;
    const lines = this.lines();
    const more = lines.length > MOST ? [`and ${lines.length - MOST} more`] : [];
    throw new AppError('CONFIG_INVALID', [...lines.slice(0, MOST), ...more].join('\n'));
  }

  /** Refuses with one complaint. */
  static refuse(at: Position, path: Path, reason: string): never {
    const complaints = new Complaints();
    complaints.add(at, path, reason);
    complaints.throwIfAny();
    throw new Error('unreachable');
  }
}
