import type { Bucket } from './settings.js';

interface Window {
  startedAt: number;
  used: number;
}

/** What the limits say of a call. */
export interface Verdict {
  bucket: Bucket;
  name: string;
  remaining: number;
  resetMs: number;
  isOver: boolean;
}

/** Counts calls as Discord does: in windows, for each channel or token. */
export class Limits {
  /** Calls that came although they had been told to wait: an application must not do that. */
  early: string[] = [];
  private readonly windows = new Map<string, Window>();
  private readonly closedUntil = new Map<string, number>();

  count(key: string, name: string, bucket: Bucket): Verdict {
    const now = Date.now();
    const closed = this.closedUntil.get(key) ?? 0;
    // Clocks and sockets are not exact to the millisecond.
    if (closed - now > 50) this.early.push(`${name}: ${closed - now} ms before its time`);
    let window = this.windows.get(key);
    if (!window || window.startedAt + bucket.perMs <= now) window = { startedAt: now, used: 0 };
    this.windows.set(key, window);
    window.used += 1;
    const resetMs = window.startedAt + bucket.perMs - now;
    const isOver = window.used > bucket.calls;
    if (isOver) this.closedUntil.set(key, now + resetMs);
    return { bucket, name, remaining: Math.max(0, bucket.calls - window.used), resetMs, isOver };
  }

  /** Somebody was told to wait, by a fault. */
  close(key: string, ms: number): void {
    this.closedUntil.set(key, Date.now() + ms);
  }

  reset(): void {
    this.early = [];
    this.windows.clear();
    this.closedUntil.clear();
  }
}
