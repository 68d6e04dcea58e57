import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FetchContext, Source } from './part.js';

export interface DownloadOptions {
  name: string;
  url: string;
  /** Turns what was downloaded into the wanted file; absent: it is the file. */
  unpack?: (archive: string, folder: string) => Promise<string>;
  /** Longest wait for the answer's headers: a machine without internet must get to the next source quickly. */
  connectTimeoutMs?: number;
  /** Longest silence in the middle of a download. */
  idleTimeoutMs?: number;
}

/** A source that is one HTTP download. */
export class DownloadSource implements Source {
  readonly name: string;

  constructor(private readonly options: DownloadOptions) {
    this.name = options.name;
  }

  async fetch(context: FetchContext): Promise<string> {
    const file = join(context.folder, 'download');
    const watchdog = new Watchdog(this.options.connectTimeoutMs ?? 5_000);
    try {
      await this.download(file, context, watchdog);
    } catch (error) {
      throw new Error(watchdog.reason ?? networkReason(error), { cause: error });
    } finally {
      watchdog.stop();
    }
    return this.options.unpack ? this.options.unpack(file, context.folder) : file;
  }

  private async download(file: string, { progress }: FetchContext, watchdog: Watchdog): Promise<void> {
    const response = await fetch(this.options.url, { signal: watchdog.signal });
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status} from ${this.options.url}`);
    const length = Number(response.headers.get('content-length') ?? NaN);
    const total = Number.isFinite(length) ? length : undefined;
    let bytes = 0;
    const count = async function* (chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
      for await (const chunk of chunks) {
        watchdog.expectWithin(idle, 'no data arrived');
        bytes += chunk.byteLength;
        progress(bytes, total);
        yield chunk;
      }
    };
    const idle = this.options.idleTimeoutMs ?? 30_000;
    watchdog.expectWithin(idle, 'no data arrived');
    await pipeline(response.body, count, createWriteStream(file));
  }
}

/** Aborts a download that is silent for too long, and remembers why. */
class Watchdog {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout;
  reason: string | undefined;

  constructor(connectTimeoutMs: number) {
    this.timer = this.arm(connectTimeoutMs, 'no answer');
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  expectWithin(ms: number, what: string): void {
    clearTimeout(this.timer);
    this.timer = this.arm(ms, what);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private arm(ms: number, what: string): NodeJS.Timeout {
    return setTimeout(() => {
      this.reason = `${what} within ${ms / 1000} s`;
      this.controller.abort();
    }, ms);
  }
}

/** `fetch failed` says nothing; the cause does (`getaddrinfo ENOTFOUND host`, `connect ECONNREFUSED …`). */
function networkReason(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string } };
  if (message === 'terminated') return 'the connection broke off';
  return cause?.message || message || String(error);
}
