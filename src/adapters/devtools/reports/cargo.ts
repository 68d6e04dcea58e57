import type { TestCase } from '../../../contracts/devtools.js';
import { MOST_PARSED, testCase, withoutColours, type RawTest } from './report.js';

const STATUS: Readonly<Record<string, TestCase['status']>> = { ok: 'passed', FAILED: 'failed', ignored: 'skipped' };
const RESULT = /^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)\b/;
const RUNNING = /^\s+Running (?:unittests )?(\S+) \(/;
const DOC_TESTS = /^\s+Doc-tests /;
const MESSAGE = /^---- (.+?) stdout ----$/;
/** What follows the messages of failed tests. */
const AFTER = /^(failures:|successes:|test result:)/;

/** Reads what `cargo test` prints, both streams in order. A file is known where cargo said which it runs. */
export function parseCargo(text: string): TestCase[] {
  const report = new CargoReport();
  for (const line of withoutColours(text).split('\n')) report.take(line);
  return report.tests.map(testCase);
}

class CargoReport {
  readonly tests: RawTest[] = [];
  private file: string | undefined;
  /** The test whose message is being read. */
  private telling: RawTest | undefined;

  take(line: string): void {
    const heading = MESSAGE.exec(line)?.[1];
    if (heading !== undefined) this.telling = this.tests.findLast(({ name }) => name === heading);
    else if (AFTER.test(line)) this.telling = undefined;
    else if (this.telling) this.telling.message = `${this.telling.message ?? ''}${line}\n`;
    else this.takePlain(line);
  }

  private takePlain(line: string): void {
    const [, name, status = ''] = RESULT.exec(line) ?? [];
    if (name !== undefined && this.tests.length < MOST_PARSED) {
      this.tests.push({ name, file: this.file ?? docFile(name), status: STATUS[status] ?? 'failed' });
      return;
    }
    const running = RUNNING.exec(line)?.[1];
    if (running !== undefined) this.file = running;
    else if (DOC_TESTS.test(line)) this.file = undefined;
  }
}

/** A test in documentation is named by its place: `src/lib.rs - add (line 3)`. */
const docFile = (name: string): string | undefined => /^(\S+\.rs) - /.exec(name)?.[1];
