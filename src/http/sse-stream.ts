import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import type { FastifyReply } from 'fastify';

/** How long things may take on a stream, in milliseconds. */
export interface StreamLimits {
  /** An idle stream shows that it is alive this often. */
  keepAliveMs: number;
  /** A reader that takes nothing for so long is cut off. */
  stallMs: number;
}

export const STREAM_LIMITS: StreamLimits = { keepAliveMs: 15_000, stallMs: 60_000 };

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

/**
 * An answer that is sent piece by piece. Until it is opened, the call can still be answered otherwise. A slow reader
 * holds up only itself.
 */
export class SseStream {
  private readonly left = new AbortController();
  private alive: NodeJS.Timeout | undefined;

  constructor(
    private readonly reply: FastifyReply,
    private readonly limits: StreamLimits = STREAM_LIMITS,
  ) {
    const { raw } = reply;
    raw.once('close', () => {
      clearInterval(this.alive);
      this.left.abort();
    });
    // A reader who left before this does not leave again.
    if (raw.destroyed) this.left.abort();
  }

  /** Aborted when the reader goes away, or is cut off. */
  get gone(): AbortSignal {
    return this.left.signal;
  }

  get isOpen(): boolean {
    return this.reply.raw.headersSent;
  }

  /** Sets a header of the head that is still to be sent. */
  head(name: string, value: string): void {
    void this.reply.header(name, value);
  }

  /** Sends the head, with the headers that the reply has by now. */
  open(): void {
    const { reply } = this;
    const kept = Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
    reply.hijack();
    reply.raw.writeHead(200, { ...kept, ...HEADERS });
    reply.raw.flushHeaders();
    this.alive = setInterval(() => this.keepAlive(), this.limits.keepAliveMs);
  }

  /**
   * Sends frames, and opens the stream where it is not yet; resolves when the next may follow.
   * @throws the reason of `gone` where the reader went away
   */
  async write(frames: string): Promise<void> {
    this.gone.throwIfAborted();
    if (!this.isOpen) this.open();
    if (!this.reply.raw.write(frames)) await this.drained();
  }

  end(): void {
    clearInterval(this.alive);
    if (this.isOpen) this.reply.raw.end();
  }

  /** A comment, with the blank line without which some readers lose what follows. */
  private keepAlive(): void {
    if (!this.reply.raw.writableNeedDrain) this.reply.raw.write(': keep-alive\n\n');
  }

  private async drained(): Promise<void> {
    const { raw } = this.reply;
    const over = new AbortController();
    const drained = once(raw, 'drain', { signal: this.gone }).finally(() => over.abort());
    const stalled = sleep(this.limits.stallMs, undefined, { signal: over.signal, ref: false });
    void stalled.then(
      () => raw.destroy(),
      () => undefined,
    );
    await drained;
  }
}
