import { chainHash, headText, type AuditRow, type SignedHead } from '../contracts/audit.js';
import { displaced, missing } from './audit-order.js';

/** What can be wrong with a place of a chain. */
export type ProblemKind =
  | 'altered'
  | 'hash-altered'
  | 'removed'
  | 'inserted'
  | 'duplicated'
  | 'reordered'
  | 'renumbered'
  | 'foreign'
  | 'unreadable'
  | 'rewritten'
  | 'head';

/** Something wrong, and where: from row `seq` to row `to`. */
export interface Problem {
  seq: number;
  to: number;
  kind: ProblemKind;
  says: string;
}

/** What an examination of a chain came to. */
export interface Verdict {
  ok: boolean;
  chain: string;
  rows: number;
  /** The highest number of a row. */
  newest: number;
  problems: Problem[];
  /** The newest signed head to which sound rows lead: up to it nothing was changed or left out. */
  proven: SignedHead | undefined;
  /** Rows behind that head. Whether they are all that there were, nobody can tell from them. */
  unproven: number;
  /** Ids of keys that signed heads and are not known here; such heads prove nothing. */
  unknownKeys: string[];
}

export interface VerifyOptions {
  sha256: (text: string) => string;
  /** Absent: that of the first row. */
  chain?: string | undefined;
  /** Heads as they were posted, in any order. */
  heads?: readonly SignedHead[] | undefined;
  /** Whether the signature of a head is right for this text; undefined: its key is not known. Absent: no key is. */
  verifies?: ((head: SignedHead, text: string) => boolean | undefined) | undefined;
}

/**
 * Examines a whole chain.
 * @param rows in the order in which they were found
 */
export function verifyChain(rows: Iterable<AuditRow>, options: VerifyOptions): Verdict {
  const examination = new ChainExamination(options);
  for (const row of rows) examination.add(row);
  return examination.end();
}

/** What is kept of a place. */
interface Place {
  /** The row's hash as it says itself. */
  stored: string;
  /** Its text, until it is known which row it follows from. */
  entry: string | undefined;
  /** The hash that it follows from. */
  from?: string | undefined;
  /** What its hash ought to be, where it follows from none. */
  computed?: string | undefined;
  /** Hashes of further rows that claim the place. */
  others?: string[];
}

/** Examines a chain row by row, so that an export need not fit into memory: hashes are kept, and no texts of sound rows. */
export class ChainExamination {
  private readonly places = new Map<number, Place>();
  /** Places in the order of their first rows. */
  private readonly order: number[] = [];
  private readonly problems: Problem[] = [];
  private chain: string | undefined;
  private rows = 0;

  constructor(private readonly options: VerifyOptions) {
    this.chain = options.chain;
  }

  /** The next row. */
  add(row: AuditRow): void {
    this.rows += 1;
    const seq = this.placeOf(row);
    const taken = this.places.get(seq);
    if (taken) {
      this.addAgain(seq, taken, row);
    } else {
      this.order.push(seq);
      this.places.set(seq, { stored: row.hash, entry: row.entry });
      this.linkFrom(seq);
    }
  }

  /** The verdict, once all rows were added. */
  end(): Verdict {
    const { trusted, unknownKeys } = this.examineHeads();
    const seqs = [...this.places.keys()].sort((one, other) => one - other);
    this.reportMissing(seqs, trusted);
    for (const seq of displaced(this.order))
      this.report('reordered', seq, 'it stands at another place than its number says');
    for (const seq of seqs) this.reportBroken(seq, trusted);
    this.reportRewritten(trusted);
    const problems = this.problems.sort((one, other) => one.seq - other.seq);
    const soundUpTo = (problems[0]?.seq ?? Infinity) - 1;
    const proven = trusted.findLast(({ seq, hash }) => seq <= soundUpTo && this.hashesAt(seq).includes(hash));
    const newest = seqs.at(-1) ?? 0;
    return {
      ok: problems.length === 0,
      chain: this.chain ?? '',
      rows: this.rows,
      newest,
      problems,
      proven,
      unproven: Math.max(0, newest - (proven?.seq ?? 0)),
      unknownKeys,
    };
  }

  private report(kind: ProblemKind, seq: number, says: string, to = seq): void {
    this.problems.push({ seq, to, kind, says });
  }

  /** Where a row belongs: where its text says, or its line where only that goes on from the row before. */
  private placeOf({ seq, entry }: AuditRow): number {
    const told = readEntry(entry);
    const expected = (this.order.at(-1) ?? 0) + 1;
    if (!told) {
      const place = isPlace(seq) ? seq : expected;
      this.report('unreadable', place, 'its text is no entry of a record');
      return place;
    }
    this.chain ??= told.chain;
    const place = seq === expected ? seq : told.seq;
    if (told.seq !== seq) this.report('renumbered', place, `its line has the number ${seq}, its text ${told.seq}`);
    if (told.chain !== this.chain) this.report('foreign', place, 'it belongs to the chain of another DAO');
    return place;
  }

  /** A row for a place that is taken. */
  private addAgain(seq: number, place: Place, row: AuditRow): void {
    if (place.stored === row.hash) this.report('duplicated', seq, 'it is there more than once');
    else this.report('inserted', seq, 'different rows have this number');
    (place.others ??= []).push(row.hash);
    this.linkFrom(seq + 1);
  }

  /** Judges a row, and those behind it for as long as that changes what they may follow from. */
  private linkFrom(seq: number): void {
    this.link(seq);
    for (let at = seq + 1; this.link(at);) at += 1;
  }

  /** Looks for the hash that a row follows from. @returns whether the next row may now be judged otherwise */
  private link(seq: number): boolean {
    const place = this.places.get(seq);
    const before = this.hashesAt(seq - 1);
    const [first] = before;
    if (place?.entry === undefined || first === undefined) return false;
    const { entry, computed } = place;
    const hashBehind = (hash: string): string => chainHash(this.options.sha256, hash, entry);
    place.from = before.find((hash) => hashBehind(hash) === place.stored);
    place.computed = place.from === undefined ? hashBehind(first) : undefined;
    if (place.from !== undefined) place.entry = undefined;
    return place.computed !== computed;
  }

  /** What the row behind this place may follow from; nothing where no row is there. */
  private hashesAt(seq: number): string[] {
    if (seq === 0) return [''];
    const place = this.places.get(seq);
    if (!place) return [];
    const { stored, computed, others = [] } = place;
    return [stored, ...(computed === undefined ? [] : [computed]), ...others];
  }

  private reportMissing(seqs: readonly number[], heads: readonly SignedHead[]): void {
    const newest = seqs.at(-1) ?? 0;
    for (const [from, to] of missing(seqs, heads.at(-1)?.seq ?? 0)) {
      this.report('removed', from, from > newest ? this.cutOff(newest, to, heads) : 'not there', to);
    }
  }

  private cutOff(newest: number, to: number, heads: readonly SignedHead[]): string {
    const sound = heads.findLast(({ seq, hash }) => this.hashesAt(seq).includes(hash))?.seq ?? 0;
    const doubt = newest > sound ? `; whether rows ${sound + 1} to ${newest} were written anew cannot be told` : '';
    return `a signed head says that the chain went on to row ${to}${doubt}`;
  }

  /** Says of a row that follows from none what is wrong with it, as far as its surroundings tell. */
  private reportBroken(seq: number, heads: readonly SignedHead[]): void {
    const { stored, computed } = this.places.get(seq) ?? {};
    if (computed === undefined) return;
    const next = this.places.get(seq + 1)?.from;
    const confirmed = next === undefined ? heads.filter((head) => head.seq === seq).map(({ hash }) => hash) : [next];
    if (confirmed.includes(computed) && stored !== computed) {
      this.report('hash-altered', seq, 'its hash was altered; its text is sound');
      return;
    }
    const or = seq === 1 ? '' : `, or row ${seq - 1} was replaced`;
    this.report('altered', seq, `its text does not give its hash: it was altered${or}`);
  }

  /** Rows that follow from each other, and yet do not lead to what was signed. */
  private reportRewritten(heads: readonly SignedHead[]): void {
    const leadsTo = ({ seq, hash }: SignedHead): boolean => this.hashesAt(seq).includes(hash);
    const right = heads.filter(leadsTo);
    let told = 0;
    for (const head of heads) {
      const { seq, day } = head;
      if (leadsTo(head) || this.hashesAt(seq).length === 0) continue;
      // One that was signed for the same row and fits was signed afterwards: it vouches for nothing before it.
      const sound = right.findLast((other) => other.seq < seq)?.seq ?? 0;
      const says = `not what was signed on ${day}: the chain was written anew, from one of these rows on`;
      if (sound >= told) this.report('rewritten', sound + 1, says, seq);
      told = seq;
    }
  }

  /** Heads whose signature is right, oldest first; what is wrong with others is reported. */
  private examineHeads(): { trusted: SignedHead[]; unknownKeys: string[] } {
    const { heads = [], verifies } = this.options;
    const unknown = new Set<string>();
    const trusted = heads.filter((head) => {
      const isRight = verifies?.(head, headText(head));
      if (isRight === undefined) unknown.add(head.key_id);
      else if (!isRight) this.report('head', head.seq, `the signature of the head of ${head.day} is wrong`);
      else if (head.chain !== (this.chain ?? head.chain)) {
        this.report('head', head.seq, `the head of ${head.day} is of the chain of another DAO`);
        return false;
      }
      return isRight === true;
    });
    trusted.sort((one, other) => one.seq - other.seq);
    return { trusted, unknownKeys: [...unknown] };
  }
}

const isPlace = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

function readEntry(text: string): { seq: number; chain: string } | undefined {
  try {
    const entry = JSON.parse(text) as { seq?: unknown; chain?: unknown } | null;
    if (!isPlace(entry?.seq) || typeof entry.chain !== 'string') return undefined;
    return { seq: entry.seq, chain: entry.chain };
  } catch {
    return undefined;
  }
}
