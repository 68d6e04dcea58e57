import { StringDecoder } from 'node:string_decoder';
import type { ToolOutput } from '../../contracts/devtools.js';

/** A program that prints more than so many times what is kept of it, and at least so much, is stopped. */
const FLOOD_FACTOR = 16;
const FLOOD_BYTES = 16 * 1_024 * 1_024;

/** Keeps what a program prints, within bounds, and hands it on piece by piece without cutting a letter in two. */
export class OutputKeeper {
  private readonly decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  private readonly last: Buffer[] = [];
  private lastBytes = 0;
  private readonly first: Buffer[] = [];
  private firstBytes = 0;
  private bytes = 0;
  private stdoutBytes = 0;

  /** @param keep bytes of each: the end of both streams, and the start of standard output */
  constructor(
    private readonly keep: number,
    private readonly onOutput: ((output: ToolOutput) => void) | undefined,
  ) {}

  /** Whether there was more than any honest program prints. */
  get flooded(): boolean {
    return this.bytes > Math.max(this.keep * FLOOD_FACTOR, FLOOD_BYTES);
  }

  take(stream: ToolOutput['stream'], chunk: Buffer): void {
    if (this.flooded) return;
    this.bytes += chunk.length;
    this.keepLast(chunk);
    if (stream === 'stdout') this.keepFirst(chunk);
    this.handOn(stream, this.decoders[stream].write(chunk));
  }

  /** What is left of letters that were never finished. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) this.handOn(stream, this.decoders[stream].end());
  }

  /** Both streams in the order in which they came; the last of it. */
  get output(): string {
    const all = Buffer.concat(this.last);
    const kept = all.subarray(Math.max(0, all.length - this.keep));
    return kept.subarray(this.bytes > this.keep ? letterStart(kept) : 0).toString('utf8');
  }

  /** Standard output from its start. */
  get stdout(): string {
    const decoder = new StringDecoder('utf8');
    const text = decoder.write(Buffer.concat(this.first));
    // A letter cut by our own bound is left out; one that the program itself broke off is shown as such.
    return this.stdoutTruncated ? text : text + decoder.end();
  }

  get stdoutTruncated(): boolean {
    return this.stdoutBytes > this.keep;
  }

  private handOn(stream: ToolOutput['stream'], text: string): void {
    if (text !== '') this.onOutput?.({ stream, text });
  }

  private keepLast(chunk: Buffer): void {
    this.last.push(chunk);
    this.lastBytes += chunk.length;
    while (this.lastBytes - (this.last[0]?.length ?? 0) >= this.keep) this.lastBytes -= this.last.shift()?.length ?? 0;
  }

  private keepFirst(chunk: Buffer): void {
    this.stdoutBytes += chunk.length;
    const wanted = chunk.subarray(0, this.keep - this.firstBytes);
    if (wanted.length === 0) return;
    this.first.push(wanted);
    this.firstBytes += wanted.length;
  }
}

/** Where the first whole letter begins: bytes of the form 10xxxxxx go on with one. */
function letterStart(bytes: Buffer): number {
  let at = 0;
  while (at < 3 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return at;
}
