import type { ReportStream } from '../adapters/supply/reporter.js';

const EVERY_MS = 1_000;

/** Shows on a terminal that something is under way, and for how long; elsewhere it is quiet. */
export async function whileWaiting<T>(what: string, work: Promise<T>, out: ReportStream): Promise<T> {
  if (!out.isTTY) return work;
  const began = Date.now();
  const show = (): void => void out.write(`\r${what}… ${Math.round((Date.now() - began) / 1_000)} s`);
  show();
  const timer = setInterval(show, EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    out.write('\r\u001b[K');
  }
}
