import { closeSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const ROTATE_AT_BYTES = 20_000_000;
const TAIL_BYTES = 16_384;

/** The log file of the development server, which keeps one older file beside it. */
export class DevServerLog {
  /** Where this process's part of the file begins. */
  private startedAt = 0;

  constructor(readonly path: string) {}

  /** Opens the file for appending; the caller closes the descriptor. */
  open(): number {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    if (this.size() > ROTATE_AT_BYTES) renameSync(this.path, `${this.path}.1`);
    const descriptor = openSync(this.path, 'a', 0o600);
    this.startedAt = this.size();
    return descriptor;
  }

  /** What the server said since the last `open`: the last part of it. */
  tail(): string {
    const size = this.size();
    const from = Math.max(this.startedAt, size - TAIL_BYTES);
    if (size <= from) return '';
    const buffer = Buffer.alloc(size - from);
    const descriptor = openSync(this.path, 'r');
    try {
      readSync(descriptor, buffer, 0, buffer.length, from);
    } finally {
      closeSync(descriptor);
    }
    return buffer.toString('utf8');
  }

  private size(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }
}

/** The sentence in a log that tells why the server ended: the last error, else the last line. */
export function lastProblem(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const error = lines.filter((line) => /^Error:|"level":"(error|fatal)"/i.test(line)).at(-1) ?? lines.at(-1);
  return error === undefined ? 'it said nothing' : readable(error).slice(0, 300);
}

function readable(line: string): string {
  try {
    const { msg, error } = JSON.parse(line) as { msg?: string; error?: string };
    return [msg, error].filter(Boolean).join(': ') || line;
  } catch {
    return line.replace(/^Error:\s*/i, '').trim();
  }
}
