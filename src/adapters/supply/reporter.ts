import { Presets, SingleBar } from 'cli-progress';

/** Hears what happens while a part is obtained. A part that lies ready in the cache is silent. */
export interface SupplyReporter {
  trying(part: string, source: string): void;
  progress(bytes: number, total: number | undefined): void;
  failed(part: string, source: string, reason: string): void;
  damaged(part: string, path: string): void;
  done(part: string): void;
}

export const silentReporter: SupplyReporter = {
  trying: () => undefined,
  progress: () => undefined,
  failed: () => undefined,
  damaged: () => undefined,
  done: () => undefined,
};

const MB = 1_000_000;
const LINE_EVERY_MS = 5_000;

/** A stream that may be a terminal, as `process.stdout` is. */
export type ReportStream = NodeJS.WritableStream & { isTTY?: boolean };

/** Progress for people: a bar on a terminal, a line now and then elsewhere (a log file or CI must not fill up). */
export class ConsoleReporter implements SupplyReporter {
  private bar: SingleBar | undefined;
  private lastLineAt = 0;

  constructor(private readonly out: ReportStream) {}

  trying(part: string, source: string): void {
    this.out.write(`  ${part}: ${source}\n`);
    this.lastLineAt = Date.now();
  }

  progress(bytes: number, total: number | undefined): void {
    if (this.out.isTTY) this.drawBar(bytes, total);
    else this.writeLine(bytes, total);
  }

  failed(part: string, source: string, reason: string): void {
    this.endBar();
    this.out.write(`  ${part}: ${source} failed: ${reason}\n`);
  }

  damaged(part: string, path: string): void {
    this.endBar();
    this.out.write(`  ${part}: ${path} is damaged (its checksum is wrong); deleted, fetching it again\n`);
  }

  done(): void {
    this.endBar();
  }

  private drawBar(bytes: number, total: number | undefined): void {
    const whole = Math.max(total ?? bytes, bytes, 1);
    if (!this.bar) {
      const format = '    {bar} {percentage}% {mb}/{totalMb} MB';
      this.bar = new SingleBar(
        { format, hideCursor: true, clearOnComplete: true, stream: this.out },
        Presets.shades_classic,
      );
      this.bar.start(whole, bytes, { mb: megabytes(bytes), totalMb: megabytes(whole) });
    }
    this.bar.setTotal(whole);
    this.bar.update(bytes, { mb: megabytes(bytes), totalMb: megabytes(whole) });
  }

  private endBar(): void {
    this.bar?.stop();
    this.bar = undefined;
  }

  private writeLine(bytes: number, total: number | undefined): void {
    if (Date.now() - this.lastLineAt < LINE_EVERY_MS) return;
    this.lastLineAt = Date.now();
    const of = total === undefined ? '' : ` of ${megabytes(total)}`;
    this.out.write(`    ${megabytes(bytes)}${of} MB\n`);
  }
}

const megabytes = (bytes: number): string => (bytes / MB).toFixed(1);
