import type { ReportStream } from '../adapters/supply/reporter.js';

/** Writes the steps of a start, each with its time, as they are done. */
export class Steps {
  constructor(private readonly out: ReportStream) {}

  /** Runs one step; its line appears when it is done, with what `describe` makes of the result. */
  async run<T>(name: string, action: () => Promise<T>, describe: (result: T) => string = () => ''): Promise<T> {
    const startedAt = performance.now();
    try {
      const result = await action();
      const detail = describe(result);
      this.write('✓', `${name}${detail === '' ? '' : `: ${detail}`}`, startedAt);
      return result;
    } catch (error) {
      this.write('✗', name, startedAt);
      throw error;
    }
  }

  /** A line without a time. */
  note(text: string): void {
    this.out.write(`  ${text}\n`);
  }

  private write(mark: string, text: string, startedAt: number): void {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(2);
    this.out.write(`${mark} ${text} (${seconds} s)\n`);
  }
}

/** Puts lines into a frame. */
export function frame(lines: readonly string[]): string {
  const width = Math.max(...lines.map((line) => line.length));
  const bar = '─'.repeat(width + 2);
  const body = lines.map((line) => `│ ${line.padEnd(width)} │`);
  return [`┌${bar}┐`, ...body, `└${bar}┘`, ''].join('\n');
}
