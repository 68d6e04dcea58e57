import { LRUCache } from 'lru-cache';
import type { AnsweredKey } from '../contracts/access.js';
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
  /** Whether they are of several people, of whom `last` names one. */
  several?: true;
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
    this.open(key, { last: denial, times: 0 });
    try {
      await this.write(denial);
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
    return this.windows.get(key) ?? this.open(key, { last: denial, times: 0, several: true });
  }

  private flush({ last, times, several }: Window): void {
    if (times === 0) return;
    const row = this.write({ ...last, detail: { ...last.detail, times, ...(several && { several }) } })
      .catch(this.lost)
      .finally(() => this.pending.delete(row));
    this.pending.add(row);
  }

  private write({ daoId, key, actor, detail }: Denial): Promise<void> {
    return this.audit.append({ daoId, key }, { actor, action: ACTION, subject: { user: actor }, detail });
  }
}

const whyOf = ({ detail }: Denial): unknown => detail.required_entitlement ?? detail.code;

/** Of one key: what is done through another's is not counted as somebody's own. */
const keyOf = (denial: Denial): string => JSON.stringify([denial.daoId, denial.actor, denial.key.id, whyOf(denial)]);
