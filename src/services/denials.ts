import { LRUCache } from 'lru-cache';
import type { AnsweredKey } from '../contracts/access.js';
import { SYSTEM_PRINCIPAL } from '../contracts/ids.js';
import type { AuditRepository } from '../adapters/store/audit.repository.js';

/** How long repeats of a denial are counted before they are written down, in milliseconds. */
const WINDOW_MS = 60_000;
/** Most denials that are counted at once; what is pushed out is written down. */
const MOST_WINDOWS = 10_000;
/** Most first denials of a DAO that are each written down in a window; further ones are counted together. */
const MOST_FIRST = 100;

const ACTION = 'access.denied';

/** Who was refused what. */
export interface Denial {
  /** Null: about the installation. */
  daoId: string | null;
  actor: string;
  /** Through which key. */
  key: AnsweredKey;
  /** Ids and codes: `required_entitlement` where that is what was lacking, else the refusal's `code`. */
  detail: Readonly<Record<string, unknown>>;
}

/** Repeats of a denial that are not written down yet. */
interface Window {
  last: Denial;
  times: number;
  /** How the first row names whoever was refused; absent: they are several, of whom no row names one. */
  known?: Promise<string>;
}

/**
 * Puts denials on the record without letting whoever causes many fill it: the first one at once, its repeats within a
 * minute as one row that says how many.
 */
export class Denials {
  private readonly windows: LRUCache<string, Window>;
  /** How many first denials a DAO had of late. */
  private readonly first: LRUCache<string, number>;
  /** Rows that are being written. */
  private readonly pending = new Set<Promise<void>>();

  /** @param lost hears of repeats that could not be written down */
  constructor(
    private readonly audit: Pick<AuditRepository, 'append'>,
    private readonly lost: (error: unknown) => void = () => undefined,
    private readonly windowMs = WINDOW_MS,
  ) {
    this.windows = new LRUCache({ max: MOST_WINDOWS, dispose: (window) => this.flush(window) });
    this.first = new LRUCache({ max: MOST_WINDOWS });
  }

  /**
   * Puts a denial on the record, or counts it.
   * @throws AppError `STORE_UNAVAILABLE` if it is the first one and cannot be written down
   */
  async add(denial: Denial): Promise<void> {
    const key = keyOf(denial);
    const window = this.windows.get(key) ?? (this.isOneOfMany(denial) ? this.shared(denial) : undefined);
    if (window) {
      window.times += 1;
      window.last = denial;
      return;
    }
    const known = this.write(denial);
    this.open(key, { last: denial, times: 0, known });
    try {
      await known;
    } catch (error) {
      // The next one is the first again; others that came meanwhile are counted and not lost.
      this.windows.delete(key);
      throw error;
    }
  }

  /** Writes down what was counted. */
  async close(): Promise<void> {
    this.windows.clear();
    this.first.clear();
    await Promise.all(this.pending);
  }

  /** Whether the DAO had so many first denials of late that another one gets no row of its own. */
  private isOneOfMany({ daoId }: Denial): boolean {
    const dao = String(daoId);
    const before = this.first.get(dao) ?? 0;
    if (before === 0) this.later(() => this.first.delete(dao));
    this.first.set(dao, before + 1);
    return before >= MOST_FIRST;
  }

  private open(key: string, window: Window): Window {
    this.windows.set(key, window);
    // Another one may have the place by then, and is not to be cut short.
    this.later(() => this.windows.peek(key) === window && this.windows.delete(key));
    return window;
  }

  private later(end: () => void): void {
    setTimeout(end, this.windowMs).unref();
  }

  /** The window of all whose denials are counted together. */
  private shared(denial: Denial): Window {
    const key = JSON.stringify([denial.daoId, whyOf(denial)]);
    return this.windows.get(key) ?? this.open(key, { last: denial, times: 0 });
  }

  private flush(window: Window): void {
    if (window.times === 0) return;
    const row = this.writeRepeats(window)
      .catch(this.lost)
      .finally(() => this.pending.delete(row));
    this.pending.add(row);
  }

  /**
   * Repeats bear the name of the first row: somebody who was forgotten meanwhile would get another one, and the two rows
   * would tell that both are the same.
   */
  private async writeRepeats({ last, times, known }: Window): Promise<void> {
    if (known) {
      const name = await known.catch(() => undefined);
      await this.write({ ...last, detail: { ...last.detail, times } }, name);
      return;
    }
    const detail = { ...last.detail, times, several: true };
    const { daoId } = last;
    await this.audit.append({ daoId }, { actor: SYSTEM_PRINCIPAL, action: ACTION, subject: SYSTEM_PRINCIPAL, detail });
  }

  private async write({ daoId, key, actor, detail }: Denial, known?: string): Promise<string> {
    const event = { actor, action: ACTION, subject: known ?? { user: actor }, detail };
    return this.audit.append({ daoId, key }, { ...event, ...(known !== undefined && { known }) });
  }
}

const whyOf = ({ detail }: Denial): unknown => detail.required_entitlement ?? detail.code;

/** Of one key: what is done through another's is not counted as somebody's own. */
const keyOf = (denial: Denial): string => JSON.stringify([denial.daoId, denial.actor, denial.key.id, whyOf(denial)]);
