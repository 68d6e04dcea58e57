import { statfs } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '../../errors/app-error.js';
import { measure } from './measure.js';
import { inFolder, type Opener } from './walk.js';

/** What a workspace may hold. */
export interface WorkspaceQuota {
  /** Of all its files together. */
  bytes: number;
  /** Files and folders. */
  files: number;
  /** What writes must leave free on the volume, in bytes. */
  freeBytes: number;
}

export const DEFAULT_QUOTA: WorkspaceQuota = { bytes: 2 * 2 ** 30, files: 200_000, freeBytes: 256 * 2 ** 20 };

/** What a change adds; below 0: what it takes away. */
export interface Growth {
  bytes: number;
  /** Files and folders. */
  files: number;
}

const MEASURED_FOR_MS = 5 * 60_000;
const LONGEST_WAIT_MS = 200;

/**
 * What is in a workspace, by and large: measured now and then in the background, with what our own writes have added
 * since. While that is not known, only the volume's free space counts.
 */
export class Usage {
  private known: (Growth & { at: number }) | undefined;
  private measuring: { ended: Promise<void>; since: number } | undefined;
  /** What was added since the measuring began that is under way. */
  private since: Growth = { bytes: 0, files: 0 };

  constructor(
    private readonly open: Opener,
    private readonly quota: WorkspaceQuota,
  ) {}

  /**
   * Counts a change before it is made, if there is room for it. What makes nothing larger always may be.
   * @returns takes it back, where the change came to nothing
   * @throws AppError `FILE_TOO_LARGE`, `TOOL_FAILED`
   */
  async claim(growth: Growth): Promise<() => void> {
    if (growth.bytes > 0) await this.requireFree(growth.bytes);
    await this.look();
    if (growth.bytes > 0) this.require('bytes', growth.bytes);
    if (growth.files > 0) this.require('files', growth.files);
    this.add(growth);
    return () => {
      this.add({ bytes: -growth.bytes, files: -growth.files });
    };
  }

  /** Counts what was added. */
  add({ bytes, files }: Growth): void {
    this.since = { bytes: this.since.bytes + bytes, files: this.since.files + files };
    if (this.known) this.known = { ...this.known, bytes: this.known.bytes + bytes, files: this.known.files + files };
  }

  private require(what: keyof Growth, more: number): void {
    const [most, used] = [this.quota[what], this.known?.[what] ?? 0];
    if (used + more <= most) return;
    const quota = what === 'bytes' ? `${most} bytes` : `${most} files and folders`;
    const message = `The workspace is full: its quota is ${quota}. Delete what is no longer needed.`;
    throw new AppError('FILE_TOO_LARGE', message, { quota: what, most, used });
  }

  private async requireFree(more: number): Promise<void> {
    const { bavail, bsize } = await inFolder(this.open, [], (folder) => statfs(folder.place));
    if (bavail * bsize - more >= this.quota.freeBytes) return;
    const message = `The volume of the workspaces is full: ${this.quota.freeBytes} bytes of it must stay free.`;
    throw new AppError('FILE_TOO_LARGE', message, { quota: 'free_bytes', most: this.quota.freeBytes });
  }

  /** Has it measured where that is due. Only if nothing is known is it waited for, and for a moment at most. */
  private async look(): Promise<void> {
    const isDue = this.known === undefined || performance.now() - this.known.at > MEASURED_FOR_MS;
    if (isDue) this.measuring ??= { ended: this.measure(), since: performance.now() };
    if (this.known !== undefined || this.measuring === undefined) return;
    const { ended, since } = this.measuring;
    const left = since + LONGEST_WAIT_MS - performance.now();
    if (left <= 0) return;
    const stop = new AbortController();
    await Promise.race([ended, wait(left, undefined, { signal: stop.signal }).catch(() => undefined)]);
    stop.abort();
  }

  private async measure(): Promise<void> {
    this.since = { bytes: 0, files: 0 };
    try {
      const { bytes, files } = await measure(this.open, this.quota);
      // What came while it was counted may be counted twice; the next time puts that right.
      this.known = { bytes: bytes + this.since.bytes, files: files + this.since.files, at: performance.now() };
    } catch {
      // Whatever keeps us from looking is told to whoever writes, reads or lists.
    } finally {
      this.measuring = undefined;
    }
  }
}
