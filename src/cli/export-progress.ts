import { Presets, SingleBar } from 'cli-progress';
import type { ReportStream } from '../adapters/supply/reporter.js';
import { count } from './count.js';

const LINE_EVERY_MS = 5_000;

/** How far an export has come: a bar on a terminal where the end is known, else a line now and then. */
export class ExportProgress {
  done = 0;
  private readonly bar: SingleBar | undefined;
  private lineAt = Date.now();

  /**
   * @param things what is counted
   * @param total how many there are; undefined: nobody knows
   */
  constructor(
    private readonly err: ReportStream,
    private readonly things: string,
    private readonly total: number | undefined,
  ) {
    if (!err.isTTY || total === undefined) return;
    const format = `  {bar} {value} of {total} ${things}`;
    this.bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true, stream: err }, Presets.shades_classic);
    this.bar.start(total, 0);
  }

  /** One more is done. */
  step(): void {
    this.done += 1;
    if (this.bar) this.bar.update(this.done);
    else if (Date.now() - this.lineAt >= LINE_EVERY_MS) {
      this.lineAt = Date.now();
      this.err.write(
        `  ${count(this.done)}${this.total === undefined ? '' : ` of ${count(this.total)}`} ${this.things}\n`,
      );
    }
  }

  end(): void {
    this.bar?.stop();
  }
}
